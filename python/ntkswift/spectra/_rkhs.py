"""Norms of functions in a kernel's space, and the energy that functions have in each frequency."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _checks
from .._arrays import check_array, check_lengths
from .._call import Progress, call, double, takes_resources
from .._kernel_matrix import factor
from .._norm import euclidean_norm
from ..operators import kernel_matrix
from . import _domain
from ._sphere import double_eigenvalues, multiplicity
from ._zonal import as_zonal


@takes_resources()
def zonal_energies(
    function: Any,
    dimension: int,
    max_frequency: int = 100,
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Energy per frequency of the function ``x -> g(angle between x and a fixed point)`` on S^(d-1).

    Parameters
    ----------
    function : callable or ZonalKernel
        g as a vectorised function of the cosine, or a `ZonalKernel` with `of="angle"`.
    dimension : int
        d of the sphere.
    max_frequency : int
        The largest frequency.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (max_frequency + 1,)
        ``N(d, k) g_k^2`` with the Funk-Hecke coefficients g_k; they add up to the mean square of the function.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> spectra.zonal_energies(lambda cosine: cosine, 3, 2).round(6).tolist()
    [0.0, 0.333333, 0.0]
    """
    op = "zonal_energies"
    zonal, d = as_zonal(function), _domain.dimension(dimension, op)
    top = _domain.frequency(max_frequency, op)
    coefficients, _, _ = double_eigenvalues(zonal, d, top)
    counts = np.array([float(multiplicity(d, k)) for k in range(top + 1)])
    return counts * coefficients**2


@takes_resources()
def frequency_energies(
    X: Any, y: Any, max_frequency: int = 20, *, memory_limit: int | None = None, progress: Progress | None = None
) -> np.ndarray:
    """Energy per frequency of a function on the sphere, estimated from its values at independent uniform points.

    The mean of ``N(d, k) y_i y_j P_k(x_i . x_j)`` over pairs of different points: unbiased, so it may fall below 0 where
    there is little energy. Its standard error is of the order of ``sqrt(N(d, k)) mean(y^2) / n``.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Points of any norm but 0; their directions count.
    y : array_like of shape (n,)
        Values.
    max_frequency : int
        The largest frequency.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (max_frequency + 1,)

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra
    >>> X = np.random.default_rng(0).standard_normal((2000, 3))
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> spectra.frequency_energies(X, X[:, 0], 2).round(2).tolist()  # x_1 has frequency 1 and mean square 1/3
    [0.0, 0.35, -0.0]
    """
    op = "frequency_energies"
    points = double(check_array(X, "X", dtype=np.float64, min_rows=2, min_cols=2, op=op))
    values = check_array(y, "y", ndim=1, dtype=np.float64, op=op)
    check_lengths(points, values, ("X", "y"), op=op)
    top = _domain.frequency(max_frequency, op)
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    if not (norms > 0).all():
        raise ValueError(f"[{op}] X must have no zero rows. Received one in row {int(np.argmin(norms))}.")
    return call("frequency_energies", "energies", points / norms, double(values), top + 1)


@takes_resources(phases=3)
def interpolant_norm(
    kernel: Any,
    X: Any,
    y: Any,
    *,
    get: str = "ntk",
    ridge: float = 0.0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> float:
    """The norm, in the kernel's space, of the smallest function that takes the values y at X: the root of ``y K^-1 y``.

    It grows with every further point towards the norm of the function that is sampled, and beyond all bounds where
    that function is not in the space.

    Parameters
    ----------
    kernel : Layer or kernel_fn
        A network, its `kernel_fn`, or a function ``k(x1, x2)`` of two arrays of points.
    X : array_like of shape (n, d)
        Points.
    y : array_like of shape (n,)
        Values.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    ridge : float
        Added to the diagonal.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import spectra, stax
    >>> float(spectra.interpolant_norm(lambda x, z: x @ z.T + 1, np.eye(2), np.array([1.0, 1.0])).__round__(6))
    0.816497
    """
    op = "interpolant_norm"
    values = check_array(y, "y", ndim=1, dtype=np.float64, op=op)
    gram, points = kernel_matrix(kernel, X, get=get), check_array(X, "X", dtype=np.float64, op=op)
    check_lengths(points, values, ("X", "y"), op=op)
    ridge = _checks.real(ridge, op, "ridge", minimum=0)
    half = call("solve", "solve", factor(gram, ridge, True, op, option="ridge"), double(values[:, None]), 1)
    return euclidean_norm(half)
