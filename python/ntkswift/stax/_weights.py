"""Weights of finite networks: how they are drawn, and how a caller's nested tuples become one flat vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import check_array
from .._random import standard_normal

DISTRIBUTIONS = ("gaussian", "rademacher", "orthogonal")


class WeightDraws:
    """Random weights with mean 0 and entries of mean square 1.

    "orthogonal" draws blocks of Haar-distributed orthogonal matrices times the root of the larger side (Huang, Du, Xu,
    arXiv:2004.05867), "rademacher" signs; biases are Gaussian in all cases.
    """

    def __init__(self, generator: np.random.Generator, distribution: str = "gaussian") -> None:
        if distribution not in DISTRIBUTIONS:
            raise ValueError(f"[init_fn] distribution must be one of {DISTRIBUTIONS}. Received {distribution!r}.")
        self.generator = generator
        self.distribution = distribution

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Standard normal numbers."""
        return standard_normal(self.generator, shape)

    def weights(self, inputs: int, outputs: int, taps: int = 1) -> np.ndarray:
        """A matrix of taps * inputs rows and `outputs` columns; each tap of an orthogonal convolution is a block."""
        shape = (taps * inputs, outputs)
        if self.distribution == "gaussian":
            return standard_normal(self.generator, shape)
        if self.distribution == "rademacher":
            return self.generator.integers(0, 2, shape).astype(np.float64) * 2 - 1
        return np.concatenate([self._orthogonal(inputs, outputs) for _ in range(taps)])

    def _orthogonal(self, rows: int, cols: int) -> np.ndarray:
        size = max(rows, cols)
        q, r = np.linalg.qr(standard_normal(self.generator, (size, min(rows, cols))))
        q *= np.sign(np.diagonal(r))  # without this the factor is not Haar-distributed
        return size**0.5 * (q if rows >= cols else q.T)


class Gathered:
    """The arrays of nested parameters in the order of the core's flat vector, each checked against its layer."""

    def __init__(self, op: str) -> None:
        self.op = op
        self.arrays: list[np.ndarray] = []

    def vector(self) -> np.ndarray:
        """All of them, one after the other."""
        return np.concatenate([array.ravel() for array in self.arrays]) if self.arrays else np.empty(0)

    def nothing(self, params: Any, where: str, layer: str) -> None:
        """Refuses weights for a layer that has none."""
        if not (isinstance(params, (tuple, list)) and not params):
            raise ValueError(f"[{self.op}] {where}: {layer} has no parameters, so () is needed. Received {params!r}.")

    def entries(self, params: Any, where: str, count: int, layer: str) -> Sequence[Any]:
        """The parameters of `count` layers."""
        if not isinstance(params, (tuple, list)) or len(params) != count:
            got = f"{len(params)}" if isinstance(params, (tuple, list)) else type(params).__name__
            raise ValueError(
                f"[{self.op}] {where} must hold the parameters of the {count} layers of {layer}. Received {got}."
            )
        return params

    def pair(self, params: Any, where: str, shape: tuple[int, ...], has_bias: bool, layer: str) -> None:
        """Weights of a shape and a bias with as many entries as that has columns."""
        if not isinstance(params, (tuple, list)) or len(params) != 2:
            raise ValueError(
                f"[{self.op}] {where} must be the pair (W, b) of {layer}. Received {type(params).__name__}."
            )
        weights, bias = params
        if (bias is None) == has_bias:
            wanted = "an array" if has_bias else "None (b_std is None)"
            raise ValueError(f"[{self.op}] {where}[1], the bias, must be {wanted}. Received {type(bias).__name__}.")
        self.array(weights, f"{where}[0]", shape)
        if bias is not None:
            self.array(bias, f"{where}[1]", (shape[-1],))

    def array(self, value: Any, where: str, shape: tuple[int, ...]) -> None:
        """One array; axes of length one may be more or fewer."""
        array = check_array(value, where, ndim=None, dtype=np.float64, op=self.op)
        if tuple(n for n in array.shape if n != 1) != tuple(n for n in shape if n != 1):
            raise ValueError(f"[{self.op}] {where} must have shape {shape}. Received {array.shape}.")
        self.arrays.append(array)


def unflatten(vector: np.ndarray, like: Any) -> Any:
    """`vector` cut and shaped like the nested parameters `like` (views, not copies)."""
    return _cut(vector, 0, like)[0]


def _cut(vector: np.ndarray, start: int, like: Any) -> tuple[Any, int]:
    """What stands from `start` on, and where it ends."""
    # Not a closure that calls itself: it would hold the vector until the next garbage collection.
    if like is None:
        return None, start
    if isinstance(like, (tuple, list)):
        parts = []
        for own in like:
            part, start = _cut(vector, start, own)
            parts.append(part)
        return type(like)(parts), start
    array = np.asarray(like)
    stop = start + array.size
    return vector[start:stop].reshape(array.shape), stop
