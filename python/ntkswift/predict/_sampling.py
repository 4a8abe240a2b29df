"""Functions drawn from a posterior."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._call import Progress, call, double, takes_resources
from .._checks import integer
from .._random import philox_key
from ._shapes import Targets, as_matrix, check_kernel

_OP = "sample_posterior"


@takes_resources()
def sample_posterior(
    posterior: Any,
    n_samples: int = 1,
    seed: Any = None,
    trace_axes: int | Sequence[int] = (-1,),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Outputs drawn from a posterior, at all of its points together.

    Parameters
    ----------
    posterior : Gaussian
        Mean and covariance, as `gp_inference` and `gradient_descent_mse_ensemble` return them for one time.
    n_samples : int
        Number of draws.
    seed : int, sequence of int, SeedSequence, Generator or None
        Where the random stream starts; the same seed gives the same bits for any number of threads, and the first draws
        do not depend on `n_samples`. None means fresh entropy.
    trace_axes : int or sequence of int
        Axes of the mean that the covariance does not have; outputs along them are drawn independently.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (n_samples, *mean.shape)

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity.
    NotPositiveDefiniteError
        For a covariance that is not positive semi-definite. (A singular one is fine: it gets jitter of at most 1e-6
        times its mean diagonal, and a RuntimeWarning above 1e-9 times.)

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict
    >>> posterior = predict.Gaussian(np.zeros((2, 1)), np.array([[1.0, 0.9], [0.9, 1.0]]))
    >>> predict.sample_posterior(posterior, n_samples=5, seed=0).shape
    (5, 2, 1)
    """
    try:
        mean, covariance = posterior
    except (TypeError, ValueError):
        raise TypeError(
            f"[{_OP}] posterior must be a Gaussian, a mean and a covariance. Received {type(posterior).__name__}."
        ) from None
    n_samples = integer(n_samples, _OP, "n_samples")
    covariance = check_kernel(covariance, "posterior.covariance", _OP, square=True)
    names = ("posterior.mean", "posterior.covariance")
    center = Targets(mean, trace_axes, covariance.shape[::2], _OP, names)
    matrix = double(as_matrix(covariance))
    draws, jitter = call(
        "sample_posterior",
        "sampling",
        center.matrix(center.array),
        matrix,
        philox_key(seed, op=_OP),
        n_samples,
    )
    scale = float(np.trace(matrix)) / max(len(matrix), 1)
    if jitter > 1e-9 * scale:
        warnings.warn(
            f"[{_OP}] the covariance is singular to working precision: {jitter:.3g} was added to its diagonal.",
            RuntimeWarning,
            stacklevel=2,
        )
    # Columns run over draws, then outputs.
    by_draw = np.moveaxis(draws.reshape(len(draws), n_samples, -1), 1, 0)
    return np.ascontiguousarray(center.outputs(by_draw, center.rows, (n_samples,)), dtype=center.array.dtype)
