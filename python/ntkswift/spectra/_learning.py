"""Learning curves of kernel regression on the sphere, predicted from the spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks, _core
from .._arrays import check_array
from ._domain import check_energies
from ._sphere import SphereSpectrum


@dataclass(frozen=True, eq=False, repr=False)
class LearningCurve:
    """What kernel ridge regression is predicted to learn with more and more samples.

    Attributes
    ----------
    samples : ndarray of shape (m,)
        Numbers of samples.
    error : ndarray of shape (m,)
        Mean squared error on new points, without their noise.
    learned : ndarray of shape (m, frequencies)
        Share of each frequency's part of the target that is learnt, 0 to 1.
    effective_ridge : ndarray of shape (m,)
        The ridge that the unlearnt frequencies add up to, with the given one.
    """

    samples: np.ndarray
    error: np.ndarray
    learned: np.ndarray
    effective_ridge: np.ndarray

    def learnt_frequencies(self, threshold: float = 0.5) -> list[list[int]]:
        """For each number of samples, the frequencies of which at least `threshold` is learnt."""
        level = _checks.real(threshold, "LearningCurve", "threshold")
        return [np.flatnonzero(row >= level).tolist() for row in self.learned]

    def __repr__(self) -> str:
        n, e = self.samples, self.error
        return f"LearningCurve({len(n)} sizes, n = {n[0]:g} ... {n[-1]:g}, error {e[0]:.4g} ... {e[-1]:.4g})"


def learning_curve(
    spectrum: SphereSpectrum, energies: Any, samples: Any, *, ridge: float = 0.0, noise: float = 0.0
) -> LearningCurve:
    """Error of kernel ridge regression with n uniform samples of the sphere, and which frequencies it learns.

    The predictor is ``k(x, X) (K + ridge I)^-1 y``. Let the effective ridge solve ``kappa = ridge + sum_k N_k lambda_k u_k``
    with ``u_k = kappa / (n lambda_k + kappa)``. Frequency k is learnt to the share ``1 - u_k``, and the error is
    ``(sum_k E_k u_k^2 + gamma noise) / (1 - gamma)`` with ``gamma = sum_k N_k (1 - u_k)^2 / n``. [Derived, taking the
    harmonics of random points for Gaussian features; checked against simulated regressions.] Frequencies beyond the
    spectrum act as ridge and are never learnt.

    Parameters
    ----------
    spectrum : SphereSpectrum
        Of the kernel; eigenvalues below 0 count as 0.
    energies : array_like of shape (frequencies,)
        The target's energy in the frequencies 0, 1, ... (`zonal_energies`, `frequency_energies`); at most as many as
        the spectrum has.
    samples : array_like of shape (m,)
        Numbers of samples, above 0.
    ridge : float
        Added to the diagonal of the kernel matrix.
    noise : float
        Variance of the noise in the samples.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> spectrum = spectra.sphere_spectrum(spectra.laplace(), 3, 60)
    >>> curve = spectra.learning_curve(spectrum, [0, 0, 1.0], [1, 1000])
    >>> curve.learnt_frequencies()[0], bool(curve.error[1] < 0.01)
    ([], True)
    """
    op = "learning_curve"
    if not isinstance(spectrum, SphereSpectrum):
        raise TypeError(f"[{op}] spectrum must be a SphereSpectrum. Received {type(spectrum).__name__}.")
    count = len(spectrum.eigenvalues)
    energy = np.zeros(count)
    given = check_energies(energies, count, op)
    energy[: len(given)] = given
    sizes = np.atleast_1d(check_array(samples, "samples", ndim=(0, 1), dtype=np.float64, op=op))
    if (sizes <= 0).any():
        raise ValueError(f"[{op}] samples must be above 0. Received {sizes.min():g}.")
    if not np.isfinite(spectrum.multiplicities).all():
        raise ValueError(f"[{op}] spectrum must have multiplicities below 1e308. Received more at high frequency.")
    ridges, error, learned = _core.learning_curve(
        np.maximum(spectrum.eigenvalues, 0.0),
        spectrum.multiplicities,
        energy,
        spectrum.tail * spectrum.trace,
        0.0,
        np.ascontiguousarray(sizes),
        _checks.real(ridge, op, "ridge", minimum=0),
        _checks.real(noise, op, "noise", minimum=0),
    )
    return LearningCurve(sizes, error, learned, ridges)
