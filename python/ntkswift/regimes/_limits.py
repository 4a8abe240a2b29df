"""Risks of the three regimes in the limit of many dimensions and units."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._checks import integer
from .._modes import mode_of
from ._targets import QuadraticTarget, TwoGaussians

_NUMBERS = {"random_features": 0, "lazy": 1, "full": 2}
Target = QuadraticTarget | TwoGaussians


def mode_number(mode: Any, op: str) -> int:
    """The number by which the core knows a mode."""
    return _NUMBERS[mode_of(mode, op)]


def _spectrum(spectrum: Any, op: str) -> np.ndarray:
    if isinstance(spectrum, (QuadraticTarget, TwoGaussians)):
        return spectrum.spectrum
    return np.ascontiguousarray(check_array(spectrum, "spectrum", ndim=1, dtype=np.float64, op=op))


def asymptotic_risk(mode: str, rho: Any, spectrum: Any) -> Any:
    """Risk of a regime over that of the best constant, for d to infinity with N = rho d units ``x -> <w, x>^2``.

    With tau = (tr B)^2 / (d |B|^2): RF ``1 - tau rho / (1 + rho)``; NT ``(1 - rho)_+^2 (1 - tau) + (1 - rho)_+ tau``; NN
    the share of the squared eigenvalues of B beyond the rho d largest, linear between whole numbers of units. The random
    weights are isotropic, the networks have a free constant. For `TwoGaussians` the same shares of the whitened
    difference D give ``1 / (1 + |D|^2 (1 - share) / 2)``, where D is small.

    Parameters
    ----------
    mode : {"random_features", "lazy", "full"}, or "rf", "nt", "nn" for short
        Random features, neural tangent, or the fully trained network.
    rho : float or array_like
        Units per dimension, N / d, at least 0.
    spectrum : array_like of shape (d,), QuadraticTarget or TwoGaussians
        Eigenvalues of B, or a target.

    Returns
    -------
    risk : float or ndarray, of the shape of `rho`

    Notes
    -----
    Ghorbani, Mei, Misiakiewicz & Montanari, "Limitations of Lazy Training of Two-layers Neural Networks"
    (arXiv:1906.08899); derived again here and checked numerically.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import asymptotic_risk
    >>> [float(asymptotic_risk(mode, 0.5, np.ones(10))) for mode in ("random_features", "lazy", "full")]
    [0.6666666666666667, 0.5, 0.5]
    """
    op = "asymptotic_risk"
    number, values = mode_number(mode, op), _spectrum(spectrum, op)
    ratios = check_array(np.asarray(rho, dtype=float), "rho", ndim=None, dtype=np.float64, min_rows=0, op=op)
    shares = [_core.lazy_limit(number, values, float(ratio)) for ratio in ratios.ravel()]
    risks = [spectrum._limit(share) if isinstance(spectrum, TwoGaussians) else share for share in shares]
    return risks[0] if ratios.ndim == 0 else np.array(risks).reshape(ratios.shape)


def mean_tangent_risk(width: int, spectrum: Any) -> float:
    """Mean NT risk over isotropic weights at finite d and N = `width`, over that of the best constant: exact.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import mean_tangent_risk
    >>> round(mean_tangent_risk(4, np.ones(10)), 12)
    0.6
    """
    op = "mean_tangent_risk"
    return _core.mean_tangent_risk(_spectrum(spectrum, op), integer(width, op, "width", minimum=0))
