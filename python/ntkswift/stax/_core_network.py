"""Finite networks as the core sees them: a layer tree, one shape of inputs, one flat vector of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._call import Resources
from ._weights import gather, unflatten

if TYPE_CHECKING:
    from ._base import Layer


@dataclass(frozen=True)
class FiniteNetwork:
    """A network for inputs of one shape: outputs and derivatives as functions of a flat vector of parameters.

    `shape` is that of one input, without the batch.
    """

    layer: Layer
    shape: tuple[int, ...]
    op: str

    @cached_property
    def core(self) -> Any:
        """The core's network."""
        return _core_network(self.layer, self.shape)

    @property
    def parameter_count(self) -> int:
        """Length of the flat vector."""
        return self.core.parameter_count

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of one output, without the batch."""
        height, width, channels = self.core.output_shape
        return ((), (height,), (height, width))[self.core.output_spatial_axes] + (channels,)

    def vector(self, params: Any) -> np.ndarray:
        """Nested parameters as one flat vector, each checked against its layer."""
        return gather(self.layer, _slots(self.layer, self.shape), params, self.op)

    def nested(self, vector: np.ndarray, like: Any) -> Any:
        """A flat vector shaped like nested parameters."""
        return unflatten(vector, like)

    def rows(self, x: Any, name: str) -> np.ndarray:
        """Inputs as a float64 matrix with one row per input."""
        array = check_array(x, name, ndim=None, dtype=np.float64, op=self.op)
        if array.shape[1:] != self.shape:
            raise ValueError(
                f"[{self.op}] {name} must hold inputs of shape {self.shape}. Received an array of shape {array.shape}."
            )
        return array.reshape(len(array), -1)

    def targets(self, y: Any, count: int, name: str) -> np.ndarray:
        """Targets or cotangents as a matrix with one row per output of `count` inputs."""
        array = check_array(y, name, ndim=None, dtype=np.float64, op=self.op)
        wanted = (count * self.core.output_blocks, *self.output_shape)
        if array.shape != wanted and not (array.ndim == 1 and (*array.shape, 1) == wanted):
            raise ValueError(f"[{self.op}] {name} must have shape {wanted}. Received {array.shape}.")
        return array.reshape(wanted[0], -1)

    def outputs(self, flat: np.ndarray) -> np.ndarray:
        """A matrix of outputs in the shape that callers know."""
        return flat.reshape(len(flat), *self.output_shape)

    def call(self, name: str, *arguments: Any, resources: Resources | None = None, **keywords: Any) -> Any:
        """A method of the core's network, with threads, memory limit and progress."""
        return (resources or Resources()).run_method(self.core, name, self.op, *arguments, **keywords)


def finite_network(layer: Layer, shape: tuple[int, ...], op: str) -> FiniteNetwork:
    """The finite network of `layer` for inputs of `shape` (without the batch); ValueError where they do not fit."""
    if len(shape) > 3 and layer._starts_with_flatten():
        raise ValueError(f"[{op}] inputs may have up to two spatial axes. Received inputs of shape {shape}.")
    if not 1 <= len(shape) <= 3 or any(n < 1 for n in shape):
        raise ValueError(
            f"[{op}] inputs must be (batch, features), (batch, length, channels) or (batch, height, width, channels). "
            f"Received inputs of shape {shape}."
        )
    network = FiniteNetwork(layer, tuple(int(n) for n in shape), op)
    _ = network.core  # made now, so that layers which do not fit are an error here
    return network


@lru_cache(maxsize=256)
def _core_network(layer: Layer, shape: tuple[int, ...]) -> Any:
    sizes = (1, 1, 1) + shape
    height, width = {1: (1, 1), 2: (sizes[-2], 1), 3: (sizes[-3], sizes[-2])}[len(shape)]
    return _core.Network(layer._compiled, (height, width, shape[-1]), len(shape) - 1)


@lru_cache(maxsize=256)
def _slots(layer: Layer, shape: tuple[int, ...]) -> Any:
    return layer._compiled.parameters([shape], False)[2]
