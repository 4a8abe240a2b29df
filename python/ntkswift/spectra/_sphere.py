"""Eigenvalues of zonal kernels on the sphere S^(d-1), one for each frequency, with what is known of their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .. import _checks, _core
from .._call import Progress, Resources, multiply, takes_resources
from . import _domain
from ._decay import DecayFit, fit_decay
from ._extended import extended_eigenvalues
from ._zonal import ZonalKernel, as_zonal

_OP = "sphere_spectrum"
_ROUNDING = 2.0**-53
_MOST_NODES = 6_000
# Beyond this estimated relative error an eigenvalue counts as lost in rounding.
RELIABLE = 1e-8


def multiplicity(dimension: int, frequency: int) -> int:
    """Number N(d, k) of independent spherical harmonics of frequency k on S^(d-1).

    ``(2k + d - 2) / k * binomial(k + d - 3, k - 1)``, exactly.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> [spectra.multiplicity(3, k) for k in range(4)]
    [1, 3, 5, 7]
    """
    d, k = _domain.dimension(dimension, "multiplicity"), _domain.frequency(frequency, "multiplicity", "frequency")
    if k == 0:
        return 1
    return (2 * k + d - 2) * math.comb(k + d - 3, k - 1) // k


@dataclass(frozen=True, eq=False, repr=False)
class SphereSpectrum:
    """Eigenvalues of a zonal kernel with respect to the uniform probability measure on S^(d-1).

    Attributes
    ----------
    name : str
        Of the kernel.
    dimension : int
        d of the sphere S^(d-1).
    eigenvalues : ndarray
        lambda_0, lambda_1, ...
    errors : ndarray
        Estimated absolute errors: what another number of nodes changes, and the rounding of the kernel's values.
    multiplicities : ndarray
        How many harmonics each frequency has; infinity where that leaves the range of float64.
    trace : float
        The kernel at angle 0, which ``sum_k N(d, k) lambda_k`` reaches.
    nodes : int
        Nodes of the quadrature.
    precision : {"double", "extended"}
        How it was computed.
    """

    name: str
    dimension: int
    eigenvalues: np.ndarray
    errors: np.ndarray
    multiplicities: np.ndarray
    trace: float
    nodes: int
    precision: str

    @property
    def frequencies(self) -> np.ndarray:
        """0, 1, ... up to the largest frequency."""
        return np.arange(len(self.eigenvalues))

    @property
    def relative_errors(self) -> np.ndarray:
        """Estimated relative errors; infinity where the eigenvalue is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.eigenvalues == 0, np.inf, self.errors / np.abs(self.eigenvalues))

    @property
    def is_reliable(self) -> np.ndarray:
        """Where the estimated relative error is at most 1e-8."""
        return self.relative_errors <= RELIABLE

    @property
    def shares(self) -> np.ndarray:
        """Share of the trace that each frequency has: multiplicity times eigenvalue, divided by the trace."""
        with np.errstate(invalid="ignore", over="ignore"):
            shares = self.multiplicities * self.eigenvalues / self.trace
        return np.where(np.isfinite(shares), shares, 0.0)

    @property
    def tail(self) -> float:
        """Share of the trace beyond the largest frequency, 1 minus the sum of all shares; not below 0."""
        return max(0.0, 1.0 - math.fsum(self.shares))

    @property
    def trace_defect(self) -> float:
        """The trace identity as a check: the sum of all shares, with the tail that their decay implies, minus 1.

        Near 0 where eigenvalues are right and the frequencies reach the power law, whose tail is extrapolated from the
        upper half of the frequencies.
        """
        known = np.where(np.abs(self.eigenvalues) > self.errors, self.shares, 0.0)
        return math.fsum(known) + _tail_of(known) - 1.0

    def decay(self, first: int, last: int | None = None, *, parity: str = "all") -> DecayFit:
        """The exponent of ``lambda_k ~ k^-exponent`` between two frequencies, with confidence intervals.

        Parameters
        ----------
        first, last : int
            The range, both included; `last` None means the largest frequency.
        parity : {"all", "even", "odd"}
            Which frequencies.

        Raises
        ------
        ValueError
            For a range outside of the spectrum, or one with fewer than 4 eigenvalues above their errors.
        """
        op, top = "SphereSpectrum.decay", len(self.eigenvalues) - 1
        low = _domain.frequency(first, op, "first")
        high = top if last is None else _domain.frequency(last, op, "last")
        if not 1 <= low < high <= top:
            raise ValueError(
                f"[{op}] first and last must be between 1 and {top}, ascending. Received {low} and {high}."
            )
        _checks.choice(parity, op, "parity", ("all", "even", "odd"))
        k = np.arange(low, high + 1)
        if parity != "all":
            k = k[k % 2 == (parity == "odd")]
        k = k[self.eigenvalues[k] > 100 * self.errors[k]]
        if len(k) < 4:
            raise ValueError(
                f"[{op}] needs 4 eigenvalues or more that stand out of rounding. Received {len(k)} between {low} and {high}."
            )
        return fit_decay(k, self.eigenvalues[k])

    def parity_ratio(self, frequency: int) -> float:
        """lambda_k over the geometric mean of its neighbours, for an odd frequency k >= 3: far below 1 where odd
        frequencies are hardly learnt.
        """
        op = "SphereSpectrum.parity_ratio"
        k = _domain.frequency(frequency, op, "frequency")
        if k % 2 == 0 or not 3 <= k < len(self.eigenvalues) - 1:
            raise ValueError(
                f"[{op}] frequency must be odd, from 3 to {len(self.eigenvalues) - 2}. Received {frequency!r}."
            )
        return float(self.eigenvalues[k] / math.sqrt(self.eigenvalues[k - 1] * self.eigenvalues[k + 1]))

    def rkhs_norm(self, energies: Any) -> float:
        """The norm of a function in the kernel's space, from its energy in each frequency: the root of ``sum_k E_k / lambda_k``.

        Parameters
        ----------
        energies : array_like of shape (frequencies,)
            Mean squares of the function's projections on the frequencies 0, 1, ..., as `zonal_energies` and
            `frequency_energies` return them; not negative. May be shorter than the spectrum.

        Returns
        -------
        float
            Infinity where the function has energy in a frequency whose eigenvalue is not above its error.
        """
        energy = _domain.check_energies(energies, len(self.eigenvalues), "SphereSpectrum.rkhs_norm")
        used = energy > 0
        values = self.eigenvalues[: len(energy)][used]
        if (values <= self.errors[: len(energy)][used]).any():
            return math.inf
        return math.sqrt(math.fsum(energy[used] / values))

    @takes_resources()
    def kernel(self, angles: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """The kernel that the eigenvalues add up to at `angles`: ``sum_k N(d, k) lambda_k P_k(cos angle)``."""
        at = np.asarray(angles, dtype=float)
        polynomials = _core.legendre_polynomials(
            self.dimension, np.ascontiguousarray(at.ravel()), len(self.eigenvalues)
        )
        weights = np.ascontiguousarray(self.shares[None] * self.trace)
        return multiply(weights, polynomials).reshape(at.shape)

    def normalized(self) -> SphereSpectrum:
        """The spectrum of the kernel divided by its value at angle 0."""
        return SphereSpectrum(
            self.name,
            self.dimension,
            self.eigenvalues / self.trace,
            self.errors / self.trace,
            self.multiplicities,
            1.0,
            self.nodes,
            self.precision,
        )

    def __repr__(self) -> str:
        count = len(self.eigenvalues)
        return (
            f"SphereSpectrum({self.name} on S^{self.dimension - 1}, k = 0 ... {count - 1}, "
            f"relative error <= {RELIABLE:g} for {int(self.is_reliable.sum())} of {count}, "
            f"trace {self.trace:.6g}, trace defect {self.trace_defect:.1e})"
        )


@takes_resources()
def sphere_spectrum(
    kernel: Any,
    dimension: int,
    max_frequency: int = 100,
    *,
    get: str = "ntk",
    precision: str = "double",
    digits: int = 50,
    normalize: bool = False,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> SphereSpectrum:
    """Eigenvalues of a zonal kernel on the sphere S^(d-1) for the frequencies 0 ... `max_frequency`.

    ``lambda_k = Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)) int_0^pi kappa(theta) P_k(cos theta) sin^(d-2)(theta) dtheta``
    (Funk-Hecke), with respect to the uniform probability measure, so that ``sum_k N(d, k) lambda_k`` is the kernel at
    angle 0. The integral is a Gauss-Legendre sum over the angle, in which the kernels of ReLU networks are analytic; all
    but the kernel's own values is computed in 32 digits. The result states an error for each eigenvalue: float64 values
    of the kernel carry some 1e-16, which leaves a relative 1e-8 and better up to k = 300 at d = 3 and 5, and up to about
    k = 60 at d = 10.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable or ZonalKernel
        A network of `ntkswift.stax` or its `kernel_fn` (on the unit sphere), a vectorised function of the cosine of the
        angle, a kernel function ``k(x1, x2)`` (tested for being zonal), or a :class:`ZonalKernel`.
    dimension : int
        d, 2 or more: the circle is d = 2.
    max_frequency : int
        Largest frequency, up to 5000.
    get : {"ntk", "nngp"}
        Which kernel of a network.
    precision : {"double", "extended"}
        "extended" evaluates the kernel in `digits` digits with mpmath, and takes seconds: `laplace`, `gaussian`, networks
        of Dense, ReLU-like layers and residual branches, and functions that accept mpmath numbers.
    digits : int
        Decimal digits of "extended".
    normalize : bool
        Divide by the kernel at angle 0.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    SphereSpectrum

    Raises
    ------
    ValueError
        For a kernel that is not zonal or not finite, and for a dimension or frequency out of range.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> spectrum = spectra.sphere_spectrum(lambda cosine: 1 + cosine, 3, 4)
    >>> abs(spectrum.eigenvalues.round(12)).tolist()
    [1.0, 0.333333333333, 0.0, 0.0, 0.0]
    """
    zonal = as_zonal(kernel, get)
    d, top = _domain.dimension(dimension, _OP), _domain.frequency(max_frequency, _OP)
    if _checks.choice(precision, _OP, "precision", ("double", "extended")) == "double":
        trace = zonal.at_zero(d)
        eigenvalues, errors, nodes = double_eigenvalues(zonal, d, top)
    else:
        trace, eigenvalues, errors, nodes = extended_eigenvalues(zonal, d, top, digits)
    counts = np.array([_as_float(multiplicity(d, k)) for k in range(top + 1)])
    spectrum = SphereSpectrum(zonal.name, d, eigenvalues, errors, counts, trace, nodes, precision)
    return spectrum.normalized() if normalize else spectrum


@lru_cache(maxsize=16)
def _rule(count: int) -> tuple[np.ndarray, ...]:
    """angles, weights, cosines, sines and the packed rule; read-only because they are shared."""
    arrays = _core.angle_rule(count)
    for array in arrays:
        array.setflags(write=False)
    return arrays


def _sum(zonal: ZonalKernel, d: int, top: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues by `count` nodes, and the norms of their terms."""
    angles, _, cosines, sines, packed = _rule(count)
    values = zonal._at(cosines, sines, angles, d)
    return Resources().run("zonal_spectrum", "spectrum", values, packed, d, top + 1)  # type: ignore[no-any-return]


def double_eigenvalues(zonal: ZonalKernel, d: int, top: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Eigenvalues, errors and nodes: the rule grows until two rules differ by rounding only."""
    count = 2 * top + min(d, 1000) + 60
    depth = zonal.nonlinear_layers
    before, _ = _sum(zonal, d, top, count)
    while True:
        count += count // 2
        found, norms = _sum(zonal, d, top, count)
        # Random roundings of the kernel's values, and what all have in common; both grow with depth.
        floor = _ROUNDING * (4 * (1 + depth / 4) * norms + 16 * (1 + depth / 2) * np.abs(found))
        change = np.abs(found - before)
        if (change <= np.maximum(1e-9 * np.abs(found), 30 * floor)).all() or count + count // 2 > _MOST_NODES:
            # Rounding makes single differences small by chance: each stands for its neighbours too.
            return found, np.maximum(_largest_near(change), floor), count
        before = found


def _largest_near(values: np.ndarray, reach: int = 4) -> np.ndarray:
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)


def _tail_of(shares: np.ndarray) -> float:
    """The sum of shares beyond the last one, where they follow a power law; 0 where they are too few or not positive.

    Fits ``k^-p (a_0 + a_1 / k + ...) + (-1)^k k^-p (b_0 + b_1 / k + ...)`` to the upper half, and sums it with the formulas of
    Euler-Maclaurin and of Boole around the middle between the last frequency and the next.
    """
    last = len(shares) - 1
    k = np.arange(max(8, last // 2), last + 1)
    y = shares[k] if last >= 24 else shares[:0]
    if len(y) == 0 or y.min() < -1e-10 * y.max() or y[-2:].max() < 1e-13:
        return 0.0
    sign = 1.0 - 2.0 * (k % 2)
    pairs = y[:-1] + y[1:]
    slope = float(np.polyfit(np.log(k[:-1] + 0.5), np.log(pairs), 1)[0])
    # ReLU kernels and Laplace have p = 2, random ReLU features p = 4; others keep the fitted power.
    p = next((whole for whole in (2.0, 4.0) if abs(whole + slope) < 0.2), -slope)
    if p < 1.2:
        return 0.0
    powers = p + np.arange(4)
    columns = k[:, None].astype(float) ** -powers
    weights = 1 / pairs.max()
    terms = np.linalg.lstsq(weights * np.hstack([columns, sign[:, None] * columns]), weights * y, rcond=None)[0]
    edge = last + 0.5
    smooth = edge ** (1 - powers) / (powers - 1) - powers * edge ** (-powers - 1) / 24
    swing = (1 if last % 2 else -1) * (edge**-powers / 2 - powers * (powers + 1) * edge ** (-powers - 2) / 16)
    return float(terms[:4] @ smooth + terms[4:] @ swing)


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
