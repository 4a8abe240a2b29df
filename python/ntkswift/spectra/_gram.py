"""Spectra of kernel matrices on data: their top eigenvalues without the matrix, all of them with it, and labels in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import _checks
from .._arrays import check_array, check_lengths
from .._call import call, double, multiply
from .._config import get_memory_limit
from .._networks import find_layer
from .._norm import euclidean_norm
from ._zonal import KERNELS

_BLOCK_BYTES = 2**26


class GramOperator:
    """The kernel matrix of data as a linear operator: products with it, in blocks of rows that are computed when needed.

    Blocks stay in memory while they fit into half of the memory limit; the others are computed again for each product.

    Parameters
    ----------
    kernel : Layer, kernel_fn or callable
        A network, its `kernel_fn`, or a function ``k(x1, x2)`` of two arrays of points.
    X : array_like of shape (n, d)
        Data.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    block_rows : int, optional
        Rows of a block; as many as 64 MiB hold by default.

    Attributes
    ----------
    shape : tuple of int
        (n, n).
    dtype : dtype
        float64.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> operator = spectra.GramOperator(lambda x, z: x @ z.T, np.eye(3))
    >>> operator.matvec(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """

    dtype = np.dtype(np.float64)

    def __init__(self, kernel: Any, X: Any, *, get: str = "ntk", block_rows: int | None = None) -> None:
        op = "GramOperator"
        self._function = pair_function(kernel, get, op)
        self._X = check_array(X, "X", dtype=np.float64, op=op)
        n = len(self._X)
        self.shape = (n, n)
        rows = max(1, _BLOCK_BYTES // (8 * n))
        self._rows = rows if block_rows is None else _checks.integer(block_rows, op, "block_rows")
        self._kept: dict[int, np.ndarray] = {}
        self._room = get_memory_limit() // 2

    def matvec(self, v: Any) -> np.ndarray:
        """The product of the matrix with a vector of n numbers."""
        vector = check_array(v, "v", ndim=1, dtype=np.float64, op="GramOperator.matvec")
        if len(vector) != self.shape[0]:
            raise ValueError(f"[GramOperator.matvec] v must have {self.shape[0]} elements. Received {len(vector)}.")
        return self._product(vector)

    def _product(self, vector: np.ndarray) -> np.ndarray:
        column, result = double(vector)[:, None], np.empty(len(vector))
        for first in range(0, len(vector), self._rows):
            block = self._block(first)
            result[first : first + len(block)] = multiply(block, column)[:, 0]
        return result

    def _block(self, first: int) -> np.ndarray:
        kept = self._kept.get(first)
        if kept is not None:
            return kept
        block = self._function(self._X[first : first + self._rows], self._X)
        if sum(b.nbytes for b in self._kept.values()) + block.nbytes <= self._room:
            self._kept[first] = block
        return block

    def __repr__(self) -> str:
        return f"GramOperator(shape={self.shape}, {self._rows} rows per block)"


def pair_function(kernel: Any, get: str, op: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """k(x1, x2) as a float64 array, checked for its shape, of a network or of a caller's function."""
    get = _checks.choice(get, op, "get", KERNELS)
    network = find_layer(kernel)
    if network is None and not callable(kernel):
        raise TypeError(
            f"[{op}] kernel must be a stax network, its kernel_fn, or a function k(x1, x2). Received {type(kernel).__name__}."
        )

    def function(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        values = kernel(x1, x2) if network is None else network.kernel_fn(x1, x2, get)
        block = check_array(values, "kernel", dtype=np.float64, op=op)
        if block.shape != (len(x1), len(x2)):
            raise ValueError(
                f"[{op}] kernel must return one value per pair of points, shape {(len(x1), len(x2))}. Received {block.shape}."
            )
        return block

    return function


def gram_matrix(kernel: Any, X: Any, get: str, op: str) -> tuple[np.ndarray, np.ndarray]:
    """The kernel matrix of X and X as an array."""
    points = check_array(X, "X", dtype=np.float64, op=op)
    network = find_layer(kernel)
    if network is not None:
        return network.kernel_fn(points, None, _checks.choice(get, op, "get", KERNELS)), points
    return pair_function(kernel, get, op)(points, points), points


def gram_eigenvalues(
    kernel: Any,
    X: Any = None,
    k: int | None = None,
    *,
    get: str = "ntk",
    vectors: bool = False,
    tolerance: float = 1e-10,
    seed: int = 0,
) -> Any:
    """Eigenvalues of a kernel matrix, largest first: all of them by LAPACK, or the top `k` without the full matrix.

    The top `k` come from Lanczos with full reorthogonalisation and thick restarts on a :class:`GramOperator`; further
    copies of multiple eigenvalues are looked for. Between eigenvalues that differ by less than the tolerance it does
    not distinguish.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable, GramOperator or ndarray of shape (n, n)
        A kernel and `X`, or a matrix or any operator with `shape`, `dtype` and `matvec` alone.
    X : array_like of shape (n, d), optional
        Data.
    k : int, optional
        How many; None means all, which needs the matrix.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    vectors : bool
        Also return the eigenvectors, as rows.
    tolerance : float
        Largest relative error of an eigenvalue of the top `k`.
    seed : int
        Of the random start.

    Returns
    -------
    values : ndarray of shape (n,) or (k,)
    vectors : ndarray of shape (n, n) or (k, n)
        Only with `vectors`.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> spectra.gram_eigenvalues(np.diag([1.0, 3.0, 2.0])).tolist()
    [3.0, 2.0, 1.0]
    >>> spectra.gram_eigenvalues(np.diag([1.0, 3.0, 2.0]), k=1).round(9).tolist()
    [3.0]
    """
    op = "gram_eigenvalues"
    operator, matrix = _operand(kernel, X, get, k is None, op)
    if k is None:
        values, rows = call("eigh", "eigenvalues", matrix, 0.0, True, vectors)
        values = values[::-1].copy()
        return (values, rows[::-1].copy()) if vectors else values
    n = operator.shape[0]
    k = _checks.integer(k, op, "k")
    if k > n:
        raise ValueError(f"[{op}] k must be at most the number of rows, {n}. Received {k}.")
    product = getattr(operator, "_product", None) or (lambda v: np.asarray(operator.matvec(v), dtype=float))
    found, _, rows, _ = call(
        "lanczos",
        "top eigenvalues",
        product,
        n,
        k,
        "largest",
        _checks.tolerance(tolerance, op, "tolerance"),
        vectors,
        vectors,
        True,
        seed=_checks.integer(seed, op, "seed", minimum=0),
    )
    return (found, rows) if vectors else found


def _operand(kernel: Any, X: Any, get: str, whole: bool, op: str) -> tuple[Any, np.ndarray | None]:
    """The operator, or the matrix where all eigenvalues are wanted."""
    if X is not None:
        if whole:
            return None, gram_matrix(kernel, X, get, op)[0]
        return GramOperator(kernel, X, get=get), None
    if hasattr(kernel, "matvec") and hasattr(kernel, "shape"):
        if not whole:
            return kernel, None
        n = kernel.shape[0]
        return None, np.stack([np.asarray(kernel.matvec(e), dtype=float) for e in np.eye(n)])
    if callable(kernel) or find_layer(kernel) is not None:
        raise ValueError(f"[{op}] X must be given with a kernel. Received None.")
    matrix = double(square_matrix(kernel, "kernel", op))
    return (None, matrix) if whole else (_Matrix(matrix), None)


class _Matrix:
    """A matrix in memory as an operator."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.shape, self.dtype, self._matrix = matrix.shape, matrix.dtype, matrix

    def matvec(self, v: np.ndarray) -> np.ndarray:
        return multiply(self._matrix, double(v)[:, None])[:, 0]


def square_matrix(value: Any, name: str, op: str) -> np.ndarray:
    """A square, finite, symmetric matrix."""
    matrix = check_array(value, name, dtype=np.float64, op=op)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"[{op}] {name} must be square. Received shape {matrix.shape}.")
    if np.abs(matrix - matrix.T).max() > 1e-8 * np.abs(matrix).max():
        raise ValueError(f"[{op}] {name} must be symmetric. Received a matrix that differs from its transpose.")
    return matrix


def effective_dimension(eigenvalues: Any, ridge: float) -> float:
    """Degrees of freedom of kernel ridge regression: the sum of ``value / (value + ridge)`` over the eigenvalues.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Of the kernel matrix; those below 0 count as 0.
    ridge : float
        Above 0.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> spectra.effective_dimension([1.0, 1.0, 0.0], 1.0)
    1.0
    """
    op = "effective_dimension"
    values = check_array(eigenvalues, "eigenvalues", ndim=1, dtype=np.float64, op=op)
    ridge = _checks.real(ridge, op, "ridge", above=0)
    positive = np.maximum(values, 0.0)
    return float(np.sum(positive / (positive + ridge)))


def kernel_alignment(kernel: Any, y: Any, *, centered: bool = True) -> float:
    """Alignment of a kernel matrix with labels: the cosine between it and ``y y^T`` as vectors, both centred.

    1 where the kernel is ``y y^T`` up to scale. (Kernel-target alignment, as Cortes, Mohri & Rostamizadeh centre it,
    arXiv:1203.0550.)

    Parameters
    ----------
    kernel : array_like of shape (n, n)
        Symmetric.
    y : array_like of shape (n,) or (n, outputs)
        Labels or targets; of several outputs the matrices add up.
    centered : bool
        Subtract the means of the features behind both matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> y = np.array([1.0, -1.0, 1.0, -1.0])
    >>> round(spectra.kernel_alignment(np.outer(y, y), y), 12)
    1.0
    """
    op = "kernel_alignment"
    matrix = square_matrix(kernel, "kernel", op)
    targets = double(check_array(y, "y", ndim=(1, 2), dtype=np.float64, op=op))
    check_lengths(matrix, targets, ("kernel", "y"), op=op)
    targets = targets.reshape(len(targets), -1)
    if centered:
        means = matrix.mean(axis=0)
        matrix = matrix - means - means[:, None] + means.mean()
        targets = targets - targets.mean(axis=0)
    inner = float(np.sum(multiply(double(matrix), double(targets)) * targets))
    outer = multiply(double(targets.T), double(targets))
    size = euclidean_norm(matrix) * euclidean_norm(outer)
    if size == 0:
        raise ValueError(f"[{op}] kernel and y must vary. Received constants.")
    return inner / size


class LabelAlignment(NamedTuple):
    """Where labels lie among the eigenvectors of a kernel matrix.

    Attributes
    ----------
    energies : ndarray of shape (k,)
        Share of the labels' squared norm along each eigenvector, in the order given.
    cumulative : ndarray of shape (k,)
        Sums of these from the first on.
    """

    energies: np.ndarray
    cumulative: np.ndarray


def label_alignment(vectors: Any, y: Any) -> LabelAlignment:
    """Share of the labels along each eigenvector of a kernel matrix: high in few top ones where the kernel suits them.

    Parameters
    ----------
    vectors : array_like of shape (k, n)
        Orthonormal eigenvectors as rows, as `gram_eigenvalues(..., vectors=True)` returns them.
    y : array_like of shape (n,) or (n, outputs)
        Labels or targets, not all 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> spectra.label_alignment(np.eye(3), [3.0, 4.0, 0.0]).cumulative.round(2).tolist()
    [0.36, 1.0, 1.0]
    """
    op = "label_alignment"
    rows = check_array(vectors, "vectors", dtype=np.float64, op=op)
    targets = check_array(y, "y", ndim=(1, 2), dtype=np.float64, op=op)
    if len(targets) != rows.shape[1]:
        raise ValueError(f"[{op}] y must have {rows.shape[1]} elements, as the vectors do. Received {len(targets)}.")
    columns = double(targets.reshape(len(targets), -1))
    total = float(np.sum(columns**2))
    if total == 0:
        raise ValueError(f"[{op}] y must not be 0 everywhere. Received zeros.")
    energies = np.sum(multiply(double(rows), columns) ** 2, axis=1) / total
    return LabelAlignment(energies, np.cumsum(energies))
