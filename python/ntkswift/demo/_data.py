"""The data sets: scikit-learn's bundled digits, breast cancer, wine (classes) and diabetes (a number)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold

FOLDS = 5
QUICK_ROWS = 400


@dataclass(frozen=True)
class Task:
    """One data set with its folds."""

    name: str
    X: np.ndarray
    y: np.ndarray
    classifies: bool
    folds: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def metric(self) -> str:
        """What is measured, as printed."""
        return "accuracy in %" if self.classifies else "RMSE"

    def score(self, predicted: np.ndarray, truth: np.ndarray) -> float:
        """Return the accuracy in per cent, or the root of the mean squared error."""
        if self.classifies:
            return 100.0 * float(np.mean(predicted == truth))
        return float(np.sqrt(np.mean((predicted - truth) ** 2)))

    def better(self, a: float, b: float) -> bool:
        """Tell whether score `a` beats score `b`."""
        return a > b if self.classifies else a < b


def _task(name: str, classifies: bool, rows: int | None = None) -> Task:
    data = getattr(datasets, f"load_{name}")()
    X, y = np.asarray(data.data, dtype=float), np.asarray(data.target)
    if rows is not None:
        chosen = np.random.default_rng(0).permutation(len(X))[:rows]
        X, y = X[chosen], y[chosen]
    splitter = (StratifiedKFold if classifies else KFold)(FOLDS, shuffle=True, random_state=0)
    return Task(name, X, y, classifies, tuple(splitter.split(X, y)))


def tasks(quick: bool) -> list[Task]:
    """Return the data sets of the demo; `quick`: part of two of them."""
    if quick:
        return [_task("digits", True, QUICK_ROWS), _task("diabetes", False, QUICK_ROWS)]
    return [_task("digits", True), _task("breast_cancer", True), _task("wine", True), _task("diabetes", False)]
