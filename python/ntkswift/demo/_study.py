"""Every model on every fold of every data set, with a progress bar."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from ._data import FOLDS, Task
from ._models import Outcome, baselines, run_baseline, run_network

KERNELS = ("ntk", "nngp")


@dataclass(frozen=True)
class Result:
    """Outcomes on one data set: networks by (kernel, activation, depth), baselines by name."""

    task: Task
    depths: tuple[int, ...]
    activations: tuple[str, ...]
    networks: dict[tuple[str, str, int], Outcome]
    baselines: dict[str, Outcome]

    def best(self) -> tuple[str, str, int]:
        """Return the network with the best mean score."""
        chosen = next(iter(self.networks))
        for key, outcome in self.networks.items():
            if self.task.better(outcome.mean, self.networks[chosen].mean):
                chosen = key
        return chosen


def _bar(total: int, progress: bool | None) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(
        total=total, unit="fit", leave=False, disable=None if progress is None else not progress, file=sys.stderr
    )


def study(tasks: list[Task], *, quick: bool, progress: bool | None) -> list[Result]:
    """Return the outcomes of all models on all data sets."""
    depths = (1, 2, 3) if quick else (1, 2, 3, 4, 5)
    activations = ("relu",) if quick else ("relu", "erf", "gelu")
    keys = [(kernel, activation, depth) for activation in activations for kernel in KERNELS for depth in depths]
    bar = _bar(len(tasks) * FOLDS * (len(keys) + 2), progress)
    results = []
    for task in tasks:
        if bar is not None:
            bar.set_description(task.name)
        result = Result(
            task, depths, activations, {key: Outcome() for key in keys}, {name: Outcome() for name in baselines(task)}
        )
        for fold in range(FOLDS):
            for key, outcome in result.networks.items():
                kernel, activation, depth = key
                run_network(task, depth, activation, kernel, outcome, fold)
                if bar is not None:
                    bar.update()
            for name, estimator in baselines(task).items():
                run_baseline(task, estimator, result.baselines[name], fold)
                if bar is not None:
                    bar.update()
        results.append(result)
    if bar is not None:
        bar.close()
    return results
