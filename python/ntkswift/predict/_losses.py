"""Losses of :func:`gradient_descent` as the core takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._arrays import check_array
from .._checks import choice
from .._labels import class_count, labels_of, listed, one_hot, probabilities
from ._shapes import Targets

_OP = "gradient_descent"
_CLASSES = ("cross_entropy", "logistic")
_MEANS = ("inputs", "inputs_and_classes")


class CoreLoss(NamedTuple):
    """Arguments of `_core.gradient_descent`: the kind of loss, a function of the outputs as a vector, targets, classes and
    what divides their cross-entropy.
    """

    loss: str
    function: Callable[[np.ndarray], Any] | None
    targets: np.ndarray | None
    classes: int = 1
    divisor: float = 1.0


def class_targets(loss: Any, y: Any) -> Any:
    """Labels as the targets of a loss of classes, of shape (n, classes) or, for "logistic", (n,); other targets as they are."""
    labels = labels_of(y, _OP, "y_train") if isinstance(loss, str) and loss in _CLASSES else None
    if labels is None:
        return y
    numbers = labels.numbers
    if loss == "logistic":
        if labels.classes is not None and len(labels.classes) != 2:
            raise ValueError(
                f"[{_OP}] y_train must hold two different strings, one per class. Received {listed(labels.classes)}."
            )
        return one_hot(numbers, 2, _OP, "y_train")[:, 1]
    return one_hot(numbers, max(2, int(numbers.max(initial=0)) + 1), _OP, "y_train")


def core_loss(loss: Any, gradient: Any, targets: Targets, mean_over: Any) -> CoreLoss:
    """`loss` (a name or a callable) with its gradient (a callable or None) for outputs in the core's order."""
    if gradient is not None and not callable(gradient):
        raise TypeError(f"[{_OP}] loss_gradient must be callable. Received {type(gradient).__name__}.")
    if choice(mean_over, _OP, "mean_over", _MEANS) != _MEANS[0] and loss != "cross_entropy":
        raise ValueError(f'[{_OP}] mean_over="{mean_over}" is for the loss "cross_entropy". Received loss={loss!r}.')
    if isinstance(loss, str):
        if gradient is not None:
            raise ValueError(f"[{_OP}] loss_gradient belongs to a callable loss. Received loss={loss!r}.")
        return _named(choice(loss, _OP, "loss", ("mse", *_CLASSES)), targets, mean_over)
    if not callable(loss):
        raise TypeError(
            f'[{_OP}] loss must be "mse", "cross_entropy", "logistic" or callable. Received {type(loss).__name__}.'
        )
    y = targets.array.astype(np.float64, copy=False)
    if gradient is not None:
        return CoreLoss("gradient", _gradient_function(gradient, y, targets), None)

    def value(outputs: np.ndarray) -> float:
        return _number(loss(_layout(outputs, targets), y))

    return CoreLoss("value", value, None)


def _named(loss: str, targets: Targets, mean_over: str) -> CoreLoss:
    if loss == "mse":
        return CoreLoss(loss, None, targets.matrix(targets.array))
    y = probabilities(targets.array.astype(np.float64, copy=False), loss, _OP, "y_train")
    shape = y.shape if y.ndim > 1 else (*y.shape, 1)
    if loss == "logistic":
        class_count(
            loss, tuple(n for axis, n in enumerate(shape, -len(shape)) if axis in targets.trace_axes) or (1,), _OP
        )
        return CoreLoss(loss, None, targets.matrix(y))
    classes = class_count(loss, shape[-1:], _OP)
    divisor = float(y.size if mean_over == _MEANS[1] else y.size // classes)
    # The core needs the classes of one point side by side.
    if not targets.trace_axes or -1 in targets.trace_axes:
        return CoreLoss(loss, None, targets.matrix(y), classes, divisor)

    def gradient(f: np.ndarray, z: np.ndarray) -> np.ndarray:
        return _cross_entropy_gradient(f, z) / divisor

    return CoreLoss("gradient", _gradient_function(gradient, y, targets), None)


def _gradient_function(
    gradient: Callable[..., Any], y: np.ndarray, targets: Targets
) -> Callable[[np.ndarray], np.ndarray]:
    def function(outputs: np.ndarray) -> np.ndarray:
        # Trial steps may go too far: the integrator shortens them where the gradient is not finite.
        slope = _array(gradient(_layout(outputs, targets), y), "loss_gradient")
        if slope.shape != y.shape:
            raise ValueError(f"[{_OP}] loss_gradient must return an array of shape {y.shape}. Received {slope.shape}.")
        return targets.matrix(slope).ravel()

    return function


def _layout(outputs: np.ndarray, targets: Targets) -> np.ndarray:
    return targets.outputs(outputs, targets.rows)


def _array(value: Any, name: str) -> np.ndarray:
    return check_array(value, f"the result of {name}", ndim=None, dtype=np.float64, finite=False, op=_OP)


def _number(value: Any) -> float:
    array = _array(value, "loss")
    if array.size != 1:
        raise ValueError(f"[{_OP}] loss must return one number. Received an array of shape {array.shape}.")
    return float(array.reshape(()))


def _cross_entropy_gradient(f: np.ndarray, y: np.ndarray) -> np.ndarray:
    weights = np.exp(f - f.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) * y.sum(axis=-1, keepdims=True) - y
