"""Matrices that callers pass as kernels: checked, factored and decomposed in one place, with what can be wrong named.

A kernel is symmetric and has no negative eigenvalues, to rounding. Asymmetry and what two of its rows show are found by one
look at the matrix; other negative eigenvalues by the factorisation or decomposition that is made anyway.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from . import _core
from ._arrays import check_array
from ._call import Resources, call
from ._errors import ConvergenceError, NotPositiveDefiniteError

__all__ = ["check_definite", "check_gram", "check_symmetric", "condition_text", "factor", "spectrum"]

# Rounding in another library's float32 sums of many terms, and in float64.
_SYMMETRY = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-8}
# What the factorisation's jitter may hide, in units of the mean diagonal.
_INDEFINITE = 1e-6
# Fewer than three digits of a solution in float64 are certain below this.
_ILL_CONDITIONED = 1e3 * float(np.finfo(np.float64).eps)
_EXACT_ROWS, _PRODUCTS = 200, 24


def check_symmetric(x: Any, name: str, *, op: str, is_kernel: bool = False) -> np.ndarray:
    """A square, finite matrix as float64, its transpose to 1e-8 (float32: 1e-4) of its largest element.

    Errors name the first pair that is not. `is_kernel`: as `check_gram` says.
    """
    matrix = check_array(x, name, op=op)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"[{op}] {name} must be square. Received shape {matrix.shape}.")
    _look(matrix, name, op, is_kernel=is_kernel)
    return matrix.astype(np.float64, copy=False)


def check_gram(matrix: np.ndarray, name: str, op: str) -> np.ndarray:
    """A square matrix that may be one of inner products; it is returned as it is.

    Raises
    ------
    ValueError
        Where it is not symmetric to rounding: 1e-8 of the square roots of both diagonal elements, 1e-4 in float32.
    NotPositiveDefiniteError
        Where a diagonal element is negative, or an element larger than these square roots.
    """
    _look(matrix, name, op, is_kernel=True)
    return matrix


def _look(matrix: np.ndarray, name: str, op: str, *, is_kernel: bool) -> None:
    fault: Any = _core.symmetry_fault(matrix, _SYMMETRY[matrix.dtype], is_kernel, **Resources().settings)
    if fault is None:
        return
    i, j, eigenvalue = fault
    if eigenvalue is None:
        raise ValueError(
            f"[{op}] {name} must be symmetric. Received {matrix[i, j]} at ({i}, {j}) and {matrix[j, i]} at ({j}, {i}) of a "
            f"{len(matrix)} x {len(matrix)} matrix."
        )
    where = f"the diagonal element {i}" if i == j else f"rows {j} and {i}, with {matrix[i, j]} between them"
    raise _indefinite(name, op, f"{eigenvalue:.3g} or less ({where})")


def factor(
    matrix: np.ndarray,
    ridge: float,
    absolute: bool,
    op: str,
    *,
    option: str = "diag_reg",
    overwrite: bool = False,
    stacklevel: int = 4,
) -> np.ndarray:
    """Cholesky factor of a kernel with its regulariser, the caller's argument `option`; warns of jitter and of ill condition.

    `overwrite`: the factor takes the place of the matrix, which must be symmetric, float64 and C-contiguous.
    """
    result, _, jitter, _, condition = call(
        "cholesky", "Cholesky factorisation", matrix, ridge, not absolute, overwrite=overwrite
    )
    text = condition_text(jitter, condition, matrix.dtype, f"set {option} to choose the regularisation yourself.")
    if text:
        warnings.warn(f"[{op}] {text}", RuntimeWarning, stacklevel=stacklevel)
    return result


def condition_text(jitter: float, condition: float, dtype: np.dtype[Any], advice: str) -> str:
    """What to warn of after a factorisation; empty where results are reliable."""
    if jitter > 0:
        return f"the kernel is singular to working precision: {jitter:.3g} was added to its diagonal; {advice}"
    bound = max(_ILL_CONDITIONED, float(np.finfo(dtype).eps) if dtype == np.float32 else 0.0)
    if condition < bound:
        return f"the kernel is ill-conditioned (rcond={condition:.3g}): results may not be accurate; {advice}"
    return ""


def spectrum(matrix: np.ndarray, ridge: float, absolute: bool, name: str, op: str) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the regularised kernel and its eigenvectors as rows; an eigenvalue below rounding is an error."""
    values, vectors = call("eigh", "eigendecomposition", matrix, ridge, not absolute)
    mean = float(np.trace(matrix, dtype=np.float64)) / max(1, len(matrix))
    _check_smallest(float(values[0]) - ridge * (1.0 if absolute else mean), matrix, name, op)
    return values, vectors


def check_definite(matrix: np.ndarray, name: str, op: str) -> None:
    """NotPositiveDefiniteError where the smallest eigenvalue is negative, as far as a few products with the matrix tell."""
    count = len(matrix)
    if count <= _EXACT_ROWS:
        smallest = call("eigh", "eigenvalues", matrix, 0.0, True, False)[0][0]
    else:
        operator = _core.SymmetricOperator.dense(np.ascontiguousarray(matrix, np.float64))
        try:
            smallest = Resources().run_method(
                operator, "eigen", "smallest eigenvalue", 1, "smallest", 1e-3, most_products=_PRODUCTS
            )[0][0]
        except ConvergenceError:
            return
    _check_smallest(float(smallest), matrix, name, op)


def _check_smallest(smallest: float, matrix: np.ndarray, name: str, op: str) -> None:
    count = max(1, len(matrix))
    mean = abs(float(np.trace(matrix, dtype=np.float64))) / count
    if smallest < -mean * (_INDEFINITE + 4 * math.sqrt(count) * float(np.finfo(matrix.dtype).eps)):
        raise _indefinite(name, op, f"{smallest:.3g} with a mean diagonal of {mean:.3g}")


def _indefinite(name: str, op: str, received: str) -> NotPositiveDefiniteError:
    return NotPositiveDefiniteError(
        f"[{op}] {name} must have no negative eigenvalues, as kernels have none. Received one of {received}."
    )
