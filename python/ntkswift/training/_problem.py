"""What is trained: a network or a part of it, its data, and the words of the loss and the mode."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._checks import choice, integer
from .._modes import mode_of
from .._networks import LOSSES, layer_of, network_for, targets_for
from ..stax import Dense, FiniteNetwork, Layer, Serial, op_table


@dataclass(frozen=True)
class Problem:
    """A network whose parameters are all trained, with its data as rows."""

    network: FiniteNetwork
    start: np.ndarray
    x: np.ndarray
    y: np.ndarray
    loss: str
    mode: str
    key: tuple[int, int]
    batch_size: int
    nested: Callable[[np.ndarray], Any]
    rows: Callable[[Any, Any, str], tuple[np.ndarray, np.ndarray]]
    fingerprint: str
    classes: tuple[str, ...] | None

    @property
    def steps_per_epoch(self) -> int:
        """Steps until all inputs have been seen."""
        return -(-len(self.x) // self.batch_size)

    def batch(self, step: int) -> np.ndarray:
        """Numbers of the inputs that a step sees."""
        return np.asarray(_core.training_batch(self.key, len(self.x), self.batch_size, step))

    def data_digest(self) -> str:
        """A hash of inputs and targets."""
        return _digest(self.x, self.y)


def make_problem(
    network: Any, params: Any, x: Any, y: Any, *, loss: str, mode: str, key: tuple[int, int], batch_size: int | None
) -> Problem:
    """The problem behind the arguments of `train`; ValueError where they do not fit together."""
    choice(loss, "train", "loss", LOSSES)
    mode = mode_of(mode, "train")
    layer = layer_of(network, "train")
    whole, inputs = network_for(layer, x, "train", "x")
    if mode != "full" and layer._trains_with_dropout():
        raise ValueError(f'[train] mode="{mode}" needs a fixed network, without Dropout in "train" mode. Received one.')
    whole.vector(params)  # refuses parameters of another network

    targets = targets_for(whole, y, len(inputs), loss)

    def rows(some_x: Any, some_y: Any, suffix: str) -> tuple[np.ndarray, np.ndarray]:
        name = f"x{suffix}"
        some = whole.rows(check_array(some_x, name, ndim=None, dtype=np.float64, op="train"), name)
        wanted = targets_for(whole, some_y, len(some), loss, f"y{suffix}", targets.classes)
        return (trained.features(some) if trained else some), wanted.rows

    trained = _LastLayer(layer, params, whole) if mode == "random_features" else None
    own = trained.features(inputs) if trained else inputs
    return Problem(
        network=trained.network if trained else whole,
        start=trained.network.vector(trained.params) if trained else whole.vector(params),
        x=own,
        y=targets.rows,
        loss=loss,
        mode=mode,
        key=key,
        batch_size=_batch_size(batch_size, len(own)),
        nested=trained.nested if trained else lambda vector: whole.nested(vector, params),
        rows=rows,
        fingerprint=_fingerprint(layer, whole.shape),
        classes=targets.classes,
    )


class _LastLayer:
    """The last layer of a network, as a network of its own on the features that the layers before it make."""

    def __init__(self, layer: Layer, params: Any, whole: FiniteNetwork) -> None:
        before, before_params, self.path, last, self.params = _split(layer, params)
        self.all_params = params
        self.head, self.head_params, self.shape = before, before_params, whole.shape
        example = before.apply_fn(before_params, np.zeros((1, *whole.shape)))
        self.network, _ = network_for(last, example, "train")
        if FiniteNetwork(before, whole.shape, "train").core.couples_batch:
            raise ValueError(
                '[train] mode="random_features" needs features that do not depend on the batch. Received BatchNorm.'
            )

    def features(self, rows: np.ndarray) -> np.ndarray:
        """What the last layer receives, as rows."""
        made = self.head.apply_fn(self.head_params, rows.reshape(len(rows), *self.shape))
        return np.asarray(made, np.float64).reshape(len(rows), -1)

    def nested(self, vector: np.ndarray) -> Any:
        """All parameters, those of the last layer from a flat vector."""
        return _replaced(self.all_params, self.path, self.network.nested(vector, self.params))


def _split(layer: Layer, params: Any) -> tuple[Layer, Any, tuple[int, ...], Layer, Any]:
    """The layers before the last one and their parameters, the place of the last one, it and its parameters."""
    if not isinstance(layer, Serial) or not layer.layers:
        if isinstance(layer, Dense) and layer.trainable:
            return Serial(()), (), (), layer, params
        raise ValueError(
            f'[train] mode="random_features" needs a network that ends in a trainable Dense. Received one that ends in {layer!r}.'
        )
    head, head_params, path, last, own = _split(layer.layers[-1], params[-1])
    return (
        Serial((*layer.layers[:-1], head)),
        (*params[:-1], head_params),
        (len(layer.layers) - 1, *path),
        last,
        own,
    )


def _replaced(params: Any, path: tuple[int, ...], part: Any) -> Any:
    if not path:
        return part
    entries = list(params)
    entries[path[0]] = _replaced(entries[path[0]], path[1:], part)
    return type(params)(entries)


def _batch_size(given: Any, count: int) -> int:
    if given is None:
        return count
    return integer(given, "train", "batch_size", maximum=count)


def _fingerprint(layer: Layer, shape: tuple[int, ...]) -> str:
    table = op_table(layer)
    return _digest(*table.arrays(), np.asarray(shape), np.asarray(len(table.functions)))


def _digest(*arrays: np.ndarray) -> str:
    state = hashlib.sha256()
    for array in arrays:
        state.update(str((array.dtype.str, array.shape)).encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
