"""The figure of this reproduction."""

from __future__ import annotations

import numpy as np

from .._figures import COLOURS, MARKERS, new_figure
from .._report import Report
from .runs import ACCURACIES, KINDS, THRESHOLD


def draw(
    report: Report,
    widths: tuple[int, ...],
    errors: dict[str, np.ndarray],
    moving: tuple[int, ...],
    kernels: dict[str, np.ndarray],
    rates: tuple[float, ...],
    needed: dict[str, np.ndarray],
) -> None:
    figure, axes = new_figure(3, size=(12.6, 3.8))
    for kind, colour, marker in zip(KINDS, COLOURS, MARKERS):
        style = {"color": colour, "marker": marker, "label": kind}
        axes[0].errorbar(widths, errors[kind].mean(axis=1), errors[kind].std(axis=1), capsize=2, **style)
        axes[1].errorbar(moving, kernels[kind].mean(axis=1), kernels[kind].std(axis=1), capsize=2, **style)
        steps = needed[kind][:, :, ACCURACIES.index(THRESHOLD)]
        middle = np.median(steps, axis=1)
        axes[2].plot(np.array(rates)[np.isfinite(middle)], middle[np.isfinite(middle)], **style)
        axes[2].plot(rates, np.where(np.isfinite(steps), steps, np.nan), marker, color=colour, alpha=0.4, markersize=4)
    axes[1].plot(moving, kernels["gaussian"].mean() * np.mean(moving) / np.array(moving), ":k", label="1 / width")
    for ax, label, title, ticks in zip(
        axes,
        ("width", "width", "learning rate"),
        ("error of one network's NTK", "change of the NTK by training", f"steps to {100 * THRESHOLD:.0f} % accuracy"),
        (widths, moving, rates),
    ):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
        ax.set_xlabel(label)
        ax.set_title(title)
        ax.legend(frameon=False)
    axes[0].set_ylabel("relative Frobenius norm")
    axes[2].set_yscale("linear")
    axes[2].set_ylim(0, 125)
    report.figure(
        "orthogonal",
        figure,
        "Gaussian and orthogonal weights: distance of the NTK from its limit at initialisation, its relative change during "
        "training, with standard deviations over draws and seeds; and the steps that a deep network needs, seeds and medians.",
    )
