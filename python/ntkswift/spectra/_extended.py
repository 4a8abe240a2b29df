"""Eigenvalues below the rounding of float64: the kernel in mpmath's numbers, sums in integers of fixed point.

Python's integers hold the sums exactly and run fast in NumPy's object arrays; mpmath evaluates the kernel at some
hundred angles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _checks, _core
from ..stax import (
    ABRelu,
    Dense,
    FanInSum,
    FanOut,
    Flatten,
    Identity,
    Layer,
    Nonlinearity,
    Parallel,
    Repeat,
    Serial,
    as_entry,
)
from ._zonal import ZonalKernel

_GUARD = 64  # bits beyond the digits asked for


def extended_eigenvalues(
    zonal: ZonalKernel, d: int, top: int, digits: int
) -> tuple[float, np.ndarray, np.ndarray, int]:
    """(kernel at angle 0, eigenvalues, errors, nodes) in `digits` decimal digits."""
    mp = _mpmath()
    digits = _checks.integer(digits, "sphere_spectrum", "digits", minimum=20)
    if digits > 1000:
        raise ValueError(f"[sphere_spectrum] digits must be at most 1000. Received {digits}.")
    bits = int(digits * 3.3219281) + _GUARD
    count = 2 * top + min(d, 1000) + 60
    with mp.workprec(bits + _GUARD):
        profile = _profile(mp, zonal, d)
        fine, size = _sum(mp, profile, d, top, count + count // 3, bits)
        coarse, _ = _sum(mp, profile, d, top, count, bits)
        trace = float(profile(mp.mpf(0)))
    floor = math.ldexp(1.0, max(-1000, -int(digits * 3.3219281)))
    errors = np.array([abs(float(_real(mp, a - b, bits))) for a, b in zip(fine, coarse)]) + floor * size
    return trace, np.array([float(_real(mp, a, bits)) for a in fine]), errors, count + count // 3


def _mpmath() -> Any:
    try:
        import mpmath
    except ImportError as error:
        raise ImportError(
            '[sphere_spectrum] precision="extended" needs mpmath, which is not installed. Get it with: pip install mpmath'
        ) from error
    return mpmath


# ---------------------------------------------------------------- quadrature


def _sum(mp: Any, profile: Callable[[Any], Any], d: int, top: int, count: int, bits: int) -> tuple[list[int], float]:
    """Eigenvalues as integers of fixed point with `bits` bits, and the size of the kernel."""
    nodes, weights = _gauss_legendre(count, bits)
    constant = mp.gamma(mp.mpf(d) / 2) / (mp.gamma(mp.mpf(d - 1) / 2) * mp.sqrt(mp.pi)) * mp.pi / 2
    terms, cosines, size = [], [], 0.0
    for node, weight in zip(nodes, weights):
        angle = (_real(mp, int(node), bits) + 1) * mp.pi / 2
        value = profile(angle)
        size = max(size, abs(float(value)))
        terms.append(_fixed(mp, value * mp.sin(angle) ** (d - 2) * _real(mp, int(weight), bits) * constant, bits))
        cosines.append(_fixed(mp, mp.cos(angle), bits))
    g, t = np.array(terms, dtype=object), np.array(cosines, dtype=object)
    before, now = np.full(len(t), 1 << bits, dtype=object), t
    sums = [int(g.sum())]
    for k in range(1, top + 1):
        if k > 1:
            before, now = now, ((2 * k + d - 4) * (t * now >> bits) - (k - 1) * before) // (k + d - 3)
        sums.append(int((g * now).sum()) >> bits)
    return sums, size


def _gauss_legendre(count: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on -1 ... 1 as integers of fixed point: Newton's method from float64."""
    angles = _core.angle_rule(count)[0]
    one = 1 << bits
    # (2 angle / pi - 1) of a float64 angle, as an integer
    z = np.array([round((2 * float(a) / math.pi - 1) * 2**60) << (bits - 60) for a in angles], dtype=object)
    slope = z
    for _ in range(max(1, math.ceil(math.log2(bits / 48))) + 1):
        before, now = np.full(count, one, dtype=object), z
        for k in range(2, count + 1):
            before, now = now, ((2 * k - 1) * (z * now >> bits) - (k - 1) * before) // k
        side = one - (z * z >> bits)
        slope = count * (before - (z * now >> bits)) * one // side
        z = z - now * one // slope
    side = one - (z * z >> bits)
    return z, 2 * one**3 // (side * (slope * slope >> bits))


def _fixed(mp: Any, x: Any, bits: int) -> int:
    return int(mp.nint(mp.ldexp(x, bits)))


def _real(mp: Any, n: int, bits: int) -> Any:
    return mp.ldexp(mp.mpf(n), -bits)


# ---------------------------------------------------------------- kernels in mpmath's numbers


def _profile(mp: Any, zonal: ZonalKernel, d: int) -> Callable[[Any], Any]:
    """The kernel as a function of the angle, both mpmath numbers."""
    if zonal._extended is not None:
        formula = zonal._extended
        return lambda angle: formula(mp, angle)
    if zonal.network is not None:
        network, wants_ntk = zonal.network, zonal.get == "ntk"
        variance = mp.mpf(zonal.radius) ** 2 / d

        def of_network(angle: Any) -> Any:
            pair = _Pair(mp, variance, variance * mp.cos(angle), mp.mpf(0))
            (last,) = _apply(network, (pair,))
            return last.ntk if wants_ntk else last.covariance

        return of_network

    def of_function(angle: Any) -> Any:
        try:
            return mp.mpf(zonal.source(angle if zonal.of == "angle" else mp.cos(angle)))
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                '[sphere_spectrum] precision="extended" needs a function that takes and returns mpmath numbers. '
                f"Received {zonal.name}: {error}"
            ) from error

    return of_function


class _Pair:
    """Two points of equal norm inside a network: variance of each, covariance and NTK of the pair."""

    def __init__(self, mp: Any, variance: Any, covariance: Any, ntk: Any) -> None:
        self.mp, self.variance, self.covariance, self.ntk = mp, variance, covariance, ntk


def _apply(layer: Layer, pairs: tuple[_Pair, ...]) -> tuple[_Pair, ...]:
    """The pairs after a layer: one for each branch."""
    if isinstance(layer, Serial):
        for part in layer.layers:
            pairs = _apply(part, pairs)
        return pairs
    if isinstance(layer, Repeat):
        for _ in range(layer.n):
            pairs = _apply(layer.layer, pairs)
        return pairs
    if isinstance(layer, Parallel):
        return tuple(_apply(part, (pair,))[0] for part, pair in zip(layer.layers, pairs, strict=True))
    if isinstance(layer, FanOut):
        return pairs * layer.num
    if isinstance(layer, FanInSum):
        sums = [sum(values[1:], values[0]) for values in zip(*((p.variance, p.covariance, p.ntk) for p in pairs))]
        return (_Pair(pairs[0].mp, *sums),)
    if isinstance(layer, (Identity, Flatten)):
        return pairs
    if isinstance(layer, Dense) and not layer._is_standard:
        return (_dense(layer, pairs[0]),)
    if isinstance(layer, Nonlinearity):
        rectifier = as_entry(layer)
        if isinstance(rectifier, ABRelu):
            return (_rectify(rectifier.a, rectifier.b, pairs[0]),)
    raise ValueError(
        '[sphere_spectrum] precision="extended" knows Dense in NTK parameterization, ReLU-like layers and residual branches. '
        f"Received {layer!r}."
    )


def _dense(layer: Dense, pair: _Pair) -> _Pair:
    weight, bias = pair.mp.mpf(layer.W_std) ** 2, pair.mp.mpf(layer.b_std or 0) ** 2
    covariance = weight * pair.covariance + bias
    own = covariance if layer.trainable else pair.mp.mpf(0)
    return _Pair(pair.mp, weight * pair.variance + bias, covariance, own + weight * pair.ntk)


def _rectify(a: float, b: float, pair: _Pair) -> _Pair:
    """a min(x, 0) + b max(x, 0) as the sum of a linear function and a multiple of |x|."""
    mp, q, c = pair.mp, pair.variance, pair.covariance
    linear, bend = (mp.mpf(b) + mp.mpf(a)) / 2, (mp.mpf(b) - mp.mpf(a)) / 2
    side = mp.sqrt(max(q * q - c * c, mp.mpf(0)))
    angle = mp.atan2(side, c)
    covariance = linear**2 * c + bend**2 * (2 / mp.pi) * (side + (mp.pi / 2 - angle) * c)
    slope = linear**2 + bend**2 * (1 - 2 * angle / mp.pi)
    return _Pair(mp, (linear**2 + bend**2) * q, covariance, slope * pair.ntk)
