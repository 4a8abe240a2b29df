"""Figures of the bottleneck reproduction."""

from __future__ import annotations

import numpy as np

from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report
from .runs import Race, linear_constant_time


def draw(
    report: Report,
    deviations: dict[str, dict[int, np.ndarray]],
    runs: dict[float, Race],
    times: dict[float, dict[int, np.ndarray]],
) -> None:
    """Draw everything into the report."""
    _curves(report, runs)
    _acceleration(report, runs, times)
    _finite(report, deviations)


def _curves(report: Report, runs: dict[float, Race]) -> None:
    figure, axes = new_figure(len(runs))
    for ax, (size, race) in zip(np.atleast_1d(axes), runs.items(), strict=True):
        at = race.learning_rate * np.arange(len(race.constant_curve))
        zero = race.constant_curve[0]
        for i, (units, curves) in enumerate(race.curves.items()):
            low, middle, high = np.quantile(curves / zero, [0.25, 0.5, 0.75], axis=0)
            ax.fill_between(at, low, high, color=COLOURS[i], alpha=0.15, linewidth=0)
            ax.semilogy(at, middle, color=COLOURS[i], label=f"{units} unit{'s' if units > 1 else ''}")
        ax.semilogy(at, race.constant_curve / zero, color="black", linestyle="--", label="purely infinite")
        ax.set_title(f"target scale {size:g}", fontsize="medium")
        ax.set(xlabel="time (learning rate × steps)", ylabel="loss / loss of outputs 0")
        ax.legend(frameon=False, fontsize="small")
    report.figure(
        "curves",
        figure,
        "Training loss of erf networks with bottlenecks of several widths (median and quartiles over seeds) beside the "
        "network that is infinitely wide throughout, from outputs 0.",
    )


def _acceleration(report: Report, runs: dict[float, Race], times: dict[float, dict[int, np.ndarray]]) -> None:
    figure, (left, right) = new_figure(2, sharey=True)
    constant = linear_constant_time()
    for i, (size, row) in enumerate(times.items()):
        _speeds(left, i, f"|β| = {size:g}", {k: constant / values for k, values in row.items()})
    for i, (size, race) in enumerate(runs.items()):
        _speeds(right, i, f"target scale {size:g}", {k: race.constant / values for k, values in race.times.items()})
    widths = [list(next(iter(times.values()))), list(next(iter(runs.values())).times)]
    titles = ("deep linear networks, time to 1e-3", "erf networks, time to 1e-2")
    for ax, title, units in zip((left, right), titles, widths, strict=True):
        ax.axhline(1, color=GREY, linewidth=1)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel("units of the bottleneck")
        ax.set_xticks(units, [str(k) for k in units])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize="small")
    left.set_ylabel("speed over that of the constant kernel")
    report.figure(
        "acceleration",
        figure,
        "How much faster a network with a bottleneck reaches a small loss than the purely infinite one (median and quartiles "
        "over seeds): faster above the grey line. Runs that never did count as speed 0.",
    )


def _speeds(ax: object, i: int, label: str, speeds: dict[int, np.ndarray]) -> None:
    quartiles = np.array([np.quantile(row, [0.25, 0.5, 0.75]) for row in speeds.values()])
    middle = quartiles[:, 1]
    # Side by side, so that the bars do not hide each other.
    units = np.array(list(speeds), float) * 1.04**i
    spread = np.abs(quartiles[:, [0, 2]] - middle[:, None]).T
    ax.errorbar(  # type: ignore[attr-defined]
        units,
        middle,
        spread,
        color=COLOURS[i],
        marker=MARKERS[i],
        markersize=4.5,
        capsize=2,
        linewidth=1.2,
        label=label,
    )


def _finite(report: Report, deviations: dict[str, dict[int, np.ndarray]]) -> None:
    figure, ax = new_figure()
    names = {"function space": "function space", "frozen kernel": "frozen kernel"}
    for i, (name, rows) in enumerate(deviations.items()):
        widths = np.array(list(rows))
        means = np.array([row.mean() for row in rows.values()])
        for width, row in rows.items():
            ax.plot(np.full(len(row), width), row, ".", color=COLOURS[i], alpha=0.35, markersize=5)
        ax.loglog(widths, means, color=COLOURS[i], marker=MARKERS[i], markersize=5, label=names[name])
        if i == 0:
            law = means[0] * np.sqrt(widths[0] / widths)
            ax.loglog(widths, law, color=GREY, linestyle=":", linewidth=2, label="width$^{-1/2}$")
    ax.set_xticks(widths, [str(width) for width in widths])
    ax.minorticks_off()
    ax.set(xlabel="width of the finite network", ylabel="relative distance of the outputs")
    ax.legend(frameon=False, fontsize="small")
    report.figure(
        "finite",
        figure,
        "Distance of trained finite networks from the function-space dynamics and from training with the kernel at the "
        "start; dots are seeds.",
    )
