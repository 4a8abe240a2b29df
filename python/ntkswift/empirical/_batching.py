"""Kernels computed block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._arrays import check_array
from .._checks import integer


def batch(
    kernel_fn: Callable[..., Any], batch_size: int = 0, device_count: int = -1, store_on_device: bool = True
) -> Callable[..., Any]:
    """`kernel_fn` applied to blocks of inputs, the results put together.

    ntkswift's own kernel functions work in tiles already and do not need it; it is for kernel functions of other
    origin, and for code written for neural-tangents.

    Parameters
    ----------
    kernel_fn : callable
        ``kernel_fn(x1, x2, *args, **kwargs)`` that returns an array with axes (n1, n2, ...), or a namedtuple of such.
    batch_size : int
        Inputs per block; 0 means all at once.
    device_count, store_on_device
        Accepted, and without effect.

    Returns
    -------
    callable
        With the arguments of `kernel_fn`.
    """
    batch_size = integer(batch_size, "batch", "batch_size", minimum=0)
    if batch_size == 0:
        return kernel_fn

    def batched(x1: Any, x2: Any = None, *args: Any, **kwargs: Any) -> Any:
        x1 = check_array(x1, "x1", ndim=None, op="batch")
        x2 = x1 if x2 is None else check_array(x2, "x2", ndim=None, op="batch")
        blocks = [
            [
                kernel_fn(x1[i : i + batch_size], x2[j : j + batch_size], *args, **kwargs)
                for j in range(0, len(x2), batch_size)
            ]
            for i in range(0, len(x1), batch_size)
        ]
        return _joined(blocks)

    return batched


def _joined(blocks: list[list[Any]]) -> Any:
    first = blocks[0][0]
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        parts = [_joined([[cell[k] for cell in row] for row in blocks]) for k in range(len(first))]
        return type(first)(*parts)
    if not isinstance(first, np.ndarray):
        raise TypeError(
            f"[batch] kernel_fn must return arrays or a namedtuple of arrays (give it a `get`). Received {type(first).__name__}."
        )
    return np.concatenate([np.concatenate(row, axis=1) for row in blocks])
