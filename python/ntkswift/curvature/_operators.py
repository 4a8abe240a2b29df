"""The curvature of a network's loss as an operator: Hessian, Gauss-Newton matrix, empirical Fisher matrix."""

from __future__ import annotations

from typing import Any

from .. import _checks, _core
from .._networks import loss_number, network_for, seed_of, targets_for
from ..operators import SymmetricOperator

# In the order of the core's numbers.
_KINDS = ("Hessian", "Gauss-Newton", "empirical Fisher", "covariance of gradients")


class LossCurvature(SymmetricOperator):
    """The Hessian of a network's loss, or a relative of it, as a linear operator on flat vectors of parameters.

    Made by `hessian`, `gauss_newton` and `empirical_fisher`. A product costs about four gradients; what does not depend on
    the vector is shared by the products of a block (`matmat`) and by those of `eigenvalues`, `trace`, `spectral_density` and
    `ntkswift.solvers`.

    Attributes
    ----------
    shape : (parameters, parameters)
    dtype : dtype
        float64.
    """

    def __init__(self, network: Any, params: Any, x: Any, y: Any, loss: str, kind: int, seed: Any, op: str) -> None:
        finite, rows = network_for(network, x, op, "x")
        self._kind = _KINDS[kind]
        super().__init__(
            _core.SymmetricOperator.curvature(
                finite.core,
                finite.vector(params),
                kind,
                loss_number(loss, op),
                rows,
                targets_for(finite, y, len(rows), loss).rows,
                seed=seed_of(finite.layer, seed, op),
            )
        )

    def __repr__(self) -> str:
        return f"LossCurvature({self._kind}, shape={self.shape})"


def hessian(network: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, seed: Any = None) -> LossCurvature:
    """The Hessian of the training loss by all parameters, exact to rounding.

    Parameters
    ----------
    network : ApplyFunction or Layer
        The network; one with BatchNorm is differentiated through the statistics of the batch.
    params : nested tuples
        Its parameters.
    x : array_like
        Inputs.
    y, loss
        Targets or labels, and the loss, as in `ntkswift.empirical.loss_and_gradient`.
    seed : int, sequence of int, SeedSequence, Generator, optional
        Dropout in train mode needs it.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, curvature
    >>> network = stax.serial(stax.Dense(3), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(4), np.ones((4, 1))
    >>> h = curvature.hessian(network, network.init_fn(0, x.shape)[1], x, y)
    >>> bool(np.allclose(h @ np.eye(15), (h @ np.eye(15)).T))
    True
    """
    return LossCurvature(network, params, x, y, loss, 0, seed, "hessian")


def gauss_newton(network: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, seed: Any = None) -> LossCurvature:
    """The Gauss-Newton matrix J^T H_f J, with the Hessian H_f of the loss by the outputs; arguments as for `hessian`."""
    return LossCurvature(network, params, x, y, loss, 1, seed, "gauss_newton")


def empirical_fisher(
    network: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, centered: bool = False, seed: Any = None
) -> LossCurvature:
    """The second moment ``mean_i g_i g_i^T`` of the gradients of single inputs, without these gradients.

    g_i is the gradient of the loss of input i at its target (the whole loss is their mean). A product costs as much as one
    with the Gauss-Newton matrix, whatever the number of inputs. Where the gradients fit into memory, or K of mini-batches
    is wanted, `gradient_covariance` is faster; `ntkswift.operators.GradientCovariance` takes gradients from elsewhere.

    Parameters
    ----------
    network, params, x, y, loss, seed
        As for `hessian`; not with BatchNorm.
    centered : bool, default=False
        Subtract the outer product of the mean gradient: the covariance of the gradients, K of Jastrzebski et al.
        (arXiv:2002.09572) for batches of one input.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import curvature, stax
    >>> network = stax.serial(stax.Dense(3), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(4), np.ones((4, 1))
    >>> fisher = curvature.empirical_fisher(network, network.init_fn(0, x.shape)[1], x, y)
    >>> round(float(curvature.eigenvalues(fisher, 5).values[4] / fisher.diagonal().sum()), 12)  # of rank 4
    0.0
    """
    kind = 3 if _checks.flag(centered, "empirical_fisher", "centered") else 2
    return LossCurvature(network, params, x, y, loss, kind, seed, "empirical_fisher")
