"""Losses of :func:`gradient_descent` as the core takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._arrays import check_array
from ._shapes import Targets

_OP = "gradient_descent"


class CoreLoss(NamedTuple):
    """Arguments of `_core.gradient_descent`: the kind of loss, a function of the outputs as a vector, targets, classes."""

    loss: str
    function: Callable[[np.ndarray], Any] | None
    targets: np.ndarray | None
    classes: int


def core_loss(loss: Any, gradient: Any, targets: Targets) -> CoreLoss:
    """`loss` (a name or a callable) with its gradient (a callable or None) for outputs in the core's order."""
    if gradient is not None and not callable(gradient):
        raise TypeError(f"[{_OP}] loss_gradient must be callable. Received {type(gradient).__name__}.")
    if isinstance(loss, str):
        return _named(loss, gradient, targets)
    if not callable(loss):
        raise TypeError(f'[{_OP}] loss must be "mse", "cross_entropy" or callable. Received {type(loss).__name__}.')
    y = targets.array.astype(np.float64, copy=False)
    if gradient is not None:
        return CoreLoss("gradient", _gradient_function(gradient, y, targets), None, 1)

    def value(outputs: np.ndarray) -> float:
        return _number(loss(_layout(outputs, targets), y))

    return CoreLoss("value", value, None, 1)


def _named(loss: str, gradient: Any, targets: Targets) -> CoreLoss:
    if loss not in ("mse", "cross_entropy") or gradient is not None:
        raise ValueError(
            f'[{_OP}] loss must be "mse" or "cross_entropy", without loss_gradient, or callable. Received {loss!r}'
            f"{' with a gradient' if gradient is not None else ''}."
        )
    classes = targets.array.shape[-1]
    # The core needs the classes of one point side by side.
    if loss == "mse" or not targets.trace_axes or -1 in targets.trace_axes:
        return CoreLoss(loss, None, targets.matrix(targets.array), classes)
    y = targets.array.astype(np.float64, copy=False)
    return CoreLoss("gradient", _gradient_function(_cross_entropy_gradient, y, targets), None, classes)


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
    return (weights / weights.sum(axis=-1, keepdims=True) * y.sum(axis=-1, keepdims=True) - y) / y.size
