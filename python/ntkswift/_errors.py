"""Exceptions that ntkswift raises beside Python's own."""

from __future__ import annotations

import numpy as np

__all__ = ["ConvergenceError", "NotPositiveDefiniteError"]


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
