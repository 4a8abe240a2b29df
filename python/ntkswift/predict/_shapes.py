"""Kernels and targets with any axes, as the matrices that the core computes with.

A kernel has its axes in pairs, (n1, n2, a1, a2, ...), and becomes the matrix with rows (n1, a1, ...) and columns (n2,
a2, ...). Targets become a matrix with one row for each kernel row and one column for each element along `trace_axes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import check_array
from .._kernel_matrix import check_gram


def check_kernel(kernel: Any, name: str, op: str, *, square: bool = False, is_gram: bool = False) -> np.ndarray:
    """A kernel as a finite float array with an even number of axes; `is_gram`: of inputs with themselves, see `check_gram`."""
    array = check_array(kernel, name, ndim=None, op=op)
    if array.ndim == 0 or array.ndim % 2:
        raise ValueError(
            f"[{op}] {name} must have its axes in pairs, as (n1, n2). Received an array of shape {array.shape}."
        )
    if (square or is_gram) and array.shape[::2] != array.shape[1::2]:
        raise ValueError(f"[{op}] {name} must be square. Received an array of shape {array.shape}.")
    if is_gram:
        check_gram(as_matrix(array), name, op)
    return array


def as_matrix(kernel: np.ndarray) -> np.ndarray:
    """(n1, n2, a1, a2, ...) as (n1 a1 ..., n2 a2 ...)."""
    if kernel.ndim == 2:
        return kernel
    rows = tuple(range(0, kernel.ndim, 2))
    columns = tuple(range(1, kernel.ndim, 2))
    return kernel.transpose(rows + columns).reshape(math.prod(kernel.shape[::2]), math.prod(kernel.shape[1::2]))


def as_kernel(matrix: np.ndarray, rows: tuple[int, ...], leading: tuple[int, ...] = ()) -> np.ndarray:
    """(leading..., rows, rows) with the axes of rows in pairs."""
    array = matrix.reshape(leading + rows + rows)
    first, count = len(leading), len(rows)
    pairs = [axis for k in range(count) for axis in (first + k, first + count + k)]
    return array.transpose(*range(first), *pairs)


class Targets:
    """Training targets, and the way from matrices back to outputs of their layout."""

    def __init__(
        self,
        y: Any,
        trace_axes: int | Sequence[int],
        kernel_rows: tuple[int, ...],
        op: str,
        names: tuple[str, str] = ("y_train", "k_train_train"),
    ) -> None:
        self.op = op
        name, kernel_name = names
        self.array = check_array(y, name, ndim=None, op=op)
        if self.array.ndim == 0:
            raise ValueError(f"[{op}] {name} must have at least one axis. Received a number.")
        axes = _negative_axes(trace_axes, self.array.ndim, name, op)
        # The one axis of (n,) is that of the points: one output, without an axis of its own.
        self.trace_axes = axes if self.array.ndim > 1 else ()
        self.trace_shape = tuple(self.array.shape[axis] for axis in self.trace_axes)
        self.rows = tuple(n for axis, n in enumerate(self.array.shape) if axis - self.array.ndim not in self.trace_axes)
        if self.rows != kernel_rows:
            raise ValueError(
                f"[{op}] {kernel_name} must have the axes of {name} without trace_axes, twice each: {self.rows}. "
                f"Received a kernel with {kernel_rows} for {name} of shape {self.array.shape} and "
                f"trace_axes={trace_axes!r}."
            )

    @property
    def size(self) -> int:
        """Number of outputs, by which a mean loss divides."""
        return self.array.size

    def matrix(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs of the targets' layout as a contiguous float64 matrix (kernel rows, traced outputs)."""
        moved = np.moveaxis(outputs, self.trace_axes, range(-len(self.trace_axes), 0)) if self.trace_axes else outputs
        return np.ascontiguousarray(moved.reshape(-1, math.prod(self.trace_shape)), dtype=np.float64)

    def outputs(self, matrix: np.ndarray, rows: tuple[int, ...], leading: tuple[int, ...] = ()) -> np.ndarray:
        """A matrix (leading..., kernel rows, traced outputs) as outputs of the targets' layout."""
        array = matrix.reshape(leading + rows + self.trace_shape)
        return np.moveaxis(array, range(-len(self.trace_axes), 0), self.trace_axes) if self.trace_axes else array

    def output_shape(self, rows: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the outputs at points with these kernel rows."""
        return self.outputs(np.broadcast_to(0.0, rows + self.trace_shape), rows).shape

    def cross_kernel(self, kernel: Any, name: str = "k_test_train") -> tuple[np.ndarray, tuple[int, ...]]:
        """A test-train kernel as a float64 matrix, and the axes of its rows."""
        array = check_kernel(kernel, name, self.op)
        if array.shape[1::2] != self.rows:
            raise ValueError(
                f"[{self.op}] {name} must have the training points {self.rows} as its second axes. "
                f"Received an array of shape {array.shape}."
            )
        return np.ascontiguousarray(as_matrix(array), np.float64), array.shape[::2]

    def initial(self, value: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Initial outputs, a number or an array, broadcast to `shape`."""
        array = check_array(value, name, ndim=None, dtype=np.float64, op=self.op)
        try:
            return np.broadcast_to(array, shape)
        except ValueError:
            raise ValueError(
                f"[{self.op}] {name} must be a number or have shape {shape}. Received an array of shape {array.shape}."
            ) from None


def check_times(t: Any, op: str) -> np.ndarray:
    """Times as a float64 array of any shape: at least 0, infinity allowed."""
    times = check_array(t, "t", ndim=None, dtype=np.float64, finite=False, min_rows=0, min_cols=0, op=op)
    bad = ~(times >= 0)
    if bad.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), times.shape))
        raise ValueError(f"[{op}] t must hold times of at least 0. Received {times[index]} at index {index}.")
    return times


def _negative_axes(axes: int | Sequence[int], ndim: int, name: str, op: str) -> tuple[int, ...]:
    given = (axes,) if isinstance(axes, (int, np.integer)) else tuple(axes)
    if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) or not -ndim <= a < ndim for a in given):
        raise ValueError(f"[{op}] trace_axes must be axes of {name}, which has {ndim}. Received {axes!r}.")
    negative = tuple(sorted(int(a) % ndim - ndim for a in given))
    if len(set(negative)) != len(negative):
        raise ValueError(f"[{op}] trace_axes must name each axis once. Received {axes!r}.")
    return negative
