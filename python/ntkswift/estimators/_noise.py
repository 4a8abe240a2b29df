"""Weights of samples and classes, and the noise that they and `ridge` put on the kernel's diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from .._arrays import check_array
from .._checks import real


def sample_weights(sample_weight: Any, count: int, owner: str) -> np.ndarray | None:
    """Weights of `count` samples, or None where none were given; ValueError where they are negative or all 0."""
    if sample_weight is None:
        return None
    weights = check_array(sample_weight, "sample_weight", ndim=(0, 1), dtype=np.float64, op=owner)
    weights = np.full(count, float(weights)) if weights.ndim == 0 else weights
    if len(weights) != count:
        raise ValueError(f"[{owner}] sample_weight must have {count} numbers. Received {len(weights)}.")
    if (weights < 0).any() or not (weights > 0).any():
        raise ValueError(
            f"[{owner}] sample_weight must hold numbers of at least 0, not all of them zero. Received {weights.min():g} to "
            f"{weights.max():g}."
        )
    return weights


def class_weights(class_weight: Any, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
    """The samples' weights times those of their classes (scikit-learn's `class_weight`; "balanced" counts weights)."""
    if class_weight is None:
        return weights
    classes, labels = np.unique(y, return_inverse=True)
    if class_weight == "balanced":
        counts = np.bincount(labels, weights, len(classes))
        factors = counts.sum() / (np.count_nonzero(counts) * np.where(counts > 0, counts, 1.0))
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=y)
    return factors[labels] if weights is None else weights * factors[labels]


@dataclass(frozen=True)
class Noise:
    """Variances on the kernel's diagonal: `ridge` in units of its (weighted) mean, divided by the samples' weights.

    `ridge` is a number, or an array of shape (n, 1), (1, targets) or (n, targets).
    """

    ridge: float | np.ndarray
    weights: np.ndarray | None = None

    @property
    def plain(self) -> float | None:
        """The ridge that every sample and target has; None where they differ."""
        return None if self.weights is not None or isinstance(self.ridge, np.ndarray) else self.ridge

    def columns(self, diagonal: np.ndarray) -> np.ndarray:
        """Shape (n, 1), or (n, targets) where targets differ, for a kernel with this diagonal."""
        mean = float(np.average(diagonal, weights=self.weights))
        shares = np.ones((len(diagonal), 1)) if self.weights is None else 1 / self.weights[:, None]
        return mean * self.ridge * shares


def noise_of(ridge: Any, kept: np.ndarray, targets: int, weights: np.ndarray | None, owner: str) -> Noise:
    """The noise of the samples where `kept` is True; ValueError for shapes that do not fit and negative numbers."""
    if np.ndim(ridge) == 0:
        return Noise(real(ridge, owner, "ridge", minimum=0), weights)
    array = check_array(ridge, "ridge", ndim=(1, 2), dtype=np.float64, op=owner)
    count = len(kept)
    array = array[:, None] if array.ndim == 1 else array
    if array.shape not in ((count, 1), (1, targets), (count, targets)):
        raise ValueError(
            f"[{owner}] ridge must be a number, or have shape ({count},) for each sample, (1, {targets}) for each target, or "
            f"({count}, {targets}). Received shape {np.shape(ridge)}."
        )
    if (array < 0).any():
        raise ValueError(f"[{owner}] ridge must hold numbers of at least 0. Received {array.min():g}.")
    return Noise(array[kept] if len(array) == count else array, weights)
