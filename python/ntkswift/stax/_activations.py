"""Activations by name, for estimators and grids."""

from __future__ import annotations

from collections.abc import Callable

from . import _closed_form as closed
from . import _expansions as expansions
from ._base import Layer
from ._linear import Identity

_BY_NAME: dict[str, Callable[[], Layer]] = {
    "abs": closed.Abs,
    "cos": closed.Cos,
    "elu": expansions.Elu,
    "erf": closed.Erf,
    "exp": closed.Exp,
    "exp_normalized": closed.ExpNormalized,
    "gabor": closed.Gabor,
    "gaussian": closed.Gaussian,
    "gelu": closed.Gelu,
    "identity": Identity,
    "leaky_relu": lambda: closed.LeakyRelu(0.01),
    "rbf": closed.Rbf,
    "relu": closed.Relu,
    "selu": expansions.Selu,
    "sigmoid": expansions.Sigmoid,
    "sigmoid_like": closed.Sigmoid_like,
    "sign": closed.Sign,
    "sin": closed.Sin,
    "softplus": expansions.Softplus,
    "step": closed.Step,
    "swish": expansions.Swish,
    "tanh": expansions.Tanh,
}


def activation(name: str | Layer) -> Layer:
    """The nonlinearity called `name`, with its default parameters; a layer is returned as it is.

    Parameters
    ----------
    name : str or Layer
        One of "abs", "cos", "elu", "erf", "exp", "exp_normalized", "gabor", "gaussian", "gelu", "identity",
        "leaky_relu" (slope 0.01), "rbf", "relu", "selu", "sigmoid", "sigmoid_like", "sign", "sin", "softplus",
        "step", "swish", "tanh".

    Examples
    --------
    >>> from ntkswift import stax
    >>> stax.activation("relu")
    Relu()
    """
    if isinstance(name, Layer):
        return name
    make = _BY_NAME.get(name) if isinstance(name, str) else None
    if make is None:
        raise ValueError(f"[activation] must be a layer or one of {', '.join(_BY_NAME)}. Received {name!r}.")
    return make()
