"""Optimisers, as plain values; the core checks their numbers and takes the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._checks import real

_DESCENT, _ADAM, _FLOW = 0, 1, 2


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``v = momentum v + g``, ``params -= learning_rate v``.

    Parameters
    ----------
    learning_rate : float
        Step size, times the schedule.
    momentum : float
        In [0, 1).
    nesterov : bool
        Step along ``g + momentum v`` instead of ``v``.
    weight_decay : float
        Times the parameters, added to the gradient g.
    """

    learning_rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def _settings(self) -> dict[str, Any]:
        return {
            "kind": _DESCENT,
            "learning_rate": real(self.learning_rate, "train", "learning_rate"),
            "momentum": real(self.momentum, "train", "momentum"),
            "is_nesterov": bool(self.nesterov),
            "weight_decay": real(self.weight_decay, "train", "weight_decay"),
        }

    @property
    def _moments(self) -> int:
        return 0 if self.momentum == 0 else 1


@dataclass(frozen=True)
class GD(SGD):
    """Gradient descent on all inputs in every step; otherwise as `SGD`.

    Parameters
    ----------
    learning_rate, momentum, nesterov, weight_decay
        As for `SGD`.
    """

    learning_rate: float = 1.0


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction (Kingma and Ba, arXiv:1412.6980).

    Parameters
    ----------
    learning_rate : float
        Step size, times the schedule.
    b1, b2 : float
        Decay of the averages of gradients and of their squares, in [0, 1).
    eps : float
        Added to the root of the second average, after its bias is corrected.
    weight_decay : float
        Apart from the averages: ``params -= learning_rate weight_decay params`` (AdamW; arXiv:1711.05101).
    """

    learning_rate: float = 1e-3
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def _settings(self) -> dict[str, Any]:
        return {
            "kind": _ADAM,
            "learning_rate": real(self.learning_rate, "train", "learning_rate"),
            "b1": real(self.b1, "train", "b1"),
            "b2": real(self.b2, "train", "b2"),
            "epsilon": real(self.eps, "train", "eps"),
            "weight_decay": real(self.weight_decay, "train", "weight_decay"),
        }

    @property
    def _moments(self) -> int:
        return 2


@dataclass(frozen=True)
class Flow:
    """Gradient flow, ``d params / dt = -gradient``, by Dormand and Prince's adaptive method.

    Parameters
    ----------
    tolerance : float
        Largest local error of a step in any parameter, relative to the largest distance that a parameter has moved.
        Kinked nonlinearities (ReLU) cost many small steps, about as many as one over the tolerance; smooth ones do not.
    weight_decay : float
        Times the parameters, added to the gradient.
    """

    tolerance: float = 1e-5
    weight_decay: float = 0.0

    def _settings(self) -> dict[str, Any]:
        return {
            "kind": _FLOW,
            "tolerance": real(self.tolerance, "train", "tolerance"),
            "weight_decay": real(self.weight_decay, "train", "weight_decay"),
        }

    @property
    def _moments(self) -> int:
        return 1


Optimizer = SGD | Adam | Flow
NAMES: dict[str, type[Any]] = {"gd": GD, "sgd": SGD, "adam": Adam, "flow": Flow}


def optimizer_of(value: Any) -> Optimizer:
    """The optimiser that a caller means by a name or an object."""
    if isinstance(value, (SGD, Adam, Flow)):
        return value
    if isinstance(value, str) and value in NAMES:
        made: Optimizer = NAMES[value]()
        return made
    raise ValueError(
        f"[train] optimizer must be one of {sorted(NAMES)}, or a GD, SGD, Adam or Flow of ntkswift.training. Received {value!r}."
    )
