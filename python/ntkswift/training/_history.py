"""What was recorded while a network was trained."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_ARRAYS = ("loss", "learning_rate", "time", "gradient_norm", "recorded", "validation_loss", "validation_accuracy")


@dataclass
class History:
    """One training run: entry k of the per-step arrays is that of step k, counted from 0.

    Attributes
    ----------
    loss : ndarray
        The loss of each step's batch before the step; one entry more than steps where a loss ended training (the
        threshold, divergence) or gradient flow arrived.
    learning_rate : ndarray
        The learning rate of each step; of gradient flow the length of the step in time.
    time : ndarray
        Of gradient flow the time before each step; otherwise the number of the step.
    gradient_norm : ndarray or None
        The Euclidean norm of each step's gradient, where asked for.
    recorded : ndarray of int
        Steps after which the validation data were evaluated.
    validation_loss, validation_accuracy : ndarray
        What was found there.
    params : nested tuples
        The parameters at the end.
    steps : int
        Steps done.
    stopped : {"finished", "threshold", "patience", "callback", "interrupted", "diverged"}
        Why training ended.
    settings : dict
        The optimiser, its schedule, the loss and the mode as text.
    """

    loss: np.ndarray
    learning_rate: np.ndarray
    time: np.ndarray
    gradient_norm: np.ndarray | None
    recorded: np.ndarray
    validation_loss: np.ndarray
    validation_accuracy: np.ndarray
    params: Any = field(repr=False)
    steps: int
    stopped: str
    settings: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.stopped == "interrupted"

    @property
    def diverged(self) -> bool:
        """Whether the loss left the finite numbers."""
        return self.stopped == "diverged"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses; returns the `ntkswift.plotting.TrainingDisplay`, whose `ax_` and `figure_` are set."""
        from ..plotting import TrainingDisplay

        return TrainingDisplay.from_history(self).plot(ax)

    def to_json(self, path: str | Path | None = None) -> str:
        """All but the parameters as JSON text; written to `path` where that is given."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        record = {
            "steps": self.steps,
            "stopped": self.stopped,
            "settings": self.settings,
            **{name: None if values is None else [_plain(v) for v in values] for name, values in arrays.items()},
        }
        text = json.dumps(record, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def save(self, path: str | Path) -> None:
        """Write the arrays, and the parameters one after the other as `parameter_0`, `parameter_1`, ..., to an npz file."""
        arrays = {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}
        leaves = {f"parameter_{i}": leaf for i, leaf in enumerate(_leaves(self.params))}
        with open(path, "wb") as file:
            np.savez(file, **arrays, **leaves)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        last = f", loss={self.loss[-1]:.6g}" if len(self.loss) else ""
        return f"History({self.steps} steps, stopped={self.stopped!r}{last})"


def _plain(value: Any) -> float | int | None:
    """A number for JSON, which knows no infinities."""
    number = value.item()
    return number if np.isfinite(number) else None


def _leaves(params: Any) -> list[np.ndarray]:
    if params is None:
        return []
    if isinstance(params, (tuple, list)):
        return [leaf for part in params for leaf in _leaves(part)]
    return [np.asarray(params)]
