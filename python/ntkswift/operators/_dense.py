"""Operators of arrays: a symmetric matrix, and the covariance of its rows' vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._kernel_matrix import check_symmetric
from ._base import SymmetricOperator


class Dense(SymmetricOperator):
    """A symmetric matrix in memory.

    Parameters
    ----------
    matrix : array_like of shape (n, n)
        Symmetric to 1e-8 of its largest element; read where it lies if it is float64.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import operators
    >>> operators.Dense([[2.0, 1.0], [1.0, 2.0]]) @ np.array([1.0, -1.0])
    array([ 1., -1.])
    """

    def __init__(self, matrix: Any) -> None:
        super().__init__(_core.SymmetricOperator.dense(check_symmetric(matrix, "matrix", op="Dense")))


class GradientCovariance(SymmetricOperator):
    """The covariance of gradients, K = mean (g_i - g)(g_i - g)^T with their mean g, without making K.

    K has as many rows as there are parameters; a product costs two passes over the gradients. For its eigenvalues alone
    `ntkswift.curvature.covariance_spectrum` is faster where there are fewer gradients than parameters.

    Parameters
    ----------
    gradients : array_like of shape (L, parameters)
        One gradient per row, of single inputs or of mini-batches.
    centered : bool, default=True
        Subtract the mean; False: the uncentred mean of g_i g_i^T.

    Examples
    --------
    >>> from ntkswift import operators
    >>> operators.GradientCovariance([[1.0, 0.0], [-1.0, 2.0]]).diagonal()
    array([1., 1.])
    """

    def __init__(self, gradients: Any, *, centered: bool = True) -> None:
        rows = check_array(gradients, "gradients", dtype=np.float64, op="GradientCovariance")
        if not isinstance(centered, (bool, np.bool_)):
            raise TypeError(f"[GradientCovariance] centered must be True or False. Received {centered!r}.")
        super().__init__(_core.SymmetricOperator.covariance(np.ascontiguousarray(rows), bool(centered)))
