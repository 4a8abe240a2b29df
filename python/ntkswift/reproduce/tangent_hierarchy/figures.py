"""The figures of the reproduction `tangent-hierarchy`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...plotting import HierarchyErrorDisplay
from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report
from .runs import Run, Sizes


def draw(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    """Add every figure to the report."""
    _kernels(report, sizes, runs)
    _errors(report, sizes, runs)
    _over_time(report, sizes, runs)
    _drift(report, sizes, runs)


def _kernels(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    figure, ax = new_figure()
    norms = np.array([[run.norms for run in row] for row in runs])
    for k, (colour, marker) in enumerate(zip(COLOURS, MARKERS[:3])):
        _band(ax, sizes.widths, norms[:, :, k], colour, marker, f"K{k + 2}")
    _guide(ax, sizes.widths, 0.5 * norms[0, :, 1].mean(), -1, "width$^{-1}$")
    ax.set_xlabel("width")
    ax.set_ylabel("root mean square of the entries")
    ax.legend(frameon=False)
    report.figure("kernels", figure, "Size of the kernels of the hierarchy at initialisation; bands: range over seeds.")


def _errors(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    figure, axes = new_figure(2, sharey=True)
    n = sizes.inputs
    for ax, (title, rows) in zip(axes, (("training inputs", slice(0, n)), ("new inputs", slice(n, None)))):
        for colour, marker, order in zip(COLOURS, MARKERS, (2, 3, 4)):
            values = np.array([[np.linalg.norm(r.errors[order][:, rows], axis=1).max() for r in row] for row in runs])
            _band(ax, sizes.widths, values, colour, marker, f"order {order}")
            if order != 3:
                start = 0.5 * np.exp(np.log(values[0]).mean())
                _guide(ax, sizes.widths, start, -order // 2, f"width$^{{{-order // 2}}}$")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("width")
    axes[0].set_ylabel(f"largest error of the outputs up to t = {sizes.time:g}")
    axes[0].legend(frameon=False, fontsize="small")
    report.figure(
        "errors",
        figure,
        "Error of the truncated hierarchy against the network's own gradient flow; bands: range over seeds.",
    )


def _over_time(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    figure, axes = new_figure(2, sharey=True)
    for ax, i in zip(axes, (0, len(runs) - 1)):
        errors = {
            p: np.exp(
                np.mean([np.log(np.linalg.norm(r.errors[p][1:, : sizes.inputs], axis=1)) for r in runs[i]], axis=0)
            )
            for p in (2, 3, 4)
        }
        HierarchyErrorDisplay(runs[i][0].times[1:], errors).plot(ax)
        ax.set_title(f"width {sizes.widths[i]}", fontsize=10)
    axes[1].set_ylabel("")
    report.figure("time", figure, "Error of the truncated hierarchy over time, geometric mean over seeds.")


def _drift(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    figure, ax = new_figure()
    for colour, width, row in zip(COLOURS, sizes.widths, runs):
        speeds = np.array([run.speeds for run in row])
        times = row[0].times.copy()
        times[0] = 0.5 * times[1]  # initialisation, left of the logarithmic axis
        ax.fill_between(times, speeds.min(axis=0), speeds.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        ax.plot(times, np.exp(np.log(speeds).mean(axis=0)), color=colour, marker=".", label=f"width {width}")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("time of gradient flow (first point: initialisation)")
    ax.set_ylabel("largest entry of |dK2/dt|")
    ax.legend(frameon=False, fontsize="small")
    report.figure("drift", figure, "Speed of the NTK along training; lines: geometric mean, bands: range over seeds.")


def _band(ax: Any, widths: Any, values: np.ndarray, colour: str, marker: str, label: str) -> None:
    """Geometric means over seeds with their range, both axes logarithmic."""
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.fill_between(widths, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    ax.plot(widths, np.exp(np.log(values).mean(axis=1)), color=colour, marker=marker, label=label)


def _guide(ax: Any, widths: Any, start: float, exponent: int, label: str) -> None:
    """A line of a given slope."""
    x = np.array(widths, float)
    y = start * (x / x[0]) ** exponent
    ax.plot(x, y, color=GREY, linestyle=":", linewidth=1.5, label=label)
