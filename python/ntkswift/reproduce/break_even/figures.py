"""Figures of the break-even reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...curvature import Tracker
from ...plotting import CurvatureDisplay
from ...plotting.style import plain_log
from .._figures import COLOURS, MARKERS, new_figure
from .._report import Report
from .runs import NETWORKS, Run, Sizes


def draw(
    report: Report,
    runs: Mapping[tuple[str, float, int], Sequence[Run]],
    sizes: Sizes,
    trackers: Mapping[float, Tracker],
) -> None:
    """Draw everything into the report."""
    for name in NETWORKS:
        _trajectories(report, name, runs, sizes)
    _maxima(report, runs, sizes)
    _sharpness(report, trackers)


def _label(rate: float, batch: int) -> str:
    return f"η = {rate:g}, S = {batch}"


def _trajectories(report: Report, name: str, runs: Any, sizes: Sizes) -> None:
    keys = [(sizes.high, sizes.batch), (sizes.low, sizes.batch), (sizes.low, sizes.small_batch)]
    histories = {_label(rate, batch): runs[name, rate, batch][0].history for rate, batch in keys}
    figure, axes = new_figure(2, rows=2)
    CurvatureDisplay(histories).plot(axes.ravel())
    figure.suptitle(name, fontsize="medium")
    report.figure(
        f"trajectory-{name.lower()}",
        figure,
        f"{name}, one seed: loss, largest eigenvalue of the Hessian, of the covariance K of mini-batch gradients, and the "
        f"condition Tr(K)/lambda_K^1, until the training loss is {sizes.levels[name[:3]]:g}.",
    )


def _maxima(report: Report, runs: Any, sizes: Sizes) -> None:
    """The maxima over each trajectory: every seed a marker, the mean a bar."""
    columns = (
        ("lambda_K", r"max $\lambda_K^1$", True),
        ("lambda_H", r"max $\lambda_H^1$", True),
        ("spread_K", r"max $\mathrm{Tr}(K)\,/\,\lambda_K^1$", False),
        ("trace_K", r"max $\mathrm{Tr}(K)$", True),
    )
    keys = [(sizes.high, sizes.batch), (sizes.low, sizes.batch), (sizes.low, sizes.small_batch)]
    figure, axes = new_figure(2, rows=2)
    for ax, (column, label, logarithmic) in zip(axes.ravel(), columns):
        for k, (rate, batch) in enumerate(keys):
            for i, name in enumerate(NETWORKS):
                values = [one.highest(column) for one in runs[name, rate, batch]]
                place = i + 0.22 * (k - 1)
                ax.plot(
                    [place] * len(values), values, MARKERS[k], color=COLOURS[k], markersize=4.5, alpha=0.75,
                    label=_label(rate, batch) if i == 0 else None,
                )  # fmt: skip
                ax.plot([place - 0.08, place + 0.08], [np.mean(values)] * 2, color=COLOURS[k], linewidth=2)
        ax.set_xticks(range(len(NETWORKS)), NETWORKS)
        ax.set_ylabel(label)
        if logarithmic:
            plain_log(ax)
    axes[0, 0].legend(frameon=False, fontsize="small")
    report.figure(
        "maxima",
        figure,
        "Maxima over the trajectory; one marker per seed, bars at the means. Conjecture 1: larger eta and smaller S lower the "
        "upper panels. Conjecture 2: they raise Tr(K)/lambda_K^1 and lower Tr(K).",
    )


def _sharpness(report: Report, trackers: Mapping[float, Tracker]) -> None:
    figure, axes = new_figure(2, rows=2)
    CurvatureDisplay.from_trackers({f"η = {rate:g}": t for rate, t in trackers.items()}).plot(axes.ravel())
    report.figure(
        "sharpness",
        figure,
        "Full-batch gradient descent on the squared loss (tanh MLP): sharpness settles at 2/eta (dotted).",
    )
