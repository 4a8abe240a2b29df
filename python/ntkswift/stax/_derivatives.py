"""Numerical derivatives of callers' functions, vectorised.

Where a function also accepts complex arrays, the complex step Im f(x + ih) / h is exact to rounding; it is used only
where it agrees with differences of real values, because abs(), maximum() and their like give wrong answers there
without an error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[..., Any]

# Central differences of order 8: offsets in steps, and weights.
_OFFSETS = np.array([1.0, 2.0, 3.0, 4.0])
_WEIGHTS = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
_COMPLEX_STEP = 1e-40
_AGREEMENT = 1e-4


def derivative(fn: Function) -> Function:
    """The derivative of `fn` on arrays, to about 1e-11 for functions that are smooth on the scale of 1 (see the
    module).
    """

    def slope(x: np.ndarray) -> np.ndarray:
        step = 0.02 * np.maximum(1.0, np.abs(x) * 0.1)
        rough = _central(fn, x, step)
        fine = _central(fn, x, step / 16)
        # A kink or a sharp feature nearby spoils the wide stencil first.
        trusted = np.abs(rough - fine) <= 1e-8 * (1 + np.abs(fine))
        return _complex_or(fn, (x,), np.where(trusted, rough, fine))

    return slope


def dual_derivative(nngp_fn: Function) -> Function:
    """The derivative of ``nngp_fn(cov12, var1, var2)`` by cov12, from values with ``|cov12| <= sqrt(var1 var2)`` only.

    With cov12 = s cos(t), s = sqrt(var1 var2), duals are smooth in the angle t up to t = 0 and pi, where many have
    no derivative by cov12 from outside. Differences are taken in t; within 0.002 of the ends the derivative is
    continued by a cubic in t.
    """

    def slope(cov12: np.ndarray, var1: np.ndarray, var2: np.ndarray) -> np.ndarray:
        # A variance of zero leaves no room for differences; a tiny one stands for it.
        floor = 1e-8 * np.maximum(1e-4, np.maximum(var1, var2))
        var1, var2 = np.maximum(var1, floor), np.maximum(var2, floor)
        scale = np.sqrt(var1 * var2)
        angle = np.arccos(np.clip(cov12 / scale, -1.0, 1.0))

        def in_angle(t: np.ndarray) -> np.ndarray:
            return _slope_in_angle(nngp_fn, t, scale, var1, var2)

        real = _continued(in_angle, angle)
        return _complex_or(nngp_fn, (scale * np.cos(angle), var1, var2), real)

    return slope


def _slope_in_angle(
    nngp_fn: Function, angle: np.ndarray, scale: np.ndarray, var1: np.ndarray, var2: np.ndarray
) -> np.ndarray:
    step = np.minimum(0.02, np.minimum(angle, np.pi - angle) / 5)
    by_angle = _central(lambda t: nngp_fn(scale * np.cos(t), var1, var2), angle, step)
    return -by_angle / (scale * np.sin(angle))


def _continued(fn: Function, angle: np.ndarray) -> np.ndarray:
    """fn(angle), continued by a cubic within `edge` of 0 and pi."""
    edge = 0.002
    inside = np.clip(angle, edge, np.pi - edge)
    values = fn(inside)
    near = inside != angle
    if not near.any():
        return values
    low = angle < edge
    u = np.where(low, angle, np.pi - angle) / edge  # 0 at the end, 1 at the edge
    continued = np.zeros_like(values)
    for k in range(4):
        node = edge * (1.0 + k)
        weight = np.ones_like(u)
        for j in range(4):
            if j != k:
                weight *= (u - (1.0 + j)) / (k - j)
        continued += weight * fn(np.where(low, node, np.pi - node))
    return np.where(near, continued, values)


def _central(fn: Function, x: np.ndarray, step: np.ndarray) -> np.ndarray:
    step = (x + step) - x  # what the sum x + step really adds
    total = np.zeros_like(x)
    for offset, weight in zip(_OFFSETS, _WEIGHTS, strict=True):
        total += weight * (np.asarray(fn(x + offset * step)) - np.asarray(fn(x - offset * step)))
    return total / step


def _complex_or(fn: Function, arguments: tuple[np.ndarray, ...], real: np.ndarray) -> np.ndarray:
    """The derivative by the first argument by a complex step where it agrees with `real`, else `real`."""
    first, *others = arguments
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            values = np.asarray(fn(first + 1j * _COMPLEX_STEP, *others))
            if values.dtype.kind != "c" or values.shape != first.shape:
                return real
            exact = values.imag / _COMPLEX_STEP
            agree = np.abs(exact - real) <= _AGREEMENT * (1 + np.abs(real))
    except Exception:  # whatever a caller's function does with complex numbers, the real values stand
        return real
    return np.where(agree, exact, real)
