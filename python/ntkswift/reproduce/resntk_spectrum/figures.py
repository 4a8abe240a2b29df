"""Figures of the ResNTK reproduction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import spectra
from ...plotting import EigenvalueDecayDisplay, KernelProfileDisplay
from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report
from .runs import Sinusoids, Sizes, antipodal_law, residual

_ALPHA = {1.0: "α = 1/L", 0.5: "α = L$^{-1/2}$", 0.0: "α = 1"}


def draw(
    report: Report,
    sizes: Sizes,
    comparisons: dict[int, spectra.Comparison],
    shapes: dict[str, list[spectra.Spikiness]],
    distances: dict[float, np.ndarray],
    runs: dict[float, Sinusoids],
) -> None:
    """Draw everything into the report."""
    _decay(report, sizes, comparisons)
    _profiles(report)
    _depth(report, sizes, shapes, distances)
    _sinusoids(report, sizes, runs)


def _decay(report: Report, sizes: Sizes, comparisons: dict[int, spectra.Comparison]) -> None:
    figure, axes = new_figure(len(comparisons))
    for ax, (d, comparison) in zip(axes, comparisons.items()):
        EigenvalueDecayDisplay.from_comparison(comparison).plot(ax)
        ax.set_title(f"d = {d}", fontsize="medium")
    report.figure(
        "decay",
        figure,
        "Eigenvalues on the sphere, kernels 1 at angle 0; filled: even frequencies, hollow: odd ones. Bands mark "
        f"k = {sizes.decay[0]} to {sizes.decay[1]}, where the exponents in the legend were fitted.",
    )


def _profiles(report: Report) -> None:
    depths = (1, 5, 20, 100, 500)
    figure, axes = new_figure(3, sharey=True)
    panels: dict[str, dict[int, Any]] = {
        "FC-NTK": {depth: spectra.fully_connected(depth) for depth in depths},
        f"ResNTK, {_ALPHA[0.5]}": {depth: residual(depth, 0.5, 3) for depth in depths},
        f"ResNTK, {_ALPHA[1.0]}": {depth: residual(depth, 1.0, 3) for depth in depths},
    }
    for ax, (title, kernels) in zip(axes, panels.items()):
        KernelProfileDisplay.from_kernels(kernels).plot(ax)
        ax.set_title(title, fontsize="medium")
    for ax in axes[1:]:
        ax.set_ylabel("")
    report.figure("profiles", figure, "Kernels against the angle between two inputs, by depth.")


def _depth(
    report: Report, sizes: Sizes, shapes: dict[str, list[spectra.Spikiness]], distances: dict[float, np.ndarray]
) -> None:
    figure, (left, right) = new_figure(2)
    for i, (name, kernels) in enumerate(shapes.items()):
        label = name.replace("alpha ", "α = ").replace("L^-1/2", "L$^{-1/2}$")
        left.loglog(
            sizes.depths, [s.slope for s in kernels], color=COLOURS[i], marker=MARKERS[i], markersize=4.5, label=label
        )
    left.loglog(
        sizes.depths, np.array(sizes.depths) / (2 * math.pi), color=GREY, linestyle=":", linewidth=2.5, label="L / (2π)"
    )
    left.set(xlabel="depth L", ylabel="slope at angle 0")
    left.legend(frameon=False, fontsize="small")
    depths = [depth for depth in sizes.depths if depth >= 10]
    for i, (gamma, row) in enumerate(distances.items()):
        right.loglog(depths, row, color=COLOURS[i], marker=MARKERS[i], markersize=4.5, label=f"γ = {gamma:g}")
        if gamma > 0.5:
            law = antipodal_law(depths, gamma)
            right.loglog(
                depths, law, color=COLOURS[i], linestyle=":", linewidth=2.5, label=f"~ L$^{{{0.5 - gamma:g}}}$"
            )
    right.set(xlabel="depth L", ylabel="largest difference from two layers")
    right.legend(frameon=False, fontsize="small")
    report.figure(
        "depth",
        figure,
        "Left: spikiness, the slope of 1 - kernel at angle 0. Right: distance of the ResNTK with α = L^-γ from the kernel of "
        "the two-layer network; dots: the law for opposite inputs.",
    )


def _sinusoids(report: Report, sizes: Sizes, runs: dict[float, Sinusoids]) -> None:
    figure, (left, right) = new_figure(2)
    frequencies = np.arange(1, sizes.max_frequency + 1)
    for i, (gamma, run) in enumerate(runs.items()):
        left.semilogy(frequencies, run.predicted, color=COLOURS[i], linewidth=1.2)
        left.errorbar(
            frequencies,
            run.measured.mean(axis=0),
            yerr=run.measured.std(axis=0),
            color=COLOURS[i],
            marker=MARKERS[i],
            markersize=5,
            linestyle="none",
            capsize=2,
            label=_ALPHA[gamma],
        )
    left.set(xlabel="frequency k", ylabel="steps until loss is 1 %")
    left.set_xticks(frequencies)
    left.legend(frameon=False, fontsize="small")
    for i, gamma in enumerate((1.0, 0.5)):
        run = runs[gamma]
        for k, style in ((2, ":"), (3, "-"), (4, "--")):
            right.loglog(
                run.times,
                run.losses[:, k - 1],
                color=COLOURS[i],
                linestyle=style,
                linewidth=1.6,
                label=f"{_ALPHA[gamma]}, k = {k}",
            )
    right.set(xlabel="steps", ylabel="loss / loss at start", xlim=(0.5, 3 * runs[1.0].predicted[2]), ylim=(3e-4, 1.5))
    right.legend(frameon=False, fontsize="small")
    report.figure(
        "parity",
        figure,
        f"Sinusoids on the circle learnt by infinitely wide residual networks of depth {sizes.circle_depth}. Left: steps; "
        "lines from the eigenvalues, marks measured on points at random angles with one standard deviation over seeds. "
        "Right: loss of one run.",
    )
