"""Inputs of an autoencoder: rows of norm 1, no two of them parallel."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._arrays import check_array

# Rounding of float32 data that was scaled to norm 1.
_NORM_TOLERANCE = 1e-5
# Two unit rows closer than this make the smallest eigenvalue of the kernel vanish in float64.
_PARALLEL_TOLERANCE = 1e-10


def unit_rows(X: Any, normalize: bool, op: str) -> np.ndarray:
    """`X` as contiguous float64 with rows of norm 1: scaled where `normalize`, else refused where they are not."""
    X = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
    largest = np.abs(X).max(axis=1)
    if not largest.all():
        row = int(np.argmin(largest))
        raise ValueError(
            f"[{op}] X must have no rows of zeros: the theory needs rows of norm 1. Received one at index {row}."
        )
    if normalize:
        X = X / largest[:, None]  # first by the largest entry, so that squares neither overflow nor vanish
        return X / np.linalg.norm(X, axis=1)[:, None]
    norms = largest * np.linalg.norm(X / largest[:, None], axis=1)
    worst = int(np.argmax(np.abs(norms - 1)))
    if abs(norms[worst] - 1) > _NORM_TOLERANCE:
        raise ValueError(
            f"[{op}] X must have rows of norm 1, as the theory needs (pass normalize=True to scale them). "
            f"Received norms between {norms.min():.6g} and {norms.max():.6g}, {norms[worst]:.6g} at index {worst}."
        )
    return X


def parallel_rows(X: np.ndarray) -> tuple[int, int] | None:
    """Indices of two equal unit rows, or None.

    Equal rows have equal inner products with a fixed random vector, so they are neighbours when sorted by it.
    """
    along = X @ np.random.default_rng(0).standard_normal(X.shape[1])
    order = np.argsort(along, kind="stable")
    distances = np.linalg.norm(np.diff(X[order], axis=0), axis=1)
    close = np.flatnonzero(distances < _PARALLEL_TOLERANCE)
    if not len(close):
        return None
    first, second = sorted((int(order[close[0]]), int(order[close[0] + 1])))
    return first, second


def parallel_message(pair: tuple[int, int], op: str) -> str:
    """What is wrong with two parallel rows, in a sentence."""
    return (
        f"[{op}] no two rows of X may be parallel: the kernel is singular then and lambda_min is 0. "
        f"Received rows {pair[0]} and {pair[1]}, which have the same direction; keep one of them."
    )


def warn_of_parallel_rows(X: np.ndarray, op: str) -> None:
    """RuntimeWarning that names two parallel rows, where there are any."""
    pair = parallel_rows(X)
    if pair is not None:
        warnings.warn(parallel_message(pair, op), RuntimeWarning, stacklevel=3)
