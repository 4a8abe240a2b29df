"""The covariance of gradients, from their inner products: K has as many rows as there are parameters and is never made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks, _core
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._kernel_matrix import check_symmetric
from .._networks import loss_number, network_for, seed_of, targets_for


@dataclass(frozen=True)
class CovarianceSpectrum:
    """What the covariance K = mean (g_i - g)(g_i - g)^T of L gradients g_i with mean g says.

    Attributes
    ----------
    eigenvalues : ndarray
        Of K, largest first: all L - 1 (centring takes one), or as many as were asked for. Rounding noise is 0.
    largest_uncentred : float
        The largest eigenvalue of the uncentred mean of g_i g_i^T.
    trace, trace_uncentred : float
        Of K and of the uncentred mean.
    gradient_norm : float
        ||g||.
    gradient_share : float
        The share of ||g||^2 in the top eigenvectors of K (five by default).
    norm_ratio : float
        The mean of ||g_i|| / ||P g_i|| with P onto these eigenvectors: the paper's ||g|| / ||g_5||. 1 where gradients
        live in that space.
    """

    eigenvalues: np.ndarray
    largest_uncentred: float
    trace: float
    trace_uncentred: float
    gradient_norm: float
    gradient_share: float
    norm_ratio: float

    @property
    def largest(self) -> float:
        """lambda_K^1."""
        return float(self.eigenvalues[0])

    @property
    def smallest(self) -> float:
        """lambda_K^*, the smallest eigenvalue that is not zero (of those there are)."""
        positive = self.eigenvalues[self.eigenvalues > 0]
        return float(positive[-1]) if len(positive) else 0.0

    @property
    def condition(self) -> float:
        """lambda_K^* / lambda_K^1; NaN where all gradients are equal."""
        return self.smallest / self.largest if self.largest > 0 else float("nan")

    @property
    def spread(self) -> float:
        """Tr(K) / lambda_K^1, which the paper measures in place of the condition; NaN where all gradients are equal."""
        return self.trace / self.largest if self.largest > 0 else float("nan")


@takes_resources()
def gradient_covariance(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    loss: str = "mse",
    *,
    batch: int | None = 128,
    count: int | None = None,
    top: int = 5,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> CovarianceSpectrum:
    """The spectrum of the covariance of the gradients of a training loss.

    Parameters
    ----------
    network, params, x, y, loss
        As in `hessian`.
    batch : int or None, default=128
        Gradients of mini-batches of this size, consecutive rows of x each (what is left over is not used); None:
        gradients of single inputs, whose memory does not grow with inputs times parameters. Networks with BatchNorm
        have mini-batch gradients only. The paper measures with 128, whatever batch trains the network.
    count : int or None, default=None
        Eigenvalues wanted; None: all, for O(L^3).
    top : int, default=5
        Eigenvectors in which the share of the gradient is taken.
    seed : int, sequence of int, SeedSequence, Generator, optional
        Dropout in train mode needs it.

    Returns
    -------
    CovarianceSpectrum

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, curvature
    >>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(4), np.ones((4, 1))
    >>> _, params = network.init_fn(0, x.shape)
    >>> curvature.gradient_covariance(network, params, x, y, batch=None).eigenvalues.shape
    (3,)
    """
    op = "gradient_covariance"
    finite, rows = network_for(network, x, op, "x")
    size = 0 if batch is None else _checks.integer(batch, op, "batch")
    if len(rows) < 2 * max(1, size):
        raise ValueError(f"[{op}] x must hold at least two batches of {max(1, size)}. Received {len(rows)} inputs.")
    return CovarianceSpectrum(
        *Resources().run(
            "loss_gradient_covariance",
            op,
            finite.core,
            finite.vector(params),
            loss_number(loss, op),
            rows,
            targets_for(finite, y, len(rows), loss).rows,
            size,
            _checks.integer(top, op, "top"),
            0 if count is None else _checks.integer(count, op, "count"),
            seed_of(finite.layer, seed, op),
        )
    )


@takes_resources()
def covariance_spectrum(
    gradients: Any,
    *,
    is_gram: bool = False,
    count: int | None = None,
    top: int = 5,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> CovarianceSpectrum:
    """The same for gradients that the caller has, of any network of any library.

    Parameters
    ----------
    gradients : array_like of shape (L, parameters), or (L, L) where `is_gram`
        One gradient per row, of single inputs or of mini-batches: NumPy, or anything with ``__dlpack__`` on the CPU
        (PyTorch tensors). float32 is summed in float64. Or the inner products of the gradients.
    is_gram : bool, default=False
        `gradients` are their inner products.
    count, top
        As in `gradient_covariance`.

    Examples
    --------
    >>> from ntkswift import curvature
    >>> curvature.covariance_spectrum([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0]]).largest_uncentred
    3.0
    """
    op = "covariance_spectrum"
    array = check_array(gradients, "gradients", min_rows=2, op=op)
    if is_gram:
        array = check_symmetric(array, "gradients", op=op, is_kernel=True)
    return CovarianceSpectrum(
        *Resources().run(
            "gradient_covariance",
            op,
            np.ascontiguousarray(array) if is_gram else array,
            bool(is_gram),
            _checks.integer(top, op, "top"),
            0 if count is None else _checks.integer(count, op, "count"),
        )
    )


def core_spectrum(core: Any, *arguments: Any, **settings: Any) -> CovarianceSpectrum:
    """The spectrum as the core measures it for arguments that are checked already."""
    return CovarianceSpectrum(*_core.loss_gradient_covariance(core, *arguments, **settings))
