"""Activations by name, for estimators and grids."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from functools import cache

from . import _nonlinearities
from ._base import Layer
from ._linear import Identity

# What has no default, for names alone.
_USUAL = {"LeakyRelu": {"alpha": 0.01}}


@cache
def _by_name() -> dict[str, Layer]:
    """Every nonlinearity that can be made without arguments, by the snake-case name of its class."""
    layers: dict[str, Layer] = {"identity": Identity()}
    for name in _nonlinearities.__all__:
        make = getattr(_nonlinearities, name)
        given = _USUAL.get(name, {})
        if all(field.default is not MISSING or field.name in given for field in fields(make)):
            layers[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()] = make(**given)
    return dict(sorted(layers.items()))


def activation(name: str | Layer) -> Layer:
    """The nonlinearity called `name`, with its default parameters; a layer is returned as it is.

    Parameters
    ----------
    name : str or Layer
        The name of a nonlinearity's class in snake case: "relu", "erf", "tanh", "exp_normalized" ...; those that need
        parameters have no name, but for "leaky_relu" (slope 0.01). "identity" is none. An unknown name raises
        ValueError with all of them.

    Examples
    --------
    >>> from ntkswift import stax
    >>> stax.activation("relu")
    Relu()
    """
    if isinstance(name, Layer):
        return name
    layer = _by_name().get(name) if isinstance(name, str) else None
    if layer is None:
        raise ValueError(f"[activation] must be a layer or one of {', '.join(_by_name())}. Received {name!r}.")
    return layer
