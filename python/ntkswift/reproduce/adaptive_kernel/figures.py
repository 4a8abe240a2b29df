"""The figures of the reproduction `adaptive-kernel`."""

from __future__ import annotations

import numpy as np

from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report
from .runs import DecayRun, ResidualRun, Sizes


def draw(
    report: Report, sizes: Sizes, runs: list[list[DecayRun]], narrow: list[ResidualRun], drifts: np.ndarray
) -> None:
    """Add every figure to the report."""
    _identity(report, sizes, runs)
    _residual(report, narrow)
    _balance(report, sizes, drifts)


def _identity(report: Report, sizes: Sizes, runs: list[list[DecayRun]]) -> None:
    figure, ax = new_figure(size=(5.4, 4.0))
    for colour, marker, decay, row in zip(COLOURS, MARKERS, sizes.decays, runs):
        points = np.array([(m.gradient, m.deviation) for run in row for m in [*run.moments, run.last]])
        ax.loglog(*points.T, marker, color=colour, markersize=4, alpha=0.7, label=f"weight decay {decay:g}")
    ax.set_xlabel("norm of the last layer's gradient")
    ax.set_ylabel("largest distance of the network from\nregression with its own kernel, new inputs")
    ax.legend(frameon=False, fontsize="small")
    report.figure(
        "identity",
        figure,
        "A network is kernel ridge regression with its own kernel where the last layer's gradient vanishes: moments of training "
        "from initialisation (right) to a stationary last layer (left), all seeds.",
    )


def _residual(report: Report, narrow: list[ResidualRun]) -> None:
    figure, ax = new_figure(size=(5.4, 4.0))
    steps = np.maximum(narrow[0].steps, 1)
    lines = (
        ("in_last", "in the range of H"),
        ("in_full", "in the range of K"),
        ("residual", "whole residual / targets"),
    )
    for colour, marker, (name, label) in zip((COLOURS[0], COLOURS[1], GREY), MARKERS, lines):
        values = np.array([getattr(run, name) for run in narrow])
        ax.fill_between(steps, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        ax.plot(steps, np.exp(np.log(values).mean(axis=0)), color=colour, marker=marker, markersize=4, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("step (1: before training)")
    ax.set_ylabel("share of the residual's norm")
    ax.legend(frameon=False, fontsize="small")
    report.figure(
        "residual",
        figure,
        "Where the residual of a narrow network is while it is trained without weight decay; bands: range.",
    )


def _balance(report: Report, sizes: Sizes, drifts: np.ndarray) -> None:
    figure, ax = new_figure()
    rates = np.array(sizes.rates)
    ax.fill_between(rates, drifts.min(axis=1), drifts.max(axis=1), color=COLOURS[0], alpha=0.2, linewidth=0)
    ax.loglog(rates, drifts.mean(axis=1), color=COLOURS[0], marker="o", label="gradient descent")
    ax.loglog(
        rates, 0.7 * drifts.mean(axis=1)[0] * rates / rates[0], color=GREY, linestyle=":", label="learning rate$^1$"
    )
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.set_xlabel(f"learning rate (time {sizes.flow_time:g})")
    ax.set_ylabel(r"largest change of $w_j^2 - |u_j|^2$")
    ax.legend(frameon=False)
    report.figure("balance", figure, "Change of the balance of the units' weights; gradient flow would conserve it.")
