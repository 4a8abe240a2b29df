"""One run of `train`: what is measured between stretches, and what a later run goes on from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._call import Resources
from .._checks import integer
from .._runs import History, Loop
from ._early_stopping import EarlyStopping
from ._history import NetworkHistory
from ._optimizers import Flow, Optimizer
from ._problem import Problem
from ._snapshot import Snapshot


class _Callback:
    """A caller's function, and the steps at which it is called: multiples of its own `every`, if it has one, and the end."""

    def __init__(self, call: Callable[[Snapshot], Any], every: int) -> None:
        own = getattr(call, "every", None)
        self.call, self.every = call, every if own is None else integer(own, "train", "every of a callback")
        self._last = -1

    def is_due(self, step: int, is_end: bool) -> bool:
        """Whether to call now; then it counts as called."""
        due = (step % self.every == 0 or is_end) and step != self._last
        self._last = step if due else self._last
        return due


class Run(Loop):
    """The training of a finite network; whole steps at every moment, also after an exception."""

    def __init__(
        self,
        problem: Problem,
        core: Any,
        optimizer: Optimizer,
        *,
        steps: int | None,
        every: int,
        validation: tuple[np.ndarray, np.ndarray] | None,
        stop: EarlyStopping,
        callbacks: Sequence[Callable[[Snapshot], Any]],
        wants_norm: bool,
        resources: Resources,
        settings: dict[str, Any],
    ) -> None:
        super().__init__("train", steps, resources, columns=4 if wants_norm else 3)
        self.problem, self.core, self.optimizer, self.every = problem, core, optimizer, every
        self.validation, self.stop, self.settings = validation, stop, settings
        self.callbacks = [_Callback(call, every) for call in callbacks]
        count, moments = len(problem.start), optimizer._moments
        self.start = problem.start
        self.parameters = self.start.copy()
        self.moments = np.zeros((max(moments, 1), count if moments else 1))
        self.gradient = np.zeros(count)
        self.state = np.zeros(4)  # step, time, next step, scale
        self.recorded: list[int] = []
        self.validations: list[tuple[float, float]] = []
        self.best = self.parameters[:0]
        self.autosave: Callable[[], None] | None = None
        self.save_every = 0

    def begin(self) -> None:
        """Let those callbacks know that a run begins which want to."""
        for own in self.callbacks:
            if hasattr(own.call, "begin"):
                own.call.begin(self._snapshot())

    # MARK: the steps

    def advance(self, length: int, record: np.ndarray, done: np.ndarray, resources: Resources) -> None:
        resources.run(
            "network_train", "train", self.problem.network.core, self.core, self.problem.x, self.problem.y, length,
            self.parameters, self.start, self.moments, self.gradient, self.state, record, done,
        )  # fmt: skip

    def next_pause(self) -> int:
        pauses = [every * (self.step // every + 1) for every in (self.every, *(own.every for own in self.callbacks))]
        if self.save_every:
            pauses.append(self.save_every * (self.step // self.save_every + 1))
        return min(super().next_pause(), *pauses)

    def divergence(self, history: History) -> str:
        rate = "" if isinstance(self.optimizer, Flow) else f" learning_rate {self.optimizer.learning_rate} and"
        return (
            f"[train] training must not diverge: choose a smaller learning_rate. Received{rate} a loss of "
            f"{history.loss[-1]} after {history.steps} steps (it was {history.loss[0]:.4g} at the start)."
        )

    # MARK: between stretches

    def pause(self) -> None:
        """Evaluate, call back, save; sets `stopped` where one of them says so."""
        is_end = bool(self.stopped) or (self.steps is not None and self.step >= self.steps)
        if (self.step % self.every == 0 or is_end) and (not self.recorded or self.recorded[-1] != self.step):
            self._validate()
        for own in self.callbacks:
            if own.is_due(self.step, is_end) and own.call(self._snapshot()) is True and not self.stopped:
                self.stopped = "callback"
        if self.autosave is not None and self.save_every and self.step and self.step % self.save_every == 0:
            self.autosave()

    def _validate(self) -> None:
        if self.validation is None:
            self.recorded.append(self.step)
            return
        try:
            found = self.evaluate(*self.validation)
        except OverflowError:  # training is about to diverge, and says so itself
            found = (float("inf"), float("nan"))
        self.recorded.append(self.step)
        self.validations.append(found)
        waited = self.stop.waited([loss for loss, _ in self.validations])
        if self.stop.restore_best and waited == 0:
            self.best = self.parameters.copy()
        if self.stop.patience is not None and waited >= self.stop.patience and not self.stopped:
            self.stopped = "patience"

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        """Loss and share of right answers of the model at present."""
        found: tuple[float, float] = self.resources.run(
            "network_evaluate", "evaluate", self.problem.network.core, self.core, self.parameters, self.start, x, y
        )
        return found

    def _snapshot(self) -> Snapshot:
        loss = self.records[0, self.step - 1] if self.step else float("nan")
        time = self.state[1] if self.steps is None else float(self.step)
        return Snapshot(self.problem, self.parameters, self.step, float(time), float(loss), self._learning_rate())

    def _learning_rate(self) -> float | None:
        """That of the last step, or the first one's without warm-up; gradient flow has none."""
        if isinstance(self.optimizer, Flow):
            return None
        return float(self.records[1, self.step - 1] if self.step else self.optimizer.learning_rate)

    # MARK: results

    def history(self) -> NetworkHistory:
        final = self.best if self.stop.restore_best and len(self.best) else self.parameters
        table = np.array(self.validations, float).reshape(-1, 2)
        return NetworkHistory(
            **self.columns(),
            gradient_norm=self.records[3].copy() if len(self.records) == 4 else None,
            recorded=np.array(self.recorded, int),
            validation_loss=table[:, 0].copy(),
            validation_accuracy=table[:, 1].copy(),
            params=self.problem.nested(final.copy()),
            settings=self.settings,
            clock="time" if self.steps is None else "step",
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The state for a checkpoint."""
        return {
            "start": self.start, "parameters": self.parameters, "moments": self.moments, "state": self.state,
            "records": self.records, "recorded": np.array(self.recorded, int), "best": self.best,
            "validations": np.array(self.validations, float).reshape(-1, 2),
        }  # fmt: skip

    def resume(self, saved: dict[str, np.ndarray]) -> None:
        """Go on from the arrays of a checkpoint, checked."""
        self.start, self.parameters, self.moments = saved["start"], saved["parameters"], saved["moments"]
        self.state[:], self.best = saved["state"], saved["best"]
        self.restore(int(self.state[0]), saved["records"])
        self.recorded = saved["recorded"].tolist()
        self.validations = [(float(loss), float(share)) for loss, share in saved["validations"]]
