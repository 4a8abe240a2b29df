"""Class labels that callers pass (integers, booleans or strings), and what the losses of classes ask of targets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Labels", "class_count", "labels_of", "listed", "one_hot", "probabilities"]

_SHOWN = 6


class Labels(NamedTuple):
    """The numbers of the classes, and the classes' names where the labels were strings."""

    numbers: np.ndarray
    classes: tuple[str, ...] | None = None


def labels_of(y: Any, op: str, name: str, classes: tuple[str, ...] | None = None) -> Labels | None:
    """`y` as labels; None where it is something else than one axis of integers, booleans or strings.

    Integers are the numbers of the classes from 0, False and True are 0 and 1, strings are numbered in the order of
    `numpy.unique`, or as in `classes` where these are known already.

    Raises
    ------
    TypeError
        For labels that are None, or of several types.
    ValueError
        For negative integers, and for strings that are not among `classes`.
    """
    array = _as_array(y, op, name)
    if array.ndim != 1:
        return None
    if array.dtype.kind == "O" and len(array) and all(isinstance(label, str) for label in array):
        array = array.astype(str)
    if array.dtype.kind in "US":
        return _named(array.astype(str), op, name, classes)
    if array.dtype.kind not in "iub":
        return None
    numbers = array.astype(np.int64)
    if (numbers < 0).any():
        raise ValueError(
            f"[{op}] {name} must hold labels of 0 or more. Received {numbers.min()} at index {int(np.argmin(numbers))}."
        )
    return Labels(numbers)


def one_hot(numbers: np.ndarray, count: int, op: str, name: str) -> np.ndarray:
    """Probabilities of `count` classes, 1 for those of the labels' numbers; ValueError for larger numbers."""
    if len(numbers) and numbers.max() >= count:
        raise ValueError(f"[{op}] {name} must hold labels in 0..<{count}. Received {numbers.min()} to {numbers.max()}.")
    return np.asarray(numbers[:, None] == np.arange(count), np.float64)


def class_count(loss: str, outputs: tuple[int, ...], op: str) -> int:
    """The number of classes of a loss of classes for outputs of this shape; ValueError where it needs another one."""
    if loss == "logistic":
        if outputs != (1,):
            raise ValueError(
                f'[{op}] loss="logistic" needs one output; "cross_entropy" is the loss of several. '
                f"Received outputs of shape {outputs}."
            )
        return 2
    if len(outputs) != 1 or outputs[0] < 2:
        raise ValueError(
            f'[{op}] loss="cross_entropy" needs two outputs or more, one per class; "logistic" is the loss of one output. '
            f"Received outputs of shape {outputs}."
        )
    return outputs[0]


def probabilities(targets: np.ndarray, loss: str, op: str, name: str) -> np.ndarray:
    """`targets` where they may be probabilities; ValueError otherwise."""
    if (targets < 0).any():
        raise ValueError(f"[{op}] {name} must hold class labels or probabilities. Received a negative number.")
    if loss == "logistic" and (targets > 1).any():
        raise ValueError(f"[{op}] {name} must hold class labels or probabilities. Received {targets.max():g}.")
    return targets


def listed(classes: Any) -> str:
    """Names of classes for a message, the first few of many."""
    shown = ", ".join(repr(label) for label in list(classes)[:_SHOWN])
    return f"{shown} ... ({len(classes)} classes)" if len(classes) > _SHOWN else shown


def _as_array(y: Any, op: str, name: str) -> np.ndarray:
    if isinstance(y, (list, tuple)) and any(isinstance(label, str) for label in y):
        array = np.asarray(y, object)  # a mixture would become strings
    else:
        array = y if isinstance(y, np.ndarray) else np.asarray(y)
    if array.dtype.kind != "O":
        return array
    missing = [i for i, label in enumerate(array.ravel()) if label is None]
    if array.ndim == 0 and missing:
        raise TypeError(f"[{op}] {name} must hold targets or labels. Received None.")
    if missing:
        raise TypeError(f"[{op}] {name} must have a label for each input. Received None at index {missing[0]}.")
    if array.ndim == 1 and any(isinstance(label, str) for label in array):
        other = next((label for label in array if not isinstance(label, str)), None)
        if other is not None:
            raise TypeError(
                f"[{op}] {name} must hold labels of one type. Received strings and {type(other).__name__} ({other!r})."
            )
    return array


def _named(array: np.ndarray, op: str, name: str, classes: tuple[str, ...] | None) -> Labels:
    found, numbers = np.unique(array, return_inverse=True)
    if classes is None:
        return Labels(numbers.ravel(), tuple(str(label) for label in found))
    unknown = [str(label) for label in found if str(label) not in classes]
    if unknown:
        raise ValueError(f"[{op}] {name} must hold labels of {listed(classes)}. Received {listed(unknown)}.")
    places = np.array([classes.index(str(label)) for label in found], np.int64)
    return Labels(places[numbers.ravel()], classes)
