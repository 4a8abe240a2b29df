"""The kernel matrix of data as an operator, computed by blocks where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _checks, _core
from .._arrays import check_array
from .._config import get_memory_limit
from .._networks import find_layer
from ..stax import Layer
from ._base import SymmetricOperator


class KernelOperator(SymmetricOperator):
    """The kernel matrix of data, plus a ridge on its diagonal, without making the matrix.

    Products are computed panel by panel: the rows of a panel from the diagonal on, used for both sides of the symmetric
    matrix. Panels stay in memory while they fit into `store` bytes (the whole matrix takes half of n^2 numbers); the others
    are computed again for each product. Bits depend neither on that nor on threads.

    Parameters
    ----------
    kernel : Layer, kernel_fn or callable
        A network, its `kernel_fn`, or a function ``k(x1, x2)`` of two arrays of points.
    X : array_like of shape (n, d)
        Data.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    ridge : float or array_like of shape (n,), default=0.0
        Added to the diagonal, 0 or more; one number, or one for each row.
    store : int, optional
        Bytes of panels that may be kept; 0: none. None: half of the memory limit.

    Attributes
    ----------
    shape : (n, n)
    dtype : dtype
        float64.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import operators
    >>> operator = operators.KernelOperator(lambda x, z: x @ z.T, np.eye(3), ridge=1.0)
    >>> operator.matvec(np.array([1.0, 2.0, 3.0])).tolist()
    [2.0, 4.0, 6.0]
    """

    def __init__(self, kernel: Any, X: Any, *, get: str = "ntk", ridge: Any = 0.0, store: int | None = None) -> None:
        op = "KernelOperator"
        get, network = _checks.choice(get, op, "get", ("ntk", "nngp")), _network_of(kernel, op)
        shift = _checks.real(ridge, op, "ridge", minimum=0) if np.ndim(ridge) == 0 else 0.0
        bytes_kept = get_memory_limit() // 2 if store is None else _checks.integer(store, op, "store", minimum=0)
        if network is None:
            core = _core.SymmetricOperator.blocks(*_python_blocks(kernel, X, op), shift, bytes_kept)
        else:
            points = check_array(X, "X", ndim=None, dtype=np.float64, op=op)
            if points.ndim > 2 and network._starts_with_flatten():
                points = points.reshape(len(points), -1)
            # One row says what is wrong with a network before the first product does.
            if network.kernel_fn(points[:1], None, get).shape != (1, 1):
                raise ValueError(f"[{op}] the network must give one output per input. Received {kernel!r}.")
            core = _core.SymmetricOperator.kernel(network._compiled, points, get == "ntk", shift, bytes_kept)
        if np.ndim(ridge) > 0:
            core.shift_by(_ridges(ridge, core.dimension, op))
        super().__init__(core)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the panels that are kept: 0 before the first product."""
        return self.core.stored_bytes


def kernel_matrix(
    kernel: Any,
    X: Any,
    *,
    get: str = "ntk",
    memory_limit: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """The kernel matrix of data as an array, of a network or of a function ``k(x1, x2)``.

    Parameters
    ----------
    kernel, X, get
        As in `KernelOperator`.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import operators
    >>> operators.kernel_matrix(lambda x, z: x @ z.T, np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    op = "kernel_matrix"
    get, network = _checks.choice(get, op, "get", ("ntk", "nngp")), _network_of(kernel, op)
    points = check_array(X, "X", dtype=np.float64, op=op)
    if network is not None:
        return network.kernel_fn(points, None, get, memory_limit=memory_limit, progress=progress)
    return _values(kernel, points, points, op)


def _network_of(kernel: Any, op: str) -> Layer | None:
    """The layer tree behind a network, a `kernel_fn` or a triple; None for other functions, TypeError for what is none."""
    network = find_layer(kernel)
    if network is None and not callable(kernel):
        raise TypeError(
            f"[{op}] kernel must be a stax network, its kernel_fn, or a function k(x1, x2). Received {type(kernel).__name__}."
        )
    return network


def _ridges(ridge: Any, count: int, op: str) -> np.ndarray:
    """One number for each row, as a column."""
    numbers = check_array(ridge, "ridge", ndim=1, dtype=np.float64, op=op)
    if len(numbers) != count or (numbers < 0).any():
        raise ValueError(
            f"[{op}] ridge must be a number of at least 0, or {count} of them, one for each row. "
            f"Received {len(numbers)}, the smallest {numbers.min():g}."
        )
    return np.ascontiguousarray(numbers[:, None])


def _python_blocks(kernel: Callable[..., Any], X: Any, op: str) -> tuple[Callable[..., np.ndarray], int]:
    """The function that gives the core blocks of a Python kernel, and the number of points."""
    points = check_array(X, "X", dtype=np.float64, op=op)

    def block(row: int, rows: int, column: int, columns: int) -> np.ndarray:
        return _values(kernel, points[row : row + rows], points[column : column + columns], op)

    return block, len(points)


def _values(kernel: Callable[..., Any], x1: np.ndarray, x2: np.ndarray, op: str) -> np.ndarray:
    block = check_array(kernel(x1, x2), "kernel", dtype=np.float64, op=op)
    if block.shape != (len(x1), len(x2)):
        raise ValueError(
            f"[{op}] kernel must return one value per pair of points, shape {(len(x1), len(x2))}. Received {block.shape}."
        )
    return block
