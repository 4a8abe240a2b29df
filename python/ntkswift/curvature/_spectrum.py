"""Spectra of symmetric operators from their products: eigenvalues at one end, trace, density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from ..operators import as_operator

_ENDS = ("largest", "smallest", "magnitude")


@dataclass(frozen=True)
class Eigenpairs:
    """Eigenvalues at one end of a spectrum.

    Attributes
    ----------
    values : ndarray of shape (count,)
        From the end inwards.
    vectors : ndarray of shape (count, n) or None
        Row i is the unit eigenvector of value i.
    residuals : ndarray of shape (count,)
        ||A v - value v||.
    products : int
        Products with the operator that it took.
    """

    values: np.ndarray
    vectors: np.ndarray | None
    residuals: np.ndarray
    products: int


@dataclass(frozen=True)
class TraceEstimate:
    """A trace by random probes: `value` with its standard `error` (NaN for one probe) and the `samples` behind it."""

    value: float
    error: float
    samples: np.ndarray


@dataclass(frozen=True)
class SpectralDensity:
    """The density of eigenvalues of an operator of `dimension` rows, as weighted nodes.

    Attributes
    ----------
    nodes, weights : ndarray of shape (probes, steps)
        The weights add up to 1: the share of the eigenvalues near each node.
    dimension : int
        Number of eigenvalues.
    """

    nodes: np.ndarray
    weights: np.ndarray
    dimension: int

    def moment(self, power: int) -> float:
        """The mean of the eigenvalues to a power; `moment(1)` times `dimension` estimates the trace."""
        return float((self.weights * self.nodes**power).sum())

    def density(self, grid: Any, width: float) -> np.ndarray:
        """The density on `grid`, each node spread into a Gaussian of standard deviation `width`."""
        points = check_array(grid, "grid", ndim=1, dtype=np.float64, op="SpectralDensity")
        if not width > 0:
            raise ValueError(f"[SpectralDensity] width must be positive. Received {width!r}.")
        distance = (points[:, None] - self.nodes.ravel()) / width
        return np.exp(-0.5 * distance**2) @ self.weights.ravel() / (width * np.sqrt(2 * np.pi))


@takes_resources()
def eigenvalues(
    operator: Any,
    count: int = 1,
    *,
    end: str = "largest",
    tolerance: float = 1e-8,
    vectors: bool = False,
    start: Any = None,
    seed: int = 0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Eigenpairs:
    """Eigenvalues at one end of the spectrum of a symmetric operator, by Lanczos with thick restarts.

    Parameters
    ----------
    operator : SymmetricOperator, ndarray, or any object with shape, dtype and matvec
        A symmetric matrix of which only products are needed.
    count : int, default=1
        How many.
    end : {"largest", "smallest", "magnitude"}
        Which end.
    tolerance : float, default=1e-8
        Relative error of each value; of its vector too, where `vectors`. It is estimated from the distance to the next
        value: among eigenvalues that lie closer together than about its root, the one found may be their neighbour.
    vectors : bool, default=False
        Return eigenvectors.
    start : array_like of shape (n,), optional
        Where the iteration begins, for instance an eigenvector of a while ago. None: for a Hessian near its gradient,
        else a random direction.
    seed : int, default=0
        Of the random directions.

    Raises
    ------
    ConvergenceError
        Where the products that the iteration allows itself do not suffice.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import aslinearoperator
    >>> from ntkswift import curvature
    >>> found = curvature.eigenvalues(aslinearoperator(np.diag([1.0, 5.0, 3.0])), 2)
    >>> found.values.round(8).tolist()
    [5.0, 3.0]
    """
    op = "eigenvalues"
    core = as_operator(operator, op=op).core
    count = _checks.integer(count, op, "count", maximum=core.dimension)
    _checks.choice(end, op, "end", _ENDS)
    if start is not None:
        start = np.ascontiguousarray(check_array(start, "start", ndim=1, dtype=np.float64, op=op))
        if len(start) != core.dimension:
            raise ValueError(f"[{op}] start must have {core.dimension} numbers. Received {len(start)}.")
    values, residuals, rows, products = Resources().run_method(
        core,
        "eigen",
        op,
        count,
        end,
        _checks.tolerance(tolerance, op, "tolerance"),
        vectors,
        vectors,
        seed=_checks.seed_number(seed, op),
        start=start,
    )
    return Eigenpairs(values, rows, residuals, products)


@takes_resources()
def trace(
    operator: Any,
    probes: int = 16,
    *,
    seed: int = 0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> TraceEstimate:
    """The trace of a symmetric operator from `probes` products with vectors of random signs (Hutchinson, 1990).

    Parameters
    ----------
    operator : SymmetricOperator, ndarray, or any object with shape, dtype and matvec
    probes : int, default=16
        The error falls with their square root.
    seed : int, default=0
        Of the probes.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import aslinearoperator
    >>> from ntkswift import curvature
    >>> curvature.trace(aslinearoperator(np.diag([1.0, 5.0, 3.0]))).value
    9.0
    """
    core = as_operator(operator, op="trace").core
    samples = Resources().run_method(
        core, "trace", "trace", _checks.integer(probes, "trace", "probes"), seed=_checks.seed_number(seed, "trace")
    )
    error = float(samples.std(ddof=1) / np.sqrt(len(samples))) if len(samples) > 1 else float("nan")
    return TraceEstimate(float(samples.mean()), error, samples)


@takes_resources()
def spectral_density(
    operator: Any,
    probes: int = 8,
    steps: int = 64,
    *,
    seed: int = 0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> SpectralDensity:
    """The density of all eigenvalues, by stochastic Lanczos quadrature (Ubaru, Chen and Saad, 2017).

    Parameters
    ----------
    operator : SymmetricOperator, ndarray, or any object with shape, dtype and matvec
    probes : int, default=8
        Random starts; the noise falls with their square root.
    steps : int, default=64
        Products per start; features finer than about the spectral range over `steps` are not resolved.
    seed : int, default=0
        Of the probes.
    """
    op = "spectral_density"
    core = as_operator(operator, op=op).core
    nodes, weights = Resources().run_method(
        core,
        "density",
        op,
        _checks.integer(probes, op, "probes"),
        _checks.integer(steps, op, "steps"),
        _checks.seed_number(seed, op),
    )
    return SpectralDensity(nodes, weights, core.dimension)
