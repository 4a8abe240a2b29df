"""Where a network with a bottleneck starts: positions from the inner network, the initial outer function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import call
from .._networks import kernel_function

# Kernels between two sets of points, by name: "nngp" or "ntk".
InnerKernel = Callable[[np.ndarray, "np.ndarray | None", str], np.ndarray]


def inner_kernel(inner: Any, op: str) -> InnerKernel:
    """The kernel function of `inner`, a stax network, a triple of one, or any ``kernel_fn(x1, x2, get)``."""
    function = kernel_function(inner, op, "inner")

    def kernel(x1: np.ndarray, x2: np.ndarray | None, get: str) -> np.ndarray:
        result = check_array(function(x1, x2, get), "the inner kernel", ndim=2, dtype=np.float64, op=op)
        shape = (len(x1), len(x1 if x2 is None else x2))
        if result.shape != shape:
            raise ValueError(f"[{op}] the inner kernel must have shape {shape}. Received {result.shape}.")
        return np.ascontiguousarray(result)

    return kernel


def lower_factor(nngp: np.ndarray) -> np.ndarray:
    """Cholesky factor, with jitter where the kernel is singular to working precision (equal points)."""
    return call("cholesky", "positions", nngp, 0.0, False)[0]


def draw_positions(kernel: InnerKernel, points: np.ndarray, units: int, random: np.random.Generator) -> np.ndarray:
    """z_0 at all points: `units` draws of the inner Gaussian process. Earlier rows do not depend on later ones."""
    normals = random.standard_normal((len(points), units))
    return lower_factor(kernel(points, None, "nngp")) @ normals


def continue_positions(
    kernel: InnerKernel, known: np.ndarray, positions: np.ndarray, new: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """z_0 at new points, drawn given those at known ones."""
    factor = lower_factor(kernel(known, None, "nngp"))
    cross = kernel(new, known, "nngp")
    mean = cross @ call("solve", "positions", factor, np.ascontiguousarray(positions))
    covariance = call("posterior_covariance", "positions", factor, cross, kernel(new, None, "nngp"))
    return mean + lower_factor(covariance) @ random.standard_normal(mean.shape)


def outer_start(
    initial: Any, centred: bool, key: tuple[int, int], width: int, outputs: int, units: int, op: str
) -> dict[str, Any]:
    """The initial outer function as the core takes it (see `Start` in bottleneck.cpp)."""
    if initial is None:
        return {"kind": "zero"} if centred else {"kind": "draw", "key": key, "width": width}
    if centred:
        raise ValueError(f"[{op}] initial must be None where centred=True. Received {type(initial).__name__}.")
    if callable(initial):
        return {"kind": "function", "function": initial}
    return {"kind": "weights", **_weights(initial, outputs, units, op)}


def _weights(params: Any, outputs: int, units: int, op: str) -> dict[str, Any]:
    """Weights of a network with one hidden layer from the parameters that its `init_fn` drew."""
    given = params if isinstance(params, (tuple, list)) else ()
    layers = [own for own in given if isinstance(own, (tuple, list)) and len(own)]
    if len(layers) != 2:
        raise ValueError(
            f"[{op}] initial must be None, a function of positions, or the parameters of an outer network with one hidden "
            f"layer. Received {type(params).__name__}."
        )
    result: dict[str, Any] = {}
    for own, weight, bias in zip(layers, ("hidden", "readout"), ("hidden_bias", "output_bias"), strict=True):
        result[weight] = np.ascontiguousarray(check_array(own[0], weight, ndim=2, dtype=np.float64, op=op))
        result[bias] = None
        if len(own) > 1 and own[1] is not None:
            values = check_array(np.ravel(own[1]), bias, ndim=1, dtype=np.float64, op=op)
            result[bias] = np.ascontiguousarray(values)
    if result["hidden"].shape[0] != units or result["readout"].shape[1] != outputs:
        raise ValueError(
            f"[{op}] initial weights must map {units} units to {outputs} outputs. Received shapes "
            f"{result['hidden'].shape} and {result['readout'].shape}."
        )
    return result
