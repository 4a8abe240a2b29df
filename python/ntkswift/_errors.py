"""Exceptions and warnings that ntkswift has beside Python's own."""

from __future__ import annotations

import numpy as np

__all__ = ["ConvergenceError", "DivergenceError", "InconsistentVersionWarning", "NotPositiveDefiniteError"]


class NotPositiveDefiniteError(np.linalg.LinAlgError):
    """A matrix that must be positive definite is not, even with jitter on its diagonal.

    Parameters
    ----------
    message : str
        What was required and what was received.
    pivot : int, default=-1
        Row of the matrix at which the factorisation broke down; -1 where it is not known.
    jitter : float, default=0.0
        Largest number that was added to the diagonal in the attempts.

    Attributes
    ----------
    pivot : int
    jitter : float
    """

    def __init__(self, message: str, pivot: int = -1, jitter: float = 0.0) -> None:
        super().__init__(message)
        self.pivot = pivot
        self.jitter = jitter

    def __reduce__(self) -> tuple[type[NotPositiveDefiniteError], tuple[str, int, float]]:
        return type(self), (str(self), self.pivot, self.jitter)


class ConvergenceError(RuntimeError):
    """A tolerance could not be met within the given number of steps or terms."""


class DivergenceError(ConvergenceError):
    """The loss of a training run is not finite any more.

    Parameters
    ----------
    message : str
        What was required and what was received.
    history : object, optional
        What had been recorded until then, as the training function would have returned it.

    Attributes
    ----------
    history : object
    """

    def __init__(self, message: str, history: object = None) -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[str, object]]:
        return type(self), (str(self), self.history)


class InconsistentVersionWarning(UserWarning):
    """A pickle of an estimator is read by another version of ntkswift than the one that wrote it."""
