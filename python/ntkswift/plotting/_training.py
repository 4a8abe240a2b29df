"""Losses of training runs against steps or time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .style import COLOURS, new_axes, tidy, vector


class TrainingDisplay:
    """Training and validation losses, one colour per run.

    Parameters
    ----------
    losses : mapping of str to (positions, losses)
        Training losses by the name of their run, each with the steps (or times) where they were measured.
    validation_losses : mapping of str to (positions, losses), optional
        The same on validation data; drawn dashed in the run's colour.
    xlabel : str
        What the positions are.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        losses: Mapping[str, tuple[Any, Any]],
        validation_losses: Mapping[str, tuple[Any, Any]] | None = None,
        *,
        xlabel: str = "step",
    ) -> None:
        self.losses = {name: _curve(curve, name) for name, curve in losses.items()}
        self.validation_losses = {name: _curve(curve, name) for name, curve in (validation_losses or {}).items()}
        self.xlabel = xlabel

    @classmethod
    def from_histories(cls, histories: Mapping[str, Any]) -> TrainingDisplay:
        """Return the display of the histories of training runs by name."""
        losses, validation = {}, {}
        for name, history in histories.items():
            losses[name] = (history.time[: len(history.loss)], history.loss)
            if len(getattr(history, "validation_loss", ())):
                where = history.recorded
                if len(history.time) > history.steps:  # gradient flow ends with a time of its own
                    where = history.time[np.minimum(where, len(history.time) - 1)]
                validation[name] = (where, history.validation_loss)
        has_time = any(history.clock == "time" for history in histories.values())
        return cls(losses, validation, xlabel="time" if has_time else "step")

    @classmethod
    def from_history(cls, history: Any, *, name: str = "training") -> TrainingDisplay:
        """Return the display of the history of one training run."""
        return cls.from_histories({name: history})

    def plot(self, ax: Any = None) -> TrainingDisplay:
        """Draw the losses on a logarithmic axis."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        for i, (name, (positions, values)) in enumerate(self.losses.items()):
            colour = COLOURS[i % len(COLOURS)]
            self.ax_.semilogy(positions, values, color=colour, linewidth=1.4, label=name)
            if name in self.validation_losses:
                self.ax_.semilogy(
                    *self.validation_losses[name], color=colour, linestyle="--", marker="o", markersize=3,
                    label=f"{name}, validation",
                )  # fmt: skip
        self.ax_.set(xlabel=self.xlabel, ylabel="loss")
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self


def _curve(curve: tuple[Any, Any], name: str) -> tuple[np.ndarray, np.ndarray]:
    positions, values = curve
    values = vector(values, "TrainingDisplay", name)
    return vector(positions, "TrainingDisplay", name, len(values)), values
