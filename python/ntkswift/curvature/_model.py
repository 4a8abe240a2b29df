"""The paper's one-dimensional model of the break-even point (arXiv:2002.09572, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._checks import integer, real


@dataclass(frozen=True)
class BreakEven:
    """The largest eigenvalues of the Hessian and of the covariance of gradients at the break-even point of the model.

    Values of 0 or less mean that SGD is unstable whatever the curvature.
    """

    lambda_H: float
    lambda_K: float


def break_even(learning_rate: float, batch_size: int, examples: int, alpha: float, psi: float = 1.0) -> BreakEven:
    """What the model predicts for the break-even point.

    ``lambda_H = 2 / eta - (alpha / psi^2) (N - S) / (S (N - 1))`` and ``lambda_K = alpha lambda_H``: the root of Eq. (1)
    with s^2 = lambda_K / psi^2 = alpha lambda_H / psi^2.

    Parameters
    ----------
    learning_rate : float
        eta.
    batch_size, examples : int
        S and N, batches drawn without replacement.
    alpha : float
        lambda_K / lambda_H, which the model takes as constant.
    psi : float, default=1.0
        The distance from the minimum along the top eigenvector.

    Examples
    --------
    >>> from ntkswift import curvature
    >>> curvature.break_even(0.1, 500, 500, alpha=0.5).lambda_H  # full batch: 2 / eta
    20.0
    """
    op = "break_even"
    share = real(alpha, op, "alpha", minimum=0)
    curvature = _core.break_even_curvature(
        real(learning_rate, op, "learning_rate"),
        integer(batch_size, op, "batch_size"),
        integer(examples, op, "examples"),
        share,
        real(psi, op, "psi"),
    )
    return BreakEven(curvature, share * curvature)


def stability_factor(learning_rate: float, batch_size: int, curvatures: Any, *, examples: int | None = None) -> float:
    """The factor by which one step of SGD multiplies E psi^2; SGD is stable along the direction while it is at most 1.

    ``(1 - eta mean H)^2 + eta^2 var H (N - S) / (S (N - 1))``, Eq. (1): exact for examples with losses H_i psi^2 / 2 and
    batches without replacement.

    Parameters
    ----------
    learning_rate : float
        eta.
    batch_size : int
        S.
    curvatures : array_like of shape (n,)
        H_i, for instance `sample_curvatures` along the top eigenvector of the Hessian.
    examples : int or None, default=None
        N, where `curvatures` are those of a sample of the training set; None: it is all of it.

    Examples
    --------
    >>> from ntkswift import curvature
    >>> curvature.stability_factor(0.5, 2, [1.0, 1.0])
    0.25
    """
    op = "stability_factor"
    values = check_array(curvatures, "curvatures", ndim=1, dtype=np.float64, op=op)
    return _core.stability_factor(
        real(learning_rate, op, "learning_rate"),
        integer(batch_size, op, "batch_size"),
        len(values) if examples is None else integer(examples, op, "examples"),
        float(values.mean()),
        float(values.var()),
    )
