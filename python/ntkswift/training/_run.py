"""One training run: the core takes steps in stretches, between which data are evaluated, callers called and files written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._call import Resources
from .._progress import progress_bar
from ._early_stopping import EarlyStopping
from ._history import History
from ._problem import Problem
from ._snapshot import Snapshot

_OUTCOMES = ("finished", "threshold", "diverged")
_STRETCH = 10_000  # longest stretch, so that what is recorded needs no more memory than there are steps


class Run:
    """The state of a run; whole steps at every moment, also after an exception."""

    def __init__(
        self,
        problem: Problem,
        core: Any,
        *,
        moments: int,
        steps: int | None,
        every: int,
        validation: tuple[np.ndarray, np.ndarray] | None,
        stop: EarlyStopping,
        callback: Callable[[Snapshot], Any] | None,
        wants_norm: bool,
        resources: Resources,
    ) -> None:
        self.problem, self.core, self.steps, self.every = problem, core, steps, every
        self.validation, self.stop, self.callback, self.resources = validation, stop, callback, resources
        count = len(problem.start)
        self.start = problem.start
        self.parameters = self.start.copy()
        self.moments = np.zeros((max(moments, 1), count if moments else 1))
        self.gradient = np.zeros(count)
        self.state = np.zeros(6)  # step, time, next step, scale, entries of the last stretch, its outcome
        self.parts = 4 if wants_norm else 3
        self._records, self._entries = np.zeros((self.parts, 0)), 0
        self.recorded: list[int] = []
        self.validations: list[tuple[float, float]] = []
        self.best = self.parameters[:0]
        self.stopped = ""
        self.autosave: Callable[[], None] | None = None
        self.save_every = 0

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.state[0])

    # MARK: the loop

    def go(self) -> None:
        """Train to the end."""
        with progress_bar("train") as bar:
            self._pause()
            while not self.stopped:
                if self.steps is not None and self.step >= self.steps:
                    self.stopped = "finished"
                    break
                self._stretch(bar)
                if self.stopped != "diverged":
                    self._pause()

    def _stretch(self, bar: Any) -> None:
        """Steps up to the next pause."""
        begin = self.step
        pauses = [self.every * (begin // self.every + 1)]
        if self.save_every:
            pauses.append(self.save_every * (begin // self.save_every + 1))
        end = begin + _STRETCH if self.steps is None else min(self.steps, begin + _STRETCH)
        length = min(end, *pauses) - begin
        record = np.full((self.parts, length + 1), np.nan)
        self.state[4:] = 0
        try:
            replace(self.resources, progress=self._progress(bar, begin, length, record)).run(
                "network_train", "train", self.problem.network.core, self.core, self.problem.x, self.problem.y, length,
                self.parameters, self.start, self.moments, self.gradient, self.state, record,
            )  # fmt: skip
        finally:
            # The last entry may be a loss without a step; where the next stretch starts, it is written again.
            entries = int(self.state[4])
            self._keep(record[:, :entries], begin)
        outcome = _OUTCOMES[int(self.state[5])]
        if outcome != "finished" or entries > self.step - begin:
            self.stopped = outcome

    def _progress(self, bar: Any, begin: int, length: int, record: np.ndarray) -> Callable[[float], None]:
        def report(fraction: float) -> None:
            if bar is None:
                return
            whole = fraction if self.steps is None else (begin + fraction * length) / self.steps
            bar(whole)
            done = int(np.count_nonzero(~np.isnan(record[0])))
            if done:
                bar.describe(f"train, loss {record[0, done - 1]:.3g}")

        return report

    @property
    def records(self) -> np.ndarray:
        """Loss, learning rate, time (and norm of the gradient) of all steps."""
        return self._records[:, : self._entries]

    def _keep(self, record: np.ndarray, begin: int) -> None:
        """Append a stretch's entries after those of the first `begin` steps."""
        self._entries = begin + record.shape[1]
        if self._entries > self._records.shape[1]:
            room = np.empty((self.parts, max(2 * self._records.shape[1], self._entries)))
            room[:, :begin] = self._records[:, :begin]
            self._records = room
        self._records[:, begin : self._entries] = record

    # MARK: between stretches

    def _pause(self) -> None:
        """Evaluate, call back, save; sets `stopped` where one of them says so."""
        is_end = bool(self.stopped) or (self.steps is not None and self.step >= self.steps)
        if (self.step % self.every == 0 or is_end) and (not self.recorded or self.recorded[-1] != self.step):
            self._validate()
            if self.callback is not None and self.callback(self._snapshot()) is True and not self.stopped:
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
        return Snapshot(self.problem, self.parameters, self.step, float(time), float(loss))

    # MARK: results

    def history(self, settings: dict[str, Any]) -> History:
        """What has been recorded so far."""
        final = self.best if self.stop.restore_best and len(self.best) else self.parameters
        table = np.array(self.validations, float).reshape(-1, 2)
        return History(
            loss=self.records[0].copy(),
            learning_rate=self.records[1, : self.step].copy(),
            time=self.records[2].copy(),
            gradient_norm=self.records[3].copy() if self.parts == 4 else None,
            recorded=np.array(self.recorded, int),
            validation_loss=table[:, 0].copy(),
            validation_accuracy=table[:, 1].copy(),
            params=self.problem.nested(final.copy()),
            steps=self.step,
            stopped=self.stopped or "interrupted",
            settings=settings,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The state for a checkpoint."""
        return {
            "start": self.start, "parameters": self.parameters, "moments": self.moments, "state": self.state[:4],
            "records": self.records, "recorded": np.array(self.recorded, int), "best": self.best,
            "validations": np.array(self.validations, float).reshape(-1, 2),
        }  # fmt: skip

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Go on from the arrays of a checkpoint."""
        for name, own in (("start", self.start), ("parameters", self.parameters), ("moments", self.moments)):
            if saved[name].shape != own.shape:
                raise ValueError(
                    f"[train] the checkpoint's {name} must have shape {own.shape}. Received {saved[name].shape}."
                )
        if saved["state"].shape != (4,) or saved["records"].ndim != 2 or len(saved["records"]) != self.parts:
            raise ValueError("[train] the checkpoint must hold a state and records. Received others.")
        self.start, self.parameters, self.moments = saved["start"], saved["parameters"], saved["moments"]
        self.state[:4] = saved["state"]
        self._records, self._entries, self.best = saved["records"], saved["records"].shape[1], saved["best"]
        self.recorded = saved["recorded"].tolist()
        self.validations = [(float(loss), float(share)) for loss, share in saved["validations"]]
