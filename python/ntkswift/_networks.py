"""What callers pass as a network: a layer, one of its functions, or the triple that it was unpacked into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._arrays import check_array
from ._checks import choice
from ._labels import class_count, labels_of, listed, one_hot, probabilities
from ._random import philox_key
from .stax import FiniteNetwork, Layer, finite_network

__all__ = [
    "LOSSES",
    "NetworkTargets",
    "find_layer",
    "kernel_function",
    "layer_of",
    "loss_number",
    "network_for",
    "second_rows",
    "seed_of",
    "targets_for",
]

LOSSES = {"mse": 0, "cross_entropy": 1, "logistic": 2}
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


def kernel_function(value: Any, op: str, name: str = "kernel_fn") -> Callable[..., Any]:
    """The ``kernel_fn(x1, x2, get)`` of a network, or a caller's function of the same arguments; TypeError for others.

    scikit-learn's kernels are refused by name: their third argument is `eval_gradient`, so calls would go wrong silently.
    """
    layer = find_layer(value)
    if layer is not None:
        return layer.kernel_fn
    if hasattr(value, "is_stationary") and hasattr(value, "hyperparameters"):
        raise TypeError(
            f"[{op}] {name} must be a network of ntkswift.stax or a function (x1, x2, get). Received a kernel of scikit-learn, "
            f"{value!r}: wrap it as a function, lambda x1, x2, get: kernel(x1, x2)."
        )
    if not callable(value):
        raise TypeError(
            f"[{op}] {name} must be a network of ntkswift.stax or a function (x1, x2, get). Received {type(value).__name__}."
        )
    function: Callable[..., Any] = value
    return function


def network_for(value: Any, x: Any, op: str, name: str = "x1") -> tuple[FiniteNetwork, np.ndarray]:
    """The finite network for inputs `x`, and these as rows."""
    array = check_array(x, name, ndim=None, dtype=np.float64, op=op)
    network = finite_network(layer_of(value, op), array.shape[1:], op)
    return network, network.rows(array, name)


def loss_number(loss: Any, op: str) -> int:
    """The number by which the core knows a loss of networks."""
    return LOSSES[choice(loss, op, "loss", LOSSES)]


class NetworkTargets(NamedTuple):
    """Targets as rows, as the core's losses take them, and the classes' names where they were given as strings."""

    rows: np.ndarray
    classes: tuple[str, ...] | None = None


def targets_for(
    network: FiniteNetwork, y: Any, count: int, loss: Any, name: str = "y", classes: tuple[str, ...] | None = None
) -> NetworkTargets:
    """What `count` inputs should give under a loss: numbers of the shape of the outputs; of the losses of classes labels, too.

    Labels are integers, booleans or strings of shape (n,), see `_labels`. For "cross_entropy" they are the numbers of the
    outputs, for "logistic" those of two classes of which the output is the log odds of the second.

    Parameters
    ----------
    classes : tuple of str, optional
        Names of the classes that other targets of the same network have.

    Raises
    ------
    ValueError
        Where the loss does not suit the outputs, or the targets do not suit both.
    """
    op, outputs = network.op, network.output_shape
    if choice(loss, op, "loss", LOSSES) == "mse":
        return NetworkTargets(network.targets(y, count, name))
    number = class_count(loss, outputs, op)
    labels = labels_of(y, op, name, classes)
    if labels is None:
        return NetworkTargets(probabilities(network.targets(y, count, name), loss, op, name))
    wanted = count * network.core.output_blocks
    if len(labels.numbers) != wanted:
        raise ValueError(
            f"[{op}] {name} must have one label for each of {wanted} inputs. Received {len(labels.numbers)}."
        )
    if labels.classes is not None and len(labels.classes) != number:
        raise ValueError(
            f"[{op}] {name} must hold {number} different strings, one per class. "
            f"Received {len(labels.classes)}: {listed(labels.classes)}."
        )
    targets = one_hot(labels.numbers, number, op, name)
    return NetworkTargets(targets[:, 1:] if loss == "logistic" else targets, labels.classes)


def second_rows(network: FiniteNetwork, x2: Any) -> np.ndarray | None:
    """The second inputs as rows; None where they are the first ones."""
    return None if x2 is None else network.rows(x2, "x2")


def seed_of(layer: Layer, seed: Any, op: str, name: str = "seed") -> tuple[int, int]:
    """The key of Dropout's random stream."""
    if seed is None and layer._trains_with_dropout():
        raise ValueError(f'[{op}] {name} is needed by Dropout in "train" mode. Received None.')
    return _NO_SEED if seed is None else philox_key(seed, op=op)
