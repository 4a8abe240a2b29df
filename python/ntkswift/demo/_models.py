"""The models: kernel regression with an infinitely wide network, and the two baselines, each tuned inside the training part."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .. import _core, predict, stax
from ._data import Task

# Ridges that are tried, in units of the mean of the kernel's diagonal, and the rows that choose among them.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1e0)
MOST_ROWS = 300
W_STD, B_STD = 2.0**0.5, 0.1


@dataclass
class Outcome:
    """What cross-validation of one model gave: a score per fold, and what its kernels cost."""

    scores: list[float] = field(default_factory=list)
    kernel_seconds: list[float] = field(default_factory=list)
    kernel_bytes: int = 0
    seconds: list[float] = field(default_factory=list)
    chosen: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Mean score over folds."""
        return float(np.mean(self.scores))

    @property
    def spread(self) -> float:
        """Standard deviation of the score over folds."""
        return float(np.std(self.scores, ddof=1))


def network(depth: int, activation: str) -> Any:
    """Return a fully connected network with `depth` hidden layers."""
    hidden = stax.serial(stax.Dense(512, W_std=W_STD, b_std=B_STD), stax.activation(activation))
    return stax.serial(stax.repeat(hidden, depth), stax.Dense(1, W_std=W_STD, b_std=B_STD))


def _targets(task: Task, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return regression targets and their mean: centred one-hot columns for classes, the centred column for numbers."""
    columns = (y[:, None] == np.unique(task.y)).astype(float) if task.classifies else y[:, None].astype(float)
    centre = columns.mean(axis=0)
    return columns - centre, centre


def ridge_by_leave_one_out(gram: np.ndarray, targets: np.ndarray) -> float:
    """Return the ridge, in units of the mean diagonal, with the smallest leave-one-out error on the first rows.

    With C = (K + ridge I)^-1 the error of leaving out row i is (C Y)_i / C_ii (Rasmussen and Williams 2006, eq. 5.12).
    """
    part = slice(0, MOST_ROWS)
    scale = float(np.diag(gram).mean())
    values, rows = _core.eigh(gram[part, part], 0.0, False, True)
    vectors = rows.T
    turned = rows @ targets[part]
    errors = []
    for ridge in RIDGES:
        inverse = 1.0 / (np.maximum(values, 0.0) + ridge * scale)
        diagonal = (vectors**2) @ inverse
        residual = (vectors @ (inverse[:, None] * turned)) / diagonal[:, None]
        errors.append(float(np.mean(residual**2)))
    return RIDGES[int(np.argmin(errors))]


def run_network(task: Task, depth: int, activation: str, kernel: str, outcome: Outcome, fold: int) -> None:
    """Fit and score the infinite network on one fold; the outcome is extended."""
    train, test = task.folds[fold]
    began = time.perf_counter()
    scaler = StandardScaler().fit(task.X[train])
    X_train, X_test = scaler.transform(task.X[train]), scaler.transform(task.X[test])
    kernel_fn = network(depth, activation).kernel_fn
    kernels_began = time.perf_counter()
    train_train = kernel_fn(X_train, None, kernel)
    test_train = kernel_fn(X_test, X_train, kernel)
    outcome.kernel_seconds.append(time.perf_counter() - kernels_began)
    outcome.kernel_bytes = train_train.nbytes + test_train.nbytes
    targets, centre = _targets(task, task.y[train])
    ridge = ridge_by_leave_one_out(train_train, targets)
    output = predict.gp_inference(train_train, targets, diag_reg=ridge)(kernel, test_train) + centre
    predicted = np.unique(task.y)[output.argmax(axis=1)] if task.classifies else output[:, 0]
    outcome.scores.append(task.score(predicted, task.y[test]))
    outcome.chosen.append(ridge)
    outcome.seconds.append(time.perf_counter() - began)


def baselines(task: Task) -> dict[str, Any]:
    """Return what to compare with: an RBF kernel machine, tuned by inner folds, and a random forest."""
    scaled = 1.0 / task.X.shape[1]
    widths = [0.1 * scaled, scaled, 10 * scaled]
    if task.classifies:
        machine, grid = SVC(), {"svc__C": [1, 10, 100], "svc__gamma": widths}
        forest: Any = RandomForestClassifier(300, random_state=0, n_jobs=-1)
        name = "RBF SVM"
    else:
        machine, grid = KernelRidge(kernel="rbf"), {"kernelridge__alpha": [0.1, 1, 10], "kernelridge__gamma": widths}
        forest = RandomForestRegressor(300, random_state=0, n_jobs=-1)
        name = "RBF ridge"
    search = GridSearchCV(make_pipeline(StandardScaler(), machine), grid, cv=3, n_jobs=-1)
    return {name: search, "random forest": forest}


def run_baseline(task: Task, estimator: Any, outcome: Outcome, fold: int) -> None:
    """Fit and score a scikit-learn estimator on one fold; the outcome is extended."""
    train, test = task.folds[fold]
    began = time.perf_counter()
    # Kernel ridge has no intercept: centre numbers for every regressor alike.
    shift = 0.0 if task.classifies else float(task.y[train].mean())
    y = task.y[train] if task.classifies else task.y[train] - shift
    predicted = estimator.fit(task.X[train], y).predict(task.X[test])
    outcome.scores.append(task.score(predicted if task.classifies else predicted + shift, task.y[test]))
    outcome.seconds.append(time.perf_counter() - began)
