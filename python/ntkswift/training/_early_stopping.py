"""When training may end before its last step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._checks import flag, integer, real


@dataclass(frozen=True)
class EarlyStopping:
    """Ends training at a loss, or where the validation loss does not fall any more.

    Parameters
    ----------
    threshold : float, optional
        Training ends before a step whose batch has at most this loss.
    patience : int, optional
        Training ends after this many validations in a row that were not better than the best before them.
    min_delta : float
        By how much a validation loss must be lower to count as better.
    restore_best : bool
        Return the parameters of the best validation instead of the last ones.
    """

    threshold: float | None = None
    patience: int | None = None
    min_delta: float = 0.0
    restore_best: bool = False

    def __post_init__(self) -> None:
        op = "EarlyStopping"
        if self.patience is not None:
            integer(self.patience, op, "patience")
        if self.threshold is not None:
            real(self.threshold, op, "threshold")
        real(self.min_delta, op, "min_delta", minimum=0)
        flag(self.restore_best, op, "restore_best")

    @property
    def needs_validation(self) -> bool:
        """Whether it looks at a validation loss."""
        return self.patience is not None or self.restore_best

    def waited(self, losses: Sequence[float]) -> int:
        """Validations since the best one; 0 where the last one is the best.

        >>> EarlyStopping(patience=3).waited([3.0, 1.0, 2.0, 1.5])
        2
        """
        best, since = float("inf"), 0
        for loss in losses:
            better = loss < best - self.min_delta
            best, since = (loss, 0) if better else (best, since + 1)
        return since
