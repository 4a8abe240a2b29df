"""How fast eigenvalues fall with frequency: a straight line in logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DecayFit:
    """``lambda_k ~ k^-exponent`` over a range of frequencies.

    Attributes
    ----------
    exponent : float
        Minus the slope of log eigenvalue against log frequency, by least squares.
    interval : tuple of float
        Its 95 % confidence interval.
    limit, limit_interval : float, tuple of float
        Exponent at infinite frequency with its interval, from a fit that also has terms in 1 / k: the next ones in the
        expansion of every power law here.
    first, last : int
        The frequencies that were fitted.
    count : int
        How many.
    """

    exponent: float
    interval: tuple[float, float]
    limit: float
    limit_interval: tuple[float, float]
    first: int
    last: int
    count: int


def fit_decay(frequencies: np.ndarray, eigenvalues: np.ndarray) -> DecayFit:
    """The fit over given frequencies, at least 4, with positive eigenvalues; even and odd ones have constants of their own."""
    k, y = frequencies.astype(float), np.log(eigenvalues)
    sides = [np.ones_like(k)]
    if len(np.unique(frequencies % 2)) == 2:
        sides.append(1 - 2 * (k % 2))
    plain, plain_error = _slope(np.stack([np.log(k), *sides], axis=1), y)
    limit, limit_error = _slope(np.stack([np.log(k), *sides, *(side / k for side in sides)], axis=1), y)
    return DecayFit(
        exponent=-plain,
        interval=(-plain - plain_error, -plain + plain_error),
        limit=-limit,
        limit_interval=(-limit - limit_error, -limit + limit_error),
        first=int(frequencies[0]),
        last=int(frequencies[-1]),
        count=len(frequencies),
    )


def _slope(columns: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The first coefficient of a least-squares fit and half of its 95 % interval."""
    freedom = len(y) - columns.shape[1]
    if freedom < 1:
        return math.nan, math.nan
    solution = np.linalg.lstsq(columns, y, rcond=None)[0]
    variance = float(np.sum((y - columns @ solution) ** 2)) / freedom
    covariance = np.linalg.pinv(columns.T @ columns)
    return float(solution[0]), _student_quantile(freedom) * math.sqrt(variance * covariance[0, 0])


def _student_quantile(freedom: int) -> float:
    """97.5 % quantile of Student's distribution, by its expansion around the normal one (error below 1 % from 3 on)."""
    z = 1.959963984540054
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return {1: 12.706, 2: 4.303}.get(freedom, z + first / freedom + second / freedom**2 + third / freedom**3)
