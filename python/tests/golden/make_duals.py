"""Writes duals.json: E f(u) f(v) and E f'(u) f'(v) by mpmath, one integral over the inner expectation in closed form.

Run by hand: python python/tests/golden/make_duals.py
"""

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 40
CORRELATIONS = ["-1", "-0.99", "-0.5", "0", "0.5", "0.99", "0.99999999", "1"]
VARIANCES = [("1e-4", "1e-4"), ("1", "1"), ("1e4", "1e4"), ("1e-4", "1"), ("1", "1e4"), ("1", "1.21")]


def ramp(m, t, edge):
    """E max(v - edge, 0) for v of mean m and deviation t."""
    a = (m - edge) / t
    return t * mp.npdf(a) + (m - edge) * mp.ncdf(a)


def clipped(low, high):
    """min(max(x, low), high)"""

    def f(x):
        return min(max(x, low), high)

    def slope(x):
        return mp.mpf(low < x < high)

    def inner(m, t):
        return low + ramp(m, t, low) - ramp(m, t, high)

    def inner_slope(m, t):
        return mp.ncdf((m - low) / t) - mp.ncdf((m - high) / t)

    return f, slope, inner, inner_slope, [low, high]


def exponential(scale, alpha):
    """scale x for x > 0, else scale alpha (exp(x) - 1)"""

    def below(m, t):
        return mp.exp(m + t * t / 2) * mp.ncdf(-(m + t * t) / t)

    def f(x):
        return scale * (x if x > 0 else alpha * mp.expm1(x))

    def slope(x):
        return scale * (1 if x > 0 else alpha * mp.exp(x))

    def inner(m, t):
        return scale * (ramp(m, t, 0) + alpha * (below(m, t) - mp.ncdf(-m / t)))

    def inner_slope(m, t):
        return scale * (mp.ncdf(m / t) + alpha * below(m, t))

    return f, slope, inner, inner_slope, [mp.mpf(0)]


FUNCTIONS = {
    "HardTanh": clipped(mp.mpf(-1), mp.mpf(1)),
    "Relu6": clipped(mp.mpf(0), mp.mpf(6)),
    "Elu": exponential(mp.mpf(1), mp.mpf(1)),
    "Selu": exponential(mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")),
}


def dual(outer, inner, edges, s1, s2, rho):
    """E outer(s1 z) g(z), g the expectation of the other factor given z."""
    t = s2 * mp.sqrt(1 - rho * rho)
    points = {mp.mpf(-13), mp.mpf(13)} | {mp.mpf(k) for k in range(-12, 13, 2)}
    for edge in edges:
        points |= {edge / s1 + d / s1 for d in (-40, -10, -3, -1, 0, 1, 3, 10, 40)}
        if rho != 0:
            width = t / abs(s2 * rho)
            scale = max(width, 1 / abs(s2 * rho))
            points |= {edge / (s2 * rho) + d * width for d in (-10, -6, -3, -1, 0, 1, 3, 6, 10)}
            points |= {edge / (s2 * rho) + d * scale for d in (-40, -10, -3, 0, 3, 10, 40)}
    places = sorted(p for p in points if abs(p) <= 13)
    return mp.quad(lambda z: mp.npdf(z) * outer(s1 * z) * inner(s2 * rho * z, t), places, method="gauss-legendre")


def main():
    rows = []
    for name, (f, slope, inner, inner_slope, edges) in FUNCTIONS.items():
        for v1, v2 in VARIANCES:
            s1, s2 = mp.sqrt(mp.mpf(v1)), mp.sqrt(mp.mpf(v2))
            for r in CORRELATIONS:
                rho = mp.mpf(r)
                pair = []
                for outer, g, direct in ((f, inner, f), (slope, inner_slope, slope)):
                    expected = (lambda m, t, d=direct: d(m)) if abs(rho) == 1 else g
                    pair.append(mp.nstr(dual(outer, expected, edges, s1, s2, rho), 20))
                rows.append([name, float(v1), float(v2), float(r), *map(float, pair)])
        print(name, flush=True)
    text = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_name("duals.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
