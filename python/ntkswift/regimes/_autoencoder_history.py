"""What was recorded while an autoencoder was trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._runs import History


def _none() -> np.ndarray:
    return np.zeros(0)


@dataclass(repr=False)
class AutoencoderHistory(History):
    """One run: a `History`, and how far the weights moved.

    `loss` is ``0.5 sum_i ||u_i - x_i||^2`` before the first step and after each step; `time` the learning rate times the number
    of the step, which for gradient flow is the time. The following were measured after the `recorded` steps, the first at 0.

    Attributes
    ----------
    encoder_movement, decoder_movement : ndarray of shape (r,)
        Distance of the weights from their start, relative to the norm of the start (Frobenius).
    largest_neuron_movement : ndarray of shape (r,)
        Largest distance of one neuron's encoder weights from their start; the start has norm about ``sqrt(d)``.
    flipped : ndarray of shape (r,)
        Share of the pairs of neuron and input whose activation pattern is not that of the start.
    kernel_movement : ndarray of shape (r,) or None
        Distance of the empirical kernel from its start, relative to the start (Frobenius); None where not asked for.
    initial_output_norm : float
        Root mean square over the inputs of ``||u_i||`` at the start.
    """

    encoder_movement: np.ndarray = field(default_factory=_none)
    decoder_movement: np.ndarray = field(default_factory=_none)
    largest_neuron_movement: np.ndarray = field(default_factory=_none)
    flipped: np.ndarray = field(default_factory=_none)
    kernel_movement: np.ndarray | None = None
    initial_output_norm: float = float("nan")

    def late_rate(self, steps: int = 20) -> float:
        """Factor by which the loss shrank per step over the last `steps` steps (geometric mean)."""
        steps = min(int(steps), self.steps)
        if steps < 1:
            raise ValueError("[AutoencoderHistory.late_rate] needs at least one step. Received a history without any.")
        return float((self.loss[-1] / self.loss[-1 - steps]) ** (1 / steps))

    def plot(self, ax: Any = None, *, predicted: Any = None) -> Any:
        """Draw the losses; returns the `ntkswift.plotting.TrainingDisplay`, whose `ax_` and `figure_` are set.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure without it.
        predicted : array_like, optional
            Losses of the same steps to draw beside them, from `Autoencoder.predicted_loss`.
        """
        if predicted is None:
            return super().plot(ax)
        from ..plotting import TrainingDisplay

        losses = np.asarray(predicted, float)
        curves = {
            "training": (np.arange(len(self.loss)), self.loss),
            "infinite width": (np.arange(len(losses)), losses),
        }
        return TrainingDisplay(curves).plot(ax)
