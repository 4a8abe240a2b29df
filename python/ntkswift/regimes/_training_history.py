"""What was recorded while a two-layer network was trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TrainingHistory:
    """Losses of one training run, averaged over windows of steps.

    Attributes
    ----------
    step : ndarray of shape (r,)
        Number of steps taken at the end of each window.
    loss : ndarray of shape (r,)
        Mean squared error of the batches of the window, each before its step: for fresh samples an unbiased estimate of
        the risk.
    learning_rate : ndarray of shape (r,)
        Learning rate at the end of each window.
    batch_size : int
    steps : int
        Steps taken.
    diverged, interrupted : bool
        Whether training stopped early, and why.
    """

    step: np.ndarray
    loss: np.ndarray
    learning_rate: np.ndarray
    batch_size: int
    steps: int
    diverged: bool = False
    interrupted: bool = False

    def plot(self, ax: Any = None, *, label: str = "batch loss") -> Any:
        """Draw the loss against the steps on a logarithmic axis, and return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure without it.
        label : str
            Name of the curve.
        """
        from ..plotting.style import new_axes, tidy

        ax = new_axes(ax)
        ax.plot(self.step, self.loss, label=label)
        ax.set(xlabel="steps", ylabel="mean squared error", yscale="log")
        tidy(ax)
        return ax
