"""Solutions of A x = b by the core's table of solvers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks, _core
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from ..operators import as_operator

#: The solvers by name, with what each of them is; ``"auto"`` chooses among them.
METHODS: dict[str, str] = dict(_core.solvers())

#: How a solver may end, in the core's order.
STATUSES = ("converged", "max_iterations", "stalled", "not_positive_definite")


@dataclass(frozen=True)
class SolveResult:
    """What a solver found.

    Attributes
    ----------
    solution : ndarray of the shape of b
        Always finite; the nearest that was found, where the status is another than "converged".
    status : str
        One of `STATUSES`: "converged" where every residual is within the tolerance; "max_iterations"; "stalled" where
        rounding, or the part of b that the matrix does not reach, keeps a residual above it; "not_positive_definite".
    residual : ndarray of shape (columns of b,), or float
        ``||b - A x|| / ||b||``, by a product with A at the end.
    iterations : int
        Blocks of products with A; 0 for a direct method.
    method : str
        The solver that was used.
    jitter : float
        What had to be added to the diagonal because the matrix is singular to working precision.
    """

    solution: np.ndarray
    status: str
    residual: np.ndarray | float
    iterations: int
    method: str
    jitter: float


@takes_resources()
def solve(
    operator: Any,
    b: Any,
    method: str = "auto",
    *,
    tolerance: float = 1e-8,
    max_iterations: int | None = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> SolveResult:
    """Solves ``A x = b`` for a symmetric operator A.

    Parameters
    ----------
    operator : SymmetricOperator, ndarray, or any object with shape, dtype and matvec
        The matrix, see `ntkswift.operators`.
    b : array_like of shape (n,) or (n, columns)
        Right-hand sides; an iterative solver works on all of them in blocks of products.
    method : str, default="auto"
        A name of `METHODS`. "auto": "cholesky" where the matrix fits into half of the memory limit (and has at most 20,000
        rows), else "cg".
    tolerance : float, default=1e-8
        Largest ``||b - A x|| / ||b||`` of each column.
    max_iterations : int, optional
        None: ten per row, at least 100.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : callable, optional
        Called with the fraction done, at most every 50 ms.

    Returns
    -------
    SolveResult
        A RuntimeWarning tells where its status is not "converged".

    Raises
    ------
    NotPositiveDefiniteError
        Where "cholesky" has no factor to solve with.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import solvers
    >>> solvers.solve(np.array([[2.0, 0.0], [0.0, 4.0]]), [2.0, 8.0]).solution.round(12).tolist()
    [1.0, 2.0]
    """
    op = "solve"
    matrix = as_operator(operator, op=op)
    right = check_array(b, "b", ndim=(1, 2), dtype=np.float64, op=op)
    if len(right) != matrix.shape[0]:
        raise ValueError(f"[{op}] b must have {matrix.shape[0]} rows. Received shape {right.shape}.")
    names = list(METHODS)
    if method != "auto" and method not in names:
        raise ValueError(f"[{op}] method must be one of {('auto', *names)}. Received {method!r}.")
    solution, residuals, status, place, iterations, jitter = Resources().run(
        "solve_operator",
        op,
        matrix.core,
        np.ascontiguousarray(right.reshape(len(right), -1).T),
        -1 if method == "auto" else names.index(method),
        _checks.tolerance(tolerance, op, "tolerance"),
        0 if max_iterations is None else _iterations(max_iterations, op),
    )
    result = SolveResult(
        solution.T.reshape(right.shape),
        STATUSES[status],
        residuals if right.ndim == 2 else float(residuals[0]),
        iterations,
        names[place],
        jitter,
    )
    _warn(result, tolerance, op)
    return result


def automatic(count: int) -> str:
    """The method that "auto" is for an operator with `count` rows, by its size and the memory limit."""
    return list(METHODS)[_core.automatic_solver(count, **Resources().settings)]


def _iterations(value: Any, op: str) -> int:
    number = _checks.integer(value, op, "max_iterations")
    if number >= 2**31:
        raise ValueError(f"[{op}] max_iterations must be below 2**31. Received {value!r}.")
    return number


def _warn(result: SolveResult, tolerance: float, op: str) -> None:
    if result.jitter > 0:
        warnings.warn(
            f"[{op}] the matrix is singular to working precision: {result.jitter:.3g} was added to its diagonal.",
            RuntimeWarning,
            stacklevel=3,
        )
    if result.status != "converged":
        warnings.warn(
            f"[{op}] {result.method} ended with status {result.status!r} after {result.iterations} iterations: the residual "
            f"is {np.max(result.residual):.2g} of b where {tolerance:g} was wanted.",
            RuntimeWarning,
            stacklevel=3,
        )
