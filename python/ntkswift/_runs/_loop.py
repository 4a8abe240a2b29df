"""The loop of all training runs: the core takes steps in stretches, between which data are measured and files written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._call import Resources, allowed
from .._errors import ConvergenceError, DivergenceError
from .._progress import progress_bar
from ._history import History
from ._interrupts import passes_through

_OUTCOMES = ("finished", "threshold", "diverged")
_STRETCH = 10_000  # longest stretch, so that what is recorded needs no more memory than there are steps


def carry(error: BaseException, history: History) -> None:
    """Give an error the history of its run as attribute `history`, unless it has one."""
    if getattr(error, "history", None) is None:
        error.history = history  # type: ignore[attr-defined]
        error.add_note("The error's attribute `history` has what was recorded.")


@contextmanager
def keeping(history: History) -> Iterator[None]:
    """Inside a `with` block, errors carry this history."""
    try:
        yield
    except BaseException as error:
        carry(error, history)
        raise


class Loop:
    """A training run of whole steps at every moment, also after an exception.

    A kind of training gives it `advance` (steps of the core) and `history`, and may say where it wants to pause and what it
    does there. Ctrl-C ends a run, which then returns what was learnt; divergence is an error with the history.

    Parameters
    ----------
    op : str
        Named in messages and beside the progress bar.
    steps : int or None
        Steps wanted; None: until the core says that the time is over.
    resources : Resources
        Of the calls of the core; its `progress` is called with the fraction of the whole run.
    columns : int
        3: loss, learning rate, time; 4: the norm of the gradient too.
    window : int
        Steps to an entry of the record, whose loss is their mean.
    knows_end : bool
        Whether the core records the loss at the end too.
    """

    def __init__(
        self,
        op: str,
        steps: int | None,
        resources: Resources,
        *,
        columns: int = 3,
        window: int = 1,
        knows_end: bool = False,
    ) -> None:
        self.op, self.steps, self.window, self.knows_end = op, steps, window, knows_end
        self.resources = resources.over(allowed())
        self.step = 0
        self.stopped = ""
        self._records, self._entries, self._first = np.zeros((columns, 0)), 0, float("nan")

    # MARK: what a kind of training says

    def advance(self, length: int, record: np.ndarray, done: np.ndarray, resources: Resources) -> None:
        """Let the core take up to `length` steps; it writes to `record` and `done` (steps, entries, outcome, first loss)."""
        raise NotImplementedError

    def history(self) -> History:
        """What has been recorded so far."""
        raise NotImplementedError

    def next_pause(self) -> int:
        """The step at which the present stretch ends."""
        return self.step + self.window * max(1, _STRETCH // self.window)

    def pause(self) -> None:
        """What happens between stretches, at the start and at the end; may set `stopped`."""

    def divergence(self, history: History) -> str:
        """What a run that diverged tells its user."""
        rate = f"learning_rate {history.learning_rate[0]:.4g} and " if len(history.learning_rate) else ""
        return (
            f"[{self.op}] training must not diverge: choose a smaller learning_rate. Received {rate}a loss of "
            f"{history.loss[-1]:.4g} after {history.steps} steps (it was {history.loss[0]:.4g} at the start)."
        )

    # MARK: the loop

    def run(self) -> Any:
        """Train to the end, and return the history."""
        try:
            with progress_bar(self.op, enabled=False if self.resources.progress else None) as bar:
                self.go(bar)
        except KeyboardInterrupt as error:
            self.stopped = "interrupted"
            if passes_through():
                carry(error, self.history())
                raise
        except ConvergenceError as error:  # gradient flow whose steps shrink to nothing
            self.stopped = "diverged"
            raise DivergenceError(
                f"{error} The error's attribute `history` has what was recorded.", self.history()
            ) from error
        except DivergenceError:
            raise
        except BaseException as error:  # of a callback, of the memory, of a file, of a signal: nothing learnt is lost
            self.stopped = "failed"
            carry(error, self.history())
            raise
        history = self.history()
        if self.stopped == "diverged":
            raise DivergenceError(
                f"{self.divergence(history)} The error's attribute `history` has what was recorded.", history
            )
        return history

    def go(self, bar: Any) -> None:
        """Steps and pauses until the run has `stopped`."""
        self.pause()
        while not self.stopped:
            if self.steps is not None and self.step >= self.steps and (not self.knows_end or self._entries > self.step):
                self.stopped = "finished"
                break
            self._stretch(bar)
            if self.stopped != "diverged":
                self.pause()

    def _stretch(self, bar: Any) -> None:
        """Steps up to the next pause."""
        begin = self.step
        end = self.next_pause() if self.steps is None else min(self.steps, self.next_pause())
        length = end - begin
        record, done = np.full((len(self._records), -(-length // self.window) + 1), np.nan), np.zeros(4)
        done[3] = self._first
        resources = Resources(
            self.resources.threads, self.resources.memory_limit, self._progress(bar, begin, length, record)
        )
        try:
            self.advance(length, record, done, resources)
        finally:
            # The last entry may be a loss without a step; where the next stretch starts, it is written again.
            entries = int(done[1])
            self.step, self._first = begin + int(done[0]), float(done[3])
            self._keep(record[:, :entries], begin // self.window)
        outcome = _OUTCOMES[int(done[2])]
        if outcome != "finished" or (self.steps is None and entries > self.step - begin):
            self.stopped = outcome

    def _progress(self, bar: Any, begin: int, length: int, record: np.ndarray) -> Callable[[float], None]:
        show = self.resources.progress or bar

        def report(fraction: float) -> None:
            if show is None:
                return
            show(fraction if self.steps is None else (begin + fraction * length) / max(1, self.steps))
            done = int(np.count_nonzero(~np.isnan(record[0])))
            if done and bar is not None:
                bar.describe(f"{self.op}, loss {record[0, done - 1]:.3g}")

        return report

    # MARK: the record

    @property
    def records(self) -> np.ndarray:
        """Loss, learning rate, time (and norm of the gradient) of all steps or windows."""
        return self._records[:, : self._entries]

    def restore(self, step: int, records: np.ndarray) -> None:
        """Go on after `step` steps with these records."""
        self.step, self._records, self._entries = step, records, records.shape[1]
        self._first = float(records[0, 0]) if records.size else self._first

    def columns(self) -> dict[str, Any]:
        """What every history has, from the records."""
        entries = -(-self.step // self.window)
        return {
            "loss": self.records[0].copy(),
            "learning_rate": self.records[1, :entries].copy(),
            "time": self.records[2].copy(),
            "steps": self.step,
            "stopped": self.stopped or "interrupted",
        }

    def _keep(self, record: np.ndarray, begin: int) -> None:
        """Put a stretch's entries after the first `begin` ones."""
        self._entries = begin + record.shape[1]
        if self._entries > self._records.shape[1]:
            room = np.empty((len(self._records), max(2 * self._records.shape[1], self._entries)))
            room[:, :begin] = self._records[:, :begin]
            self._records = room
        self._records[:, begin : self._entries] = record
