"""Which output axes of an empirical kernel are averaged over, kept once, or kept for both inputs."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True)
class OutputAxes:
    """Axes of an output (n, ..., channels): `traced` averaged over, `diagonal` kept once, the others kept for both
    inputs. `diagonal_batch`: only pairs of an input with its counterpart.
    """

    shape: tuple[int, ...]
    traced: tuple[int, ...]
    diagonal: tuple[int, ...]
    diagonal_batch: bool

    @property
    def kept(self) -> tuple[int, ...]:
        """Axes that are kept for both inputs."""
        return tuple(a for a in range(len(self.shape)) if a not in self.traced + self.diagonal)

    def order(self) -> tuple[list[int], int, int, int]:
        """The numbers of the outputs as [kept][diagonal][traced], and these three sizes."""
        numbers_ = np.arange(prod(self.shape)).reshape(self.shape).transpose(self.kept + self.diagonal + self.traced)
        sizes = [prod(self.shape[a] for a in axes) for axes in (self.kept, self.diagonal, self.traced)]
        return numbers_.ravel().tolist(), sizes[0], sizes[1], sizes[2]

    def arrange(self, flat: np.ndarray, n1: int, n2: int) -> np.ndarray:
        """A core result (n1 n2) x (kept kept diagonal) with neural-tangents' axes: those of both outputs in turn."""
        kept, diagonal = self.kept, self.diagonal
        sizes = [self.shape[a] for a in kept]
        array = flat.reshape(n1, n2, *sizes, *sizes, *(self.shape[a] for a in diagonal))
        first = {a: 2 + i for i, a in enumerate(kept)}
        second = {a: 2 + len(kept) + i for i, a in enumerate(kept)}
        once = {a: 2 + 2 * len(kept) + i for i, a in enumerate(diagonal)}
        axes = [0, 1]
        for a in range(len(self.shape)):
            axes += [once[a]] if a in once else [first[a], second[a]] if a in first else []
        array = array.transpose(axes)
        return (
            np.diagonal(array, axis1=0, axis2=1).transpose(array.ndim - 2, *range(array.ndim - 2))
            if self.diagonal_batch
            else array
        )


def output_axes(shape: tuple[int, ...], trace_axes: Any, diagonal_axes: Any, op: str) -> OutputAxes:
    """The axes that the arguments `trace_axes` and `diagonal_axes` name, for outputs of `shape` without the batch."""
    rank = len(shape) + 1
    traced = _axes(trace_axes, rank, "trace_axes", op)
    diagonal = _axes(diagonal_axes, rank, "diagonal_axes", op)
    if 0 in traced:
        raise ValueError(f"[{op}] trace_axes must not name the batch axis. Received {trace_axes!r}.")
    if set(traced) & set(diagonal):
        raise ValueError(
            f"[{op}] trace_axes and diagonal_axes must not share an axis. Received {trace_axes!r} and {diagonal_axes!r}."
        )
    return OutputAxes(
        shape, tuple(a - 1 for a in traced), tuple(a - 1 for a in diagonal if a != 0), diagonal_batch=0 in diagonal
    )


def _axes(value: Any, rank: int, name: str, op: str) -> tuple[int, ...]:
    axes: Sequence[Any] = (value,) if isinstance(value, numbers.Integral) else value
    if isinstance(axes, str) or not all(
        isinstance(a, numbers.Integral) and not isinstance(a, bool) and -rank <= int(a) < rank for a in axes
    ):
        raise ValueError(f"[{op}] {name} must be axes of an output with {rank} axes. Received {value!r}.")
    return tuple(sorted({int(a) % rank for a in axes}))
