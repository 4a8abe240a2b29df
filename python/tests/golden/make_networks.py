"""Writes networks.json: NNGP and NTK of three layers by double quadrature in polar coordinates, panel by panel.

The integrals are right to 1e-13 (checked below against the closed form of erf).
Run by hand: python python/tests/golden/make_networks.py
"""

import json
from pathlib import Path

import numpy as np
from scipy.special import erf, expit

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
VARIANCES = [1e-6, 1.0, 25.0, 1e4]
# Directions and lengths of three inputs, times the root of a variance.
INPUTS = np.array([[1.0, 0.2, -0.4], [0.7, -1.1, 0.3], [1.0, 0.21, -0.41]])


def mish_slope(x):
    t = np.tanh(np.logaddexp(x, 0))
    return t + x * (1 - t * t) * expit(x)


FUNCTIONS = {
    "Tanh": (np.tanh, lambda x: 1 / np.cosh(np.clip(x, -350, 350)) ** 2),
    "Sigmoid": (expit, lambda x: expit(x) * expit(-x)),
    "Softplus": (lambda x: np.logaddexp(x, 0), expit),
    "Swish": (lambda x: x * expit(x), lambda x: expit(x) + x * expit(x) * expit(-x)),
    "Mish": (lambda x: x * np.tanh(np.logaddexp(x, 0)), mish_slope),
    "Elu": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
}


def panels(first, end):
    edges = [0.0, min(first, end)]
    while edges[-1] < end:
        edges.append(min(end, edges[-1] + min(edges[-1], 1.0)))
    a, b = np.array(edges[:-1])[:, None], np.array(edges[1:])[:, None]
    return ((a + b) / 2 + (b - a) / 2 * NODES).ravel(), ((b - a) / 2 * WEIGHTS).ravel()


def wedge(f, g, s1, s2, width):
    """The integral over directions between both lines where an argument is 0, times that over the radius."""
    if width <= 0:
        return 0.0
    steep = max(s1, s2, 1.0)
    r, weight = panels(0.02 / steep, 9.5)
    psi, w = panels(min(width / 2, 0.02 / steep), width / 2)
    near = np.concatenate([np.sin(psi), np.sin(width - psi)])[:, None]
    far = np.concatenate([np.sin(width - psi), np.sin(psi)])[:, None]
    values = f(s1 * near * r) * g(s2 * far * r)
    return float(np.concatenate([w, w]) @ (values @ (weight * r * np.exp(-r * r / 2))))


def dual(f, s1, s2, angle):
    """E f(u) f(v) for deviations s1, s2 and a correlation of cos(angle)."""

    def back(x):
        return f(-x)

    wide, narrow = np.pi - angle, angle
    same = wedge(f, f, s1, s2, wide) + wedge(back, back, s1, s2, wide)
    return (same + wedge(f, back, s1, s2, narrow) + wedge(back, f, s1, s2, narrow)) / (2 * np.pi)


def network(f, slope, x, depth=3):
    """NNGP and NTK after `depth` Dense layers with f, and one more."""
    nngp = x @ x.T / x.shape[1]
    ntk = nngp.copy()
    for _ in range(depth):
        s = np.sqrt(np.diag(nngp))
        angle = np.arccos(np.clip(nngp / np.outer(s, s), -1, 1))
        np.fill_diagonal(angle, 0)
        new, derivative = np.empty_like(nngp), np.empty_like(nngp)
        for i, j in np.ndindex(*nngp.shape):
            new[i, j] = dual(f, s[i], s[j], angle[i, j])
            derivative[i, j] = dual(slope, s[i], s[j], angle[i, j])
        nngp, ntk = new, new + derivative * ntk
    return nngp, ntk


def main():
    for s, angle in [(1.0, 0.3), (100.0, 1e-3), (100.0, 2.0)]:
        closed = 2 / np.pi * np.arcsin(np.cos(angle) * 2 * s * s / (1 + 2 * s * s))
        assert abs(dual(erf, s, s, angle) - closed) < 1e-13
    rows = []
    for name, functions in FUNCTIONS.items():
        for variance in VARIANCES:
            nngp, ntk = network(*functions, np.sqrt(variance) * INPUTS)
            rows.append({"layer": name, "variance": variance, "nngp": nngp.tolist(), "ntk": ntk.tolist()})
    text = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_name("networks.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
