"""Eigenvalues at high frequency, from what a kernel does at angle 0 and at angle pi."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import _checks, _core
from .._call import Progress, takes_resources
from . import _domain
from ._zonal import ZonalKernel, as_zonal

_NODES = 24
_SCALES = tuple(0.9 * 2.0**-i for i in range(22))


class _End(NamedTuple):
    """Taylor coefficients 0 to 3 of a kernel in the sine of half the angle (or of half its complement), and errors."""

    coefficients: np.ndarray
    errors: np.ndarray


@lru_cache(maxsize=1)
def _fractions() -> np.ndarray:
    return (1 - np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))) / 2


def expand_ends(kernel: ZonalKernel, dimension: int) -> tuple[_End, _End]:
    """The expansions of `kernel` at angle 0 in sin(theta / 2), and at angle pi in cos(theta / 2)."""
    s = np.outer(_SCALES, _fractions())
    cosines, sines, angles = 1 - 2 * s * s, 2 * s * np.sqrt(1 - s * s), 2 * np.arcsin(s)
    ends = []
    for sign, at in ((1.0, angles), (-1.0, math.pi - angles)):
        values = kernel._at(sign * cosines.ravel(), sines.ravel(), at.ravel(), dimension).reshape(s.shape)
        ends.append(_End(*_core.endpoint_expansion(values, np.array(_SCALES))))
    return ends[0], ends[1]


def harmonic_decay_constant(dimension: int, nu: float) -> float:
    """C(d, nu) of the law ``lambda_k ~ C k^(-d - 2 nu + 1)`` for a kernel with a term ``(1 - cos theta)^nu``, nu not an integer.

    ``2^(nu + d - 2) Gamma(d/2) Gamma(nu + (d-1)/2) / (sqrt(pi) Gamma(-nu))`` [derived; checked numerically]. The theorem:
    Bietti & Bach, arXiv:2009.14397.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> round(spectra.harmonic_decay_constant(3, 0.5), 6)
    -0.353553
    """
    d = _domain.dimension(dimension, "harmonic_decay_constant")
    nu = _checks.real(nu, "harmonic_decay_constant", "nu")
    if nu <= 0 or nu == int(nu):
        raise ValueError(f"[harmonic_decay_constant] nu must be above 0 and not an integer. Received {nu!r}.")
    gamma = math.gamma(-nu)
    size = math.exp(
        (nu + d - 2) * math.log(2) + math.lgamma(d / 2) + math.lgamma(nu + (d - 1) / 2) - math.lgamma(-nu)
    ) / math.sqrt(math.pi)
    return math.copysign(size, gamma)


@dataclass(frozen=True)
class Asymptotics:
    """The law that the eigenvalues of a zonal kernel follow at high frequency: ``lambda_k ~ constant k^-exponent``.

    Attributes
    ----------
    dimension : int
        The kernel is on S^(dimension - 1).
    nu : float
        Lowest half-integer power in ``kappa(1 - t) = polynomial + c_plus t^nu``, 1/2 or 3/2; NaN where there is none
        (kernels that are smooth at both ends: their eigenvalues fall faster than any power).
    c_plus, c_minus : float
        Its coefficients at angle 0 and, of ``kappa(-1 + t)``, at angle pi.
    c_plus_error, c_minus_error : float
        Estimated errors of these.
    exponent : float
        d + 2 nu - 1.
    even, odd : float
        The constant for even and for odd frequencies: ``(c_plus +- c_minus) C(d, nu)``.
    """

    dimension: int
    nu: float
    c_plus: float
    c_minus: float
    c_plus_error: float
    c_minus_error: float

    @property
    def exponent(self) -> float:
        """How fast eigenvalues fall: d + 2 nu - 1."""
        return self.dimension + 2 * self.nu - 1

    @property
    def even(self) -> float:
        """Constant for even frequencies."""
        return (self.c_plus + self.c_minus) * self._constant

    @property
    def odd(self) -> float:
        """Constant for odd frequencies; 0 to rounding for the bias-free two-layer network, which does not learn them."""
        return (self.c_plus - self.c_minus) * self._constant

    @property
    def _constant(self) -> float:
        return math.nan if math.isnan(self.nu) else harmonic_decay_constant(self.dimension, self.nu)

    def eigenvalues(self, frequencies: Any) -> np.ndarray:
        """The law's eigenvalues at given frequencies, 1 or more."""
        k = np.asarray(frequencies, dtype=float)
        return np.where(k % 2 == 0, self.even, self.odd) * k**-self.exponent


@takes_resources()
def asymptotics(
    kernel: Any, dimension: int, *, get: str = "ntk", memory_limit: int | None = None, progress: Progress | None = None
) -> Asymptotics:
    """The high-frequency law of a zonal kernel from its expansions at angle 0 and pi.

    With ``kappa(1 - t) = polynomial + c_plus t^nu`` and ``kappa(-1 + t) = polynomial + c_minus t^nu``, eigenvalues follow
    ``(c_plus + c_minus) C k^(-d - 2 nu + 1)`` for even k and ``(c_plus - c_minus) C k^(-d - 2 nu + 1)`` for odd k (Bietti & Bach,
    arXiv:2009.14397). The powers 1/2 and 3/2 are looked for, those of ReLU networks and of the Laplace kernel.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable or ZonalKernel
        As :class:`ZonalKernel` takes it.
    dimension : int
        d of the sphere S^(d-1).
    get : {"ntk", "nngp"}
        Which kernel of a network.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> law = spectra.asymptotics(spectra.laplace(), 3)
    >>> round(law.c_plus, 6), round(law.exponent, 6)  # exp(-sqrt(2 t)) = 1 - sqrt(2 t) + ...
    (-1.414214, 3.0)
    """
    kernel, d = as_zonal(kernel, get), _domain.dimension(dimension, "asymptotics")
    start, end = expand_ends(kernel, d)
    size = max(abs(start.coefficients[0]), abs(end.coefficients[0]))
    # t = 1 - cos theta = 2 s^2, so b_1 s and b_3 s^3 are c t^(1/2) and c t^(3/2).
    for order, nu in ((1, 0.5), (3, 1.5)):
        errors = float(start.errors[order]), float(end.errors[order])
        values = float(start.coefficients[order]), float(end.coefficients[order])
        if any(abs(v) > max(20 * e, 1e-9 * size) for v, e in zip(values, errors)):
            unit = 2.0**-nu
            return Asymptotics(d, nu, values[0] * unit, values[1] * unit, errors[0] * unit, errors[1] * unit)
    return Asymptotics(d, math.nan, 0.0, 0.0, float(start.errors[1]), float(end.errors[1]))
