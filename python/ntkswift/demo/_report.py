"""The report folder: the numbers as JSON, and a page with the table and the figures."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from .. import _core
from .._config import get_num_threads
from ._models import B_STD, RIDGES, W_STD, Outcome
from ._study import Result

METHOD = (
    "Kernel regression with the NTK (gradient descent on all layers) and the NNGP (Bayesian inference) of fully connected "
    f"networks, W_std {W_STD:.3f}, b_std {B_STD}, on standardised features. The ridge is chosen from {RIDGES} times the mean "
    "of the diagonal by leave-one-out on 300 rows of each training part; C, alpha and gamma of the RBF machines by inner 3-fold "
    "cross-validation. Time and memory are those of the two kernels of one fold at the largest depth."
)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "mean": outcome.mean,
        "standard_deviation": outcome.spread,
        "folds": outcome.scores,
        "seconds": outcome.seconds,
    }
    if outcome.kernel_seconds:
        numbers |= {
            "kernel_seconds": outcome.kernel_seconds,
            "kernel_bytes": outcome.kernel_bytes,
            "ridges": outcome.chosen,
        }
    return numbers


def _result(result: Result) -> dict[str, Any]:
    task = result.task
    return {
        "data": task.name,
        "inputs": len(task.X),
        "features": task.X.shape[1],
        "metric": task.metric,
        "networks": [
            {"kernel": kernel, "activation": activation, "depth": depth, **_outcome(outcome)}
            for (kernel, activation, depth), outcome in result.networks.items()
        ],
        "baselines": [{"model": name, **_outcome(outcome)} for name, outcome in result.baselines.items()],
    }


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on."""
    return {
        "ntkswift": _core.version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "system": platform.platform(),
        "cpu_level": _core.cpu_level(),
        "threads": get_num_threads(),
    }


def write(results: list[Result], text: str, figures: dict[str, str], folder: Path) -> None:
    """Write `results.json` and `README.md`."""
    settings = {"W_std": W_STD, "b_std": B_STD, "ridges_relative_to_mean_diagonal": RIDGES}
    numbers = {"machine": machine(), "settings": settings, "results": [_result(result) for result in results]}
    (folder / "results.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    page = [
        "# Infinitely wide networks on four data sets"
        if len(results) == 4
        else "# Infinitely wide networks, quick run",
        "",
        METHOD,
        "",
        "```",
        text,
        "```",
        "",
    ]
    for name, caption in figures.items():
        if name != "overview.png":
            page += [f"![{caption}]({name})", "", caption, ""]
    (folder / "README.md").write_text("\n".join(page), encoding="utf-8")
