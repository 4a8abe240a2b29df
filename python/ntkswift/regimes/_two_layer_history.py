"""What was recorded while a two-layer network was trained."""

from __future__ import annotations

from dataclasses import dataclass

from .._runs import History


@dataclass(repr=False)
class TwoLayerHistory(History):
    """One run of stochastic gradient descent: a `History` whose entries are windows of steps.

    `loss` is the mean squared error of the batches of a window, each before its step: for fresh samples an unbiased estimate
    of the risk. `learning_rate` and `time` are those of the window's last step.

    Attributes
    ----------
    batch_size : int
        Samples of a batch.
    window : int
        Steps of a window; the last one may have fewer.
    """

    batch_size: int = 1
    window: int = 1
