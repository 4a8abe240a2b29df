"""What all operators share: products, rows and diagonal by the core, in the shapes of NumPy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._call import Progress, Resources, allowing


class SymmetricOperator:
    """A symmetric matrix that is known by what it does.

    `KernelOperator`, `Dense`, `GradientCovariance` and the curvature operators of `ntkswift.curvature` are such; `as_operator`
    makes one of any object with ``shape`` and ``matvec``. It has the protocol of SciPy's ``LinearOperator``.

    Attributes
    ----------
    shape : (n, n)
    dtype : dtype
        float64.
    core : object
        The operator as the core sees it: where it runs without coming back to Python between products.
    """

    dtype = np.dtype(np.float64)
    ndim = 2
    # An array on the left leaves the product to `__rmatmul__`.
    __array_ufunc__ = None

    def __init__(self, core: _core.SymmetricOperator) -> None:
        self.core = core
        self.shape = (core.dimension, core.dimension)

    def matvec(self, v: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """The product with a vector of `shape[1]` numbers; a column of shape (n, 1) gives one."""
        op = self._name("matvec")
        vector = check_array(v, "v", ndim=(1, 2), dtype=np.float64, op=op)
        if vector.ndim == 2 and vector.shape[1] != 1:
            raise ValueError(f"[{op}] v must be one vector (matmat takes more). Received shape {vector.shape}.")
        if len(vector) != self.shape[1]:
            raise ValueError(f"[{op}] v must have {self.shape[1]} elements. Received shape {vector.shape}.")
        return self.matmat(vector.reshape(-1, 1), memory_limit=memory_limit, progress=progress).reshape(vector.shape)

    def matmat(self, V: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """The product with the columns of a matrix of `shape[1]` rows, one block of products."""
        op = self._name("matmat")
        columns = check_array(V, "V", dtype=np.float64, op=op)
        if columns.shape[0] != self.shape[1]:
            raise ValueError(f"[{op}] V must have {self.shape[1]} elements per column. Received shape {columns.shape}.")
        return self._run("multiply", np.ascontiguousarray(columns.T), memory_limit=memory_limit, progress=progress).T

    rmatvec = matvec
    rmatmat = matmat

    def rows(self, indices: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """The rows (columns, too) of the given numbers, from 0 on: an array of shape (number of indices, n)."""
        op = self._name("rows")
        wanted = np.asarray(indices)
        if wanted.shape == (0,):
            return np.empty((0, self.shape[1]))
        if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
            raise TypeError(f"[{op}] indices must be a list of integers. Received {indices!r}.")
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.shape[0]:
            raise ValueError(
                f"[{op}] indices must be between 0 and {self.shape[0] - 1}. Received {wanted.min()} to {wanted.max()}."
            )
        return self._run("rows", wanted.tolist(), memory_limit=memory_limit, progress=progress)

    def diagonal(self, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """The n numbers on the diagonal."""
        return self._run("diagonal", memory_limit=memory_limit, progress=progress)

    def __matmul__(self, other: Any) -> np.ndarray:
        return self.matvec(other) if np.ndim(other) == 1 else self.matmat(other)

    def __rmatmul__(self, other: Any) -> np.ndarray:
        return self.matvec(other) if np.ndim(other) == 1 else self.matmat(np.transpose(other)).T

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"

    def _name(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _run(self, method: str, *arguments: Any, memory_limit: Any, progress: Any) -> np.ndarray:
        with allowing(Resources(memory_limit=memory_limit, progress=progress)):
            result: np.ndarray = Resources().run_method(self.core, method, self._name(method), *arguments)
        return result
