"""What callers pass as a network: a layer, one of its functions, or the triple that it was unpacked into."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arrays import check_array
from ._checks import choice
from ._random import philox_key
from .stax import FiniteNetwork, Layer, finite_network

__all__ = ["LOSSES", "find_layer", "layer_of", "loss_number", "network_for", "second_rows", "seed_of"]

LOSSES = {"mse": 0, "cross_entropy": 1}
_NO_SEED = (0, 0)


def find_layer(value: Any) -> Layer | None:
    """The layer tree behind `value`; None where it is no network of ntkswift."""
    owner = value if isinstance(value, Layer) else getattr(value, "layer", None)
    if owner is None and isinstance(value, (tuple, list)) and len(value) == 3:
        owner = getattr(value[2], "layer", None)
    return owner if isinstance(owner, Layer) else None


def layer_of(value: Any, op: str, name: str = "network") -> Layer:
    """The layer tree behind `value`; TypeError for functions that are not ntkswift's."""
    layer = find_layer(value)
    if layer is None:
        hint = f" Did you mean {value.__name__}()?" if isinstance(value, type) and issubclass(value, Layer) else ""
        raise TypeError(
            f"[{op}] {name} must be a network of ntkswift.stax or one of its functions. Received {value!r}.{hint}"
        )
    return layer


def network_for(value: Any, x: Any, op: str, name: str = "x1") -> tuple[FiniteNetwork, np.ndarray]:
    """The finite network for inputs `x`, and these as rows."""
    array = check_array(x, name, ndim=None, dtype=np.float64, op=op)
    network = finite_network(layer_of(value, op), array.shape[1:], op)
    return network, network.rows(array, name)


def loss_number(loss: Any, op: str) -> int:
    """The number by which the core knows a loss of networks."""
    return LOSSES[choice(loss, op, "loss", LOSSES)]


def second_rows(network: FiniteNetwork, x2: Any) -> np.ndarray | None:
    """The second inputs as rows; None where they are the first ones."""
    return None if x2 is None else network.rows(x2, "x2")


def seed_of(layer: Layer, rng: Any, op: str) -> tuple[int, int]:
    """The key of Dropout's random stream."""
    if rng is None and layer._trains_with_dropout():
        raise ValueError(f'[{op}] rng, a seed, is needed by Dropout in "train" mode. Received None.')
    return _NO_SEED if rng is None else philox_key(rng, op=op)
