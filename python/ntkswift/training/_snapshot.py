"""What a callback sees of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._problem import Problem


class Snapshot:
    """A training run between two steps, as callbacks receive it.

    Attributes
    ----------
    step : int
        Steps done.
    time : float
        Of gradient flow; the number of steps otherwise.
    loss : float
        The loss before the last step; NaN before the first.
    learning_rate : float or None
        Of the last step, or the optimiser's before the first; None for gradient flow.
    vector : ndarray
        All trained parameters as one flat vector (read-only; copy it to keep it). In mode "random_features" those of
        the last layer.
    problem : Problem
        The network that is trained, its inputs and targets as rows, loss, mode and batch size.
    """

    def __init__(
        self, problem: Problem, vector: np.ndarray, step: int, time: float, loss: float, learning_rate: float | None
    ) -> None:
        self.problem = problem
        self.step = step
        self.time = time
        self.loss = loss
        self.learning_rate = learning_rate
        self.vector = vector.view()
        self.vector.flags.writeable = False

    @property
    def params(self) -> Any:
        """The parameters of the network, nested as the caller gave them (a copy)."""
        return self.problem.nested(self.vector.copy())

    @property
    def indices(self) -> np.ndarray:
        """Numbers of the inputs in the batch of the next step."""
        return self.problem.batch(self.step)

    @property
    def batch(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of the next step, as rows."""
        return self.problem.x[self.indices], self.problem.y[self.indices]

    def __repr__(self) -> str:
        return f"Snapshot(step={self.step}, loss={self.loss:.6g})"
