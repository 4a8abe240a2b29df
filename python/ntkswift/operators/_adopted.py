"""Operators that come from elsewhere: SciPy's, PyTorch wrappers, anything with ``shape``, ``dtype`` and ``matvec``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from ._base import SymmetricOperator
from ._dense import Dense


class Adopted(SymmetricOperator):
    """An operator of another library, by its products with vectors.

    Parameters
    ----------
    operator : object with shape, dtype and matvec
        Real and symmetric.
    op : str
        The function on whose behalf it is adopted, for messages.
    """

    def __init__(self, operator: Any, op: str = "Adopted") -> None:
        shape, matvec = getattr(operator, "shape", None), getattr(operator, "matvec", None)
        if shape is None or not callable(matvec):
            raise TypeError(
                f"[{op}] operator must have shape, dtype and matvec (see scipy.sparse.linalg.aslinearoperator). "
                f"Received {type(operator).__name__}."
            )
        shape = tuple(shape)
        if len(shape) != 2 or shape[0] != shape[1] or int(shape[0]) < 1:
            raise ValueError(f"[{op}] operator must be square, with at least one row. Received shape {shape}.")
        if np.dtype(getattr(operator, "dtype", None) or np.float64).kind not in "fiu":
            raise TypeError(f"[{op}] operator must be real. Received dtype {operator.dtype}.")
        super().__init__(_core.SymmetricOperator.product(_product(matvec, int(shape[0]), op), int(shape[0])))


def _product(matvec: Callable[[np.ndarray], Any], dimension: int, op: str) -> Callable[[np.ndarray], np.ndarray]:
    def product(x: np.ndarray) -> np.ndarray:
        y = check_array(matvec(x), "the operator's product", ndim=(1, 2), dtype=np.float64, op=op)
        if y.size != dimension:
            raise ValueError(f"[{op}] the operator's product must have {dimension} numbers. Received shape {y.shape}.")
        return np.ascontiguousarray(y.reshape(-1))

    return product


def as_operator(operator: Any, *, op: str = "as_operator") -> SymmetricOperator:
    """`operator` as an operator of this package.

    Parameters
    ----------
    operator : SymmetricOperator, ndarray, or any object with shape, dtype and matvec
        Real and symmetric; an array becomes `Dense`.
    op : str
        The function on whose behalf this is asked, for messages.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import operators
    >>> operators.as_operator(np.eye(3))
    Dense(shape=(3, 3))
    """
    if isinstance(operator, SymmetricOperator):
        return operator
    if isinstance(operator, np.ndarray):
        return Dense(operator)
    return Adopted(operator, op)
