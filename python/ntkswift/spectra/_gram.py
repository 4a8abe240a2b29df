"""Spectra of kernel matrices on data: their top eigenvalues without the matrix, all of them with it, and labels in them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _checks
from .._arrays import check_array, check_lengths
from .._call import Progress, Resources, double, multiply, takes_resources
from .._kernel_matrix import check_symmetric
from .._networks import find_layer
from .._norm import euclidean_norm
from ..operators import Dense, KernelOperator, SymmetricOperator, as_operator, kernel_matrix


@takes_resources()
def gram_eigenvalues(
    kernel: Any,
    X: Any = None,
    k: int | None = None,
    *,
    get: str = "ntk",
    vectors: bool = False,
    tolerance: float = 1e-10,
    seed: int = 0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Any:
    """Eigenvalues of a kernel matrix, largest first: all of them by LAPACK, or the top `k` without the full matrix.

    The top `k` come from Lanczos with full reorthogonalisation and thick restarts on a
    :class:`ntkswift.operators.KernelOperator`; further copies of multiple eigenvalues are looked for. Between eigenvalues
    that differ by less than the tolerance it does not distinguish.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable, operator or ndarray of shape (n, n)
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
    memory_limit : int, optional
        Bytes that one step of the computation may allocate; see `ntkswift.memory_limit`.
    progress : callable, optional
        Called with the fraction done of the current step, at most every 50 ms.

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
    resources = Resources()
    if k is None:
        matrix = _matrix(kernel, X, get, resources, op)
        values, rows = resources.run("eigh", "eigenvalues", matrix, 0.0, True, vectors)
        values = values[::-1].copy()
        return (values, rows[::-1].copy()) if vectors else values
    operator = _operator(kernel, X, get, op)
    k = _checks.integer(k, op, "k")
    if k > operator.shape[0]:
        raise ValueError(f"[{op}] k must be at most the number of rows, {operator.shape[0]}. Received {k}.")
    found, _, rows, _ = resources.run_method(
        operator.core,
        "eigen",
        "top eigenvalues",
        k,
        tolerance=_checks.tolerance(tolerance, op, "tolerance"),
        vectors=vectors,
        refines_vectors=vectors,
        finds_multiples=True,
        seed=_checks.integer(seed, op, "seed", minimum=0),
    )
    return (found, rows) if vectors else found


def _operator(kernel: Any, X: Any, get: str, op: str) -> SymmetricOperator:
    """The operator of a kernel on data, of a matrix, or of what is one."""
    if X is not None:
        return KernelOperator(kernel, X, get=get)
    if hasattr(kernel, "matvec") and hasattr(kernel, "shape"):
        return as_operator(kernel, op=op)
    if callable(kernel) or find_layer(kernel) is not None:
        raise ValueError(f"[{op}] X must be given with a kernel. Received None.")
    return Dense(check_symmetric(kernel, "kernel", op=op))


def _matrix(kernel: Any, X: Any, get: str, resources: Resources, op: str) -> np.ndarray:
    """The whole matrix."""
    limit, progress = resources.memory_limit, resources.progress
    if X is not None:
        return kernel_matrix(kernel, X, get=get, memory_limit=limit, progress=progress)
    operator = _operator(kernel, None, get, op)
    return operator.rows(np.arange(operator.shape[0]), memory_limit=limit, progress=progress)


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


@takes_resources(phases=2)
def kernel_alignment(
    kernel: Any, y: Any, *, centered: bool = True, memory_limit: int | None = None, progress: Progress | None = None
) -> float:
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
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> y = np.array([1.0, -1.0, 1.0, -1.0])
    >>> round(spectra.kernel_alignment(np.outer(y, y), y), 12)
    1.0
    """
    op = "kernel_alignment"
    matrix = check_symmetric(kernel, "kernel", op=op, is_kernel=True)
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


@takes_resources()
def label_alignment(
    vectors: Any, y: Any, *, memory_limit: int | None = None, progress: Progress | None = None
) -> LabelAlignment:
    """Share of the labels along each eigenvector of a kernel matrix: high in few top ones where the kernel suits them.

    Parameters
    ----------
    vectors : array_like of shape (k, n)
        Orthonormal eigenvectors as rows, as `gram_eigenvalues(..., vectors=True)` returns them.
    y : array_like of shape (n,) or (n, outputs)
        Labels or targets, not all 0.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

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
