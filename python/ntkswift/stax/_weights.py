"""Weights of finite networks: how they are drawn, and how a caller's nested tuples become one flat vector."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import check_array

if TYPE_CHECKING:
    from .._core import ParameterSlot
    from ._base import Layer

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

    def array(self, slot: ParameterSlot) -> np.ndarray:
        """The start of one array of parameters; scales start at 1, shifts at 0."""
        if slot.role == "scale":
            return np.ones(slot.shape)
        if slot.role == "shift":
            return np.zeros(slot.shape)
        numbers = self._weights(slot.shape) if slot.role == "weight" else self.generator.standard_normal(slot.shape)
        if slot.initial_deviation != 1:
            numbers *= slot.initial_deviation
        return numbers

    def _weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Weights of shape (window, inputs, outputs); at each place of an orthogonal convolution's window is a block."""
        if self.distribution == "gaussian":
            return self.generator.standard_normal(shape)
        if self.distribution == "rademacher":
            return self.generator.integers(0, 2, shape).astype(np.float64) * 2 - 1
        *window, inputs, outputs = shape
        return np.concatenate([self._orthogonal(inputs, outputs) for _ in range(prod(window))]).reshape(shape)

    def _orthogonal(self, rows: int, cols: int) -> np.ndarray:
        size = max(rows, cols)
        q, r = np.linalg.qr(self.generator.standard_normal((size, min(rows, cols))))
        q *= np.sign(np.diagonal(r))  # without this the factor is not Haar-distributed
        return size**0.5 * (q if rows >= cols else q.T)


def draw(layer: Layer, slots: Sequence[ParameterSlot], draws: WeightDraws) -> Any:
    """Random parameters for `layer` as nested tuples: one entry per layer of a composition, () for layers without."""
    return _drawn(layer, _Places(slots), draws)


def _drawn(layer: Layer, places: _Places, draws: WeightDraws) -> Any:
    if layer._children is not None:
        return tuple(_drawn(child, places, draws) for child in layer._children)
    slots = places.next()
    arrays = tuple(draws.array(slot) for slot in slots)
    return (*arrays, None) if _lacks_bias(slots) else arrays


def gather(layer: Layer, slots: Sequence[ParameterSlot], params: Any, op: str) -> np.ndarray:
    """The nested parameters of `layer` as the core's flat vector, each array checked against its place."""
    arrays: list[np.ndarray] = []
    _gathered(layer, _Places(slots), params, "params", op, arrays)
    return np.concatenate([array.ravel() for array in arrays]) if arrays else np.empty(0)


def _gathered(layer: Layer, places: _Places, params: Any, where: str, op: str, arrays: list[np.ndarray]) -> None:
    is_sequence, name = isinstance(params, (tuple, list)), type(layer).__name__
    if layer._children is not None:
        count = len(layer._children)
        if not is_sequence or len(params) != count:
            got = f"{len(params)}" if is_sequence else type(params).__name__
            raise ValueError(
                f"[{op}] {where} must hold the parameters of the {count} layers of {name.lower()}. Received {got}."
            )
        for i, (child, own) in enumerate(zip(layer._children, params, strict=True)):
            _gathered(child, places, own, f"{where}[{i}]", op, arrays)
        return
    slots = places.next()
    if not slots:
        if not is_sequence or len(params) != 0:
            raise ValueError(f"[{op}] {where}: {name} has no parameters, so () is needed. Received {params!r}.")
        return
    if not is_sequence or len(params) != 2:
        pair = "(W, b)" if slots[0].role == "weight" else "(scale, shift)"
        raise ValueError(f"[{op}] {where} must be the pair {pair} of {name}. Received {type(params).__name__}.")
    if (params[1] is None) != _lacks_bias(slots):
        wanted = "None (b_std is None)" if _lacks_bias(slots) else "an array"
        raise ValueError(f"[{op}] {where}[1], the bias, must be {wanted}. Received {type(params[1]).__name__}.")
    for i, slot in enumerate(slots):
        arrays.append(_checked(params[i], f"{where}[{i}]", slot.shape, op))


def _checked(value: Any, where: str, shape: tuple[int, ...], op: str) -> np.ndarray:
    """One array of parameters; axes of length one may be more or fewer."""
    array = check_array(value, where, ndim=None, dtype=np.float64, op=op)
    if tuple(n for n in array.shape if n != 1) != tuple(n for n in shape if n != 1):
        raise ValueError(f"[{op}] {where} must have shape {shape}. Received {array.shape}.")
    return array


def _lacks_bias(slots: Sequence[ParameterSlot]) -> bool:
    return [slot.role for slot in slots] == ["weight"]


class _Places:
    """The core's places of parameters, layer by layer in the order of the op table."""

    def __init__(self, slots: Sequence[ParameterSlot]) -> None:
        self._by_layer: dict[int, list[ParameterSlot]] = {}
        for slot in slots:
            self._by_layer.setdefault(slot.layer, []).append(slot)
        self._layer = 0

    def next(self) -> list[ParameterSlot]:
        """Those of the next layer that is not made of others."""
        self._layer += 1
        return self._by_layer.get(self._layer, [])


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
