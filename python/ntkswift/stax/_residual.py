"""Deep fully connected residual networks in the parameterization of the ResNTK papers."""

from __future__ import annotations

import math
from typing import Any

from .. import _checks
from ._base import Layer, as_layer
from ._branching import FanInSum, FanOut
from ._combinators import Serial, parallel, repeat, serial
from ._linear import Dense, Identity
from ._nonlinearities import Relu

_DEEPEST = 2048  # the core takes 4096 branches


def ResidualBlock(alpha: float, width: int = 512, *, activation: Any = None) -> Serial:
    """A residual block: ``x + alpha V relu(sqrt(2) W x)`` with both matrices in NTK parameterization, no biases.

    With K the covariance that enters and v = sqrt(K(x,x) K(z,z)), the block adds ``alpha^2 v kappa1`` to it; the NTK
    becomes ``Theta (1 + alpha^2 kappa0) + alpha^2 (v kappa1 + K kappa0)``. The form of Huang et al., arXiv:2002.06262,
    and Belfer et al., arXiv:2104.03093 (formulas derived here, not read in the papers).

    Parameters
    ----------
    alpha : float
        Weight of the residual branch.
    width : int
        Outputs of the block, and of its hidden layer in finite networks: the width of what comes before it.
    activation : Layer, optional
        Another nonlinearity in place of ``Relu()``.

    Examples
    --------
    >>> from ntkswift import stax
    >>> network = stax.serial(stax.Dense(64), stax.ResidualBlock(0.5, 64), stax.Dense(1))
    """
    alpha = _checks.real(alpha, "ResidualBlock", "alpha")
    width = _checks.integer(width, "ResidualBlock", "width")
    inner: Layer = Relu() if activation is None else as_layer(activation, "ResidualBlock")
    # W_std is a standard deviation; the sign of alpha changes no distribution.
    branch = serial(Dense(width, W_std=math.sqrt(2.0)), inner, Dense(width, W_std=abs(alpha)))
    return serial(FanOut(2), parallel(Identity(), branch), FanInSum())


def resntk(
    depth: int,
    alpha: float | None = None,
    *,
    gamma: float | None = None,
    normalize: bool = True,
    train_ends: bool = False,
    input_dim: int | None = None,
    width: int = 512,
) -> Serial:
    """The residual network whose NTK is the ResNTK: an input map, `depth` residual blocks, a readout.

    ``x_0 = A x``, ``x_l = x_{l-1} + alpha / sqrt(m) V_l relu(sqrt(2 / m) W_l x_{l-1})``, ``f = v . x_L``. A and v keep
    their initial values, as in Huang et al., arXiv:2002.06262, and Belfer et al., arXiv:2104.03093; `train_ends` trains
    them too (Tirer, Bruna & Giryes, arXiv:2009.10008). Its `kernel_fn` works on and off the sphere.

    Parameters
    ----------
    depth : int
        Number L of residual blocks, 1 to 2048.
    alpha : float, optional
        Weight of the residual branches, above 0; 1 where neither it nor `gamma` is given.
    gamma : float, optional
        Instead of `alpha`: ``alpha = depth ** -gamma``. Between 1/2 and 1 the kernel of deep networks stays smooth.
    normalize : bool
        Scale the readout so that the NTK of a unit input with itself is 1 (see `input_dim`): without trained ends
        the kernel is divided by ``2 L alpha^2 (1 + alpha^2)^(L - 1)``.
    train_ends : bool
        Train the first and the last layer too.
    input_dim : int, optional
        Number d of input features. Given, the input map is ``A x``, and unit vectors have kernel 1. None, it is
        ``A x / sqrt(d)`` as in every Dense layer, and vectors of norm ``sqrt(d)`` have kernel 1.
    width : int
        Width m of finite networks.

    Returns
    -------
    Layer
        A network that unpacks into ``init_fn, apply_fn, kernel_fn``.

    Examples
    --------
    >>> import numpy as np
    >>> import ntkswift
    >>> kernel_fn = ntkswift.resntk(20, gamma=0.5, input_dim=2).kernel_fn
    >>> kernel_fn(np.array([[1.0, 0.0], [0.0, 1.0]]), None, "ntk").round(4).tolist()
    [[1.0, 0.191], [0.191, 1.0]]
    """
    depth = _checks.integer(depth, "resntk", "depth")
    if depth > _DEEPEST:
        raise ValueError(f"[resntk] depth must be at most {_DEEPEST}. Received {depth}.")
    alpha = _branch_weight(depth, alpha, gamma)
    width = _checks.integer(width, "resntk", "width")
    normalize = _checks.flag(normalize, "resntk", "normalize")
    trained = _checks.flag(train_ends, "resntk", "train_ends")
    scale = 1.0 if input_dim is None else math.sqrt(_checks.integer(input_dim, "resntk", "input_dim"))
    readout = math.exp(-0.5 * _log_diagonal(depth, alpha, trained)) if normalize else 1.0
    return serial(
        Dense(width, W_std=scale, trainable=trained),
        repeat(ResidualBlock(alpha, width), depth),
        Dense(1, W_std=readout, trainable=trained),
    )


def _branch_weight(depth: int, alpha: float | None, gamma: float | None) -> float:
    if alpha is not None and gamma is not None:
        raise ValueError(f"[resntk] needs alpha or gamma, not both. Received alpha={alpha!r} and gamma={gamma!r}.")
    if gamma is not None:
        return float(depth ** -_checks.real(gamma, "resntk", "gamma"))
    weight = 1.0 if alpha is None else _checks.real(alpha, "resntk", "alpha")
    if weight <= 0:
        raise ValueError(f"[resntk] alpha must be above 0. Received {alpha!r}.")
    return weight


def _log_diagonal(depth: int, alpha: float, train_ends: bool) -> float:
    """log of the NTK of a unit input with itself, before the readout scales it."""
    q = alpha * alpha
    factor = 2 * depth * q + (2 * (1 + q) if train_ends else 0.0)
    return math.log(factor) + (depth - 1) * math.log1p(q)
