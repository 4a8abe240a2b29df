"""One training run of an infinitely wide network with a bottleneck, whose state the core keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._call import Resources
from .._runs import Loop
from ._bottleneck_history import BottleneckHistory


class Run(Loop):
    """Gradient descent of `steps` steps, or gradient flow to `times`; the core takes all of them in one call.

    `core` is the core's run, `shape` the numbers of training points, points, units and outputs, `learning_rate` None for flow.
    """

    def __init__(
        self, op: str, core: Any, shape: tuple[int, int, int, int], resources: Resources, learning_rate: float | None, *,
        steps: int = 0, every: int = 1, times: np.ndarray | None = None, every_step: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(op, steps, resources)
        self.core, self.shape, self.learning_rate = core, shape, learning_rate
        self.every, self.times, self.every_step = every, times, every_step
        self.state: dict[str, Any] = {}

    def go(self, bar: Any) -> None:
        resources = Resources(self.resources.threads, self.resources.memory_limit, self.resources.progress or bar)
        if self.times is None:
            resources.run_method(self.core, "descend", self.op, self.steps, self.every)
        else:
            resources.run_method(self.core, "flow", self.op, self.times, self.every_step)
        self.stopped = "finished"

    def history(self) -> BottleneckHistory:
        Resources().run_method(self.core, "complete", self.op)
        self.state = state = self.core.read()
        n, points, units, outputs = self.shape
        loss, time = state["losses"].ravel(), state["loss_times"].ravel()
        count = len(state["state_steps"])
        self.step = max(0, len(loss) - 1)
        rates = np.diff(time) if self.learning_rate is None else np.full(self.step, self.learning_rate)
        return BottleneckHistory(
            loss=loss,
            learning_rate=rates,
            time=time,
            steps=self.step,
            stopped=self.stopped or "interrupted",
            recorded=state["state_steps"].ravel().astype(int),
            recorded_time=state["state_times"].ravel(),
            positions=state["z"].reshape(count, points, units),
            outputs=state["values"].reshape(count, points, outputs),
            gradients=state["gradients"].reshape(count, points, outputs, units),
            clock="time",
            n_train=n,
            size=len(state["anchors"]),
            compression_error=float(state["compression_error"]),
        )
