"""The curvature of a network's loss as an operator: Hessian and Gauss-Newton matrix."""

from __future__ import annotations

from typing import Any

from .. import _core
from .._networks import loss_number, network_for, seed_of
from ..operators import SymmetricOperator


class LossCurvature(SymmetricOperator):
    """The Hessian of a network's loss, or its Gauss-Newton matrix, as a linear operator on flat vectors of parameters.

    Made by `hessian` and `gauss_newton`. A product costs about four gradients; what does not depend on the vector is shared by
    the products of a block (`matmat`) and by those of `eigenvalues`, `trace`, `spectral_density` and `ntkswift.solvers`.

    Attributes
    ----------
    shape : (parameters, parameters)
    dtype : dtype
        float64.
    """

    def __init__(self, f: Any, params: Any, x: Any, y: Any, loss: str, kind: int, rng: Any, op: str) -> None:
        network, rows = network_for(f, x, op, "x")
        self._kind = ("Hessian", "Gauss-Newton")[kind]
        super().__init__(
            _core.SymmetricOperator.curvature(
                network.core,
                network.vector(params),
                kind,
                loss_number(loss, op),
                rows,
                network.targets(y, len(rows), "y"),
                seed=seed_of(network.layer, rng, op),
            )
        )

    def __repr__(self) -> str:
        return f"LossCurvature({self._kind}, shape={self.shape})"


def hessian(f: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, rng: Any = None) -> LossCurvature:
    """The Hessian of the training loss by all parameters, exact to rounding.

    Parameters
    ----------
    f : ApplyFunction or Layer
        The network; one with BatchNorm is differentiated through the statistics of the batch.
    params : nested tuples
        Its parameters.
    x, y : array_like
        Inputs, and targets of the shape of the outputs.
    loss : {"mse", "cross_entropy"}
        As in `ntkswift.empirical.loss_and_gradient`.
    rng : seed, optional
        Dropout in train mode needs it.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, trajectory
    >>> network = stax.serial(stax.Dense(3), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(4), np.ones((4, 1))
    >>> h = trajectory.hessian(network, network.init_fn(0, x.shape)[1], x, y)
    >>> bool(np.allclose(h @ np.eye(15), (h @ np.eye(15)).T))
    True
    """
    return LossCurvature(f, params, x, y, loss, 0, rng, "hessian")


def gauss_newton(f: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, rng: Any = None) -> LossCurvature:
    """The Gauss-Newton matrix J^T H_f J, with the Hessian H_f of the loss by the outputs; arguments as for `hessian`."""
    return LossCurvature(f, params, x, y, loss, 1, rng, "gauss_newton")
