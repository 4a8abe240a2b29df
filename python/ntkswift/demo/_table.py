"""The table of one data set."""

from __future__ import annotations

import numpy as np

from ._models import Outcome
from ._study import KERNELS, Result


def _score(outcome: Outcome) -> str:
    return f"{outcome.mean:6.2f} ± {outcome.spread:4.2f}"


def _head(result: Result) -> str:
    task = result.task
    classes = f", {len(np.unique(task.y))} classes" if task.classifies else ""
    size = f"{len(task.X)} inputs, {task.X.shape[1]} features{classes}"
    return f"{task.name}: {size}; {task.metric}, {len(task.folds)}-fold cross-validation"


def table(result: Result) -> str:
    """Return the scores of every model, and time and memory of the kernels of one fold at the largest depth, as text."""
    name_width, cell = 15, 14
    lines = [_head(result)]
    columns = "".join(f"{('depth ' + str(depth)):>{cell}}" for depth in result.depths)
    lines.append(f"{'model':<{name_width}}{columns}{'kernel time':>{cell}}{'memory':>10}")
    lines.append("-" * len(lines[1]))
    for activation in result.activations:
        for kernel in KERNELS:
            row = [result.networks[kernel, activation, depth] for depth in result.depths]
            cells = "".join(f"{_score(outcome):>{cell}}" for outcome in row)
            cost = f"{1e3 * np.median(row[-1].kernel_seconds):.1f} ms"
            memory = f"{row[-1].kernel_bytes / 1e6:.1f} MB"
            lines.append(f"{kernel.upper() + ' ' + activation:<{name_width}}{cells}{cost:>{cell}}{memory:>10}")
    for name, outcome in result.baselines.items():
        lines.append(f"{name:<{name_width}}{_score(outcome):>{cell}}")
    kernel, activation, depth = result.best()
    score = _score(result.networks[result.best()]).strip()
    lines.append(
        f"best of {len(result.networks)} networks on these folds: {kernel.upper()} {activation}, depth {depth}: {score}"
    )
    return "\n".join(lines)
