"""What callers pass as a network: a layer, its `apply_fn`, or the triple that it was unpacked into."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._random import philox_key
from ..stax._base import Layer
from ..stax._core_network import FiniteNetwork, finite_network

_NO_SEED = (0, 0)


def layer_of(f: Any, op: str) -> Layer:
    """The layer tree behind `f`; TypeError for functions that are not ntkswift's."""
    owner = f if isinstance(f, Layer) else getattr(f, "layer", None)
    if owner is None and isinstance(f, (tuple, list)) and len(f) == 3:
        owner = getattr(f[1], "layer", None)
    if isinstance(owner, Layer):
        return owner
    raise TypeError(
        f"[{op}] f must be a network of ntkswift.stax or its apply_fn. Received {type(f).__name__}. "
        "For Jacobians of your own network see empirical_ntk_from_jacobians."
    )


def network_for(f: Any, x: Any, op: str, name: str = "x1") -> tuple[FiniteNetwork, np.ndarray]:
    """The finite network for inputs `x`, and these as rows."""
    array = check_array(x, name, ndim=None, dtype=np.float64, op=op)
    network = finite_network(layer_of(f, op), array.shape[1:], op)
    return network, network.rows(array, name)


def second_rows(network: FiniteNetwork, x2: Any) -> np.ndarray | None:
    """The second inputs as rows; None where they are the first ones."""
    return None if x2 is None else network.rows(x2, "x2")


def seed_of(layer: Layer, rng: Any, op: str) -> tuple[int, int]:
    """The key of Dropout's random stream."""
    if rng is None and layer._trains_with_dropout():
        raise ValueError(f'[{op}] rng, a seed, is needed by Dropout in "train" mode. Received None.')
    return _NO_SEED if rng is None else philox_key(rng, op=op)
