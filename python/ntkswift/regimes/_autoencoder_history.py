"""What was recorded while an autoencoder was trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class AutoencoderHistory:
    """Losses and movements of one training run.

    Attributes
    ----------
    loss : ndarray of shape (steps done + 1,)
        ``0.5 sum_i ||u_i - x_i||^2`` before the first step and after each step.
    learning_rate : float
        Step size; for gradient flow the time between two losses.
    records : ndarray of shape (r,)
        The steps after which the following were measured, the first at 0.
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
    diverged, interrupted : bool
        Whether training stopped early, and why.
    """

    loss: np.ndarray
    learning_rate: float
    initial_output_norm: float = float("nan")
    records: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    encoder_movement: np.ndarray = field(default_factory=lambda: np.zeros(0))
    decoder_movement: np.ndarray = field(default_factory=lambda: np.zeros(0))
    largest_neuron_movement: np.ndarray = field(default_factory=lambda: np.zeros(0))
    flipped: np.ndarray = field(default_factory=lambda: np.zeros(0))
    kernel_movement: np.ndarray | None = None
    diverged: bool = False
    interrupted: bool = False

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.loss) - 1

    @property
    def time(self) -> np.ndarray:
        """``learning_rate`` times the number of steps, for each loss."""
        return self.learning_rate * np.arange(len(self.loss))

    def late_rate(self, steps: int = 20) -> float:
        """Factor by which the loss shrank per step over the last `steps` steps (geometric mean)."""
        steps = min(int(steps), self.steps)
        if steps < 1:
            raise ValueError("[AutoencoderHistory.late_rate] needs at least one step. Received a history without any.")
        return float((self.loss[-1] / self.loss[-1 - steps]) ** (1 / steps))

    def plot(self, ax: Any = None, *, predicted: Any = None, label: str = "measured") -> Any:
        """Draw the loss against the steps on a logarithmic axis, and return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure without it.
        predicted : array_like, optional
            Losses to draw beside them, from `Autoencoder.predicted_loss`.
        label : str
            Name of the measured curve.
        """
        from ..plotting.style import COLOURS, new_axes, tidy

        ax = new_axes(ax)
        ax.semilogy(np.arange(len(self.loss)), self.loss, color=COLOURS[0], label=label)
        if predicted is not None:
            ax.semilogy(np.arange(len(predicted)), predicted, color="black", linestyle="--", label="infinite width")
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        ax.legend(frameon=False)
        tidy(ax)
        return ax
