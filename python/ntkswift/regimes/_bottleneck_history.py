"""What was recorded while a network with a bottleneck was trained, and how long it took to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._arrays import check_array
from .._checks import real
from .._runs import History


def _empty(axes: int) -> Callable[[], np.ndarray]:
    return lambda: np.zeros((0,) * axes)


@dataclass(repr=False)
class BottleneckHistory(History):
    """One run: a `History`, and some whole states, recorded after the `recorded` steps.

    `loss` is ``0.5 mean (F - y)^2`` on the training points before the first step and after each step (gradient flow: after
    each step of the integrator); `time` the learning rate times the number of steps, or the time of the flow.

    Attributes
    ----------
    recorded_time : ndarray of shape (r,)
        The times of the recorded states.
    positions : ndarray of shape (r, n + m, units)
        Bottleneck representation of the training points, then of the test points.
    outputs : ndarray of shape (r, n + m, outputs)
        Outputs F of the network.
    gradients : ndarray of shape (r, n + m, outputs, units)
        Gradient of the outer function at the positions.
    n_train : int
        Number n of training points.
    size : int
        Number of positions that the learned part of the outer function is made of.
    compression_error : float
        Bound on what the compression of the history took from the outer function at the final training positions; it
        does not count how such errors moved later positions. 0 for an exact history.
    """

    recorded_time: np.ndarray = field(default_factory=_empty(1))
    positions: np.ndarray = field(default_factory=_empty(3))
    outputs: np.ndarray = field(default_factory=_empty(3))
    gradients: np.ndarray = field(default_factory=_empty(4))
    n_train: int = 0
    size: int = 0
    compression_error: float = 0.0

    @property
    def train_positions(self) -> np.ndarray:
        """`positions` of the training points."""
        return self.positions[:, : self.n_train]

    @property
    def test_positions(self) -> np.ndarray:
        """`positions` of the test points."""
        return self.positions[:, self.n_train :]

    @property
    def movement(self) -> np.ndarray:
        """Distance of the training positions from their start, relative to its norm, for each recorded state."""
        train = self.train_positions
        start = max(float(np.linalg.norm(train[0])), np.finfo(float).tiny)
        return np.linalg.norm(train - train[0], axis=(1, 2)) / start

    def time_to_threshold(self, threshold: float = 1e-3) -> float:
        """Time at which the loss first was at most `threshold` times that at the start; inf where it never was."""
        return time_to_threshold(self.loss, threshold, self.time)


def time_to_threshold(loss: Any, threshold: float = 1e-3, times: Any = None) -> float:
    """Time at which a loss first was at most `threshold` times its first value.

    Parameters
    ----------
    loss : array_like of shape (r,)
        Losses.
    threshold : float, default=1e-3
        Between 0 and 1.
    times : array_like of shape (r,), optional
        Times of the losses; without them their numbers 0, 1, ...

    Returns
    -------
    float
        Interpolated between two losses on a logarithmic scale; inf where the threshold was not reached.

    Examples
    --------
    >>> import numpy as np
    >>> round(time_to_threshold(np.exp(-0.5 * np.arange(40))), 6)  # 2 log(1000)
    13.815511
    """
    op = "time_to_threshold"
    losses = check_array(loss, "loss", ndim=1, dtype=np.float64, finite=False, min_rows=1, op=op)
    threshold = real(threshold, op, "threshold", above=0, maximum=1)
    at = np.arange(len(losses), dtype=float) if times is None else np.asarray(times, float)
    if at.shape != losses.shape:
        raise ValueError(f"[{op}] times must have one entry per loss. Received shapes {at.shape} and {losses.shape}.")
    level = threshold * losses[0]
    below = np.flatnonzero(losses <= level)
    if not below.size:
        return float("inf")
    i = int(below[0])
    if i == 0 or losses[i] <= 0:
        return float(at[i])
    share = np.log(losses[i - 1] / level) / np.log(losses[i - 1] / losses[i])
    return float(at[i - 1] + share * (at[i] - at[i - 1]))
