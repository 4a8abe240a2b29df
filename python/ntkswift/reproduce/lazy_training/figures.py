"""Figures of the reproduction `lazy-training`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...regimes import QuadraticTarget, asymptotic_risk
from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report

LABELS = {"rf": "random features", "nt": "neural tangent", "nn": "fully trained"}


def _style(index: int) -> dict[str, Any]:
    return {"color": COLOURS[index], "marker": MARKERS[index]}


def draw_risks(report: Report, target: QuadraticTarget, exact: Any, trained: Any) -> None:
    """Risk against N / d: limits as lines, exact optima filled, trained networks hollow; linear and logarithmic."""
    d = target.dimension
    figure, axes = new_figure(2, size=(10.4, 4.2))
    largest = max(max(widths) for widths in exact.values()) / d
    for ax, log in zip(axes, (False, True)):
        # The left panel shows what happens up to 2 d; the right one everything, with small risks spread out.
        end = min(largest, 2.0) if not log else max([largest, *(n / d for _, n in trained)])
        rho = np.unique(np.concatenate([np.geomspace(10 / d, end, 400), np.linspace(0.9, 1.0, 40)]))
        for index, name in enumerate(("rf", "nt", "nn")):
            limit = asymptotic_risk(name, rho, target)
            ax.plot(rho, np.where(limit > 0, limit, np.nan) if log else limit, color=COLOURS[index], label=LABELS[name])
            widths = [n for n in exact[name] if n / d <= end]
            means = np.array([exact[name][n].mean() for n in widths])
            keep = means > 1e-5 if log else np.full(len(means), True)
            ax.plot(np.array(widths)[keep] / d, means[keep], ls="", ms=4.5, **_style(index))
            points = [(n / d, run["risk"]) for (regime, n), run in trained.items() if regime == name and n / d <= end]
            if points:
                x, y = np.array(points).T
                ax.plot(x, y, ls="", ms=8.5, mfc="none", mew=1.3, **_style(index))
        ax.set_xlabel("units per dimension, N / d")
        if log:
            ax.set(xscale="log", yscale="log", ylim=(1e-4, 1.5))
        else:
            ax.set(xlim=(0, 1.03 * end), ylim=(-0.02, 1.03), ylabel="risk / risk of the best constant")
    ax = axes[0]
    ax.plot([], [], color=GREY, marker="o", ms=4.5, ls="", label="best network, finite d")
    ax.plot([], [], color=GREY, marker="o", ms=8.5, mfc="none", mew=1.3, ls="", label="trained by SGD")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False, fontsize=9)
    report.figure(
        "risk",
        figure,
        f"Risk of two-layer networks of squares against units per dimension, d = {d}, authors' target. Lines: limit of large d. "
        "Filled: best network of the regime, exact. Hollow: trained by SGD on fresh samples. Right: logarithmic axes.",
    )


def draw_training(report: Report, target: QuadraticTarget, trained: Any) -> None:
    """Batch loss against the steps for each trained network, its best risk dashed."""
    names = [name for name in ("rf", "nt", "nn") if any(regime == name for regime, _ in trained)]
    figure, axes = new_figure(len(names), size=(4.2 * len(names), 3.8), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], names):
        runs = [(n, run) for (regime, n), run in trained.items() if regime == name]
        runs = [runs[i] for i in sorted({int(j) for j in np.linspace(0, len(runs) - 1, min(5, len(runs)))})]
        for index, (n, run) in enumerate(runs):
            history = run["history"]
            ax.plot(history.time + 1, history.loss / target.variance, color=COLOURS[index], lw=1.1, label=f"N = {n}")
            if run["best"] > 1e-3:
                ax.axhline(run["best"], color=COLOURS[index], ls="--", lw=0.9)
        ax.set(title=LABELS[name], xlabel="steps", ylim=(0, 1.15))
        ax.locator_params(axis="x", nbins=5)
        ax.legend(frameon=False, fontsize=9)
    axes[0, 0].set_ylabel("batch loss / risk of the best constant")
    report.figure(
        "training",
        figure,
        "Mean loss of the batches while training; dashed: the best risk of the regime at that width.",
    )


def draw_mixture(report: Report, mixture: Any) -> None:
    """Risk against N / d for the mixture of two Gaussians."""
    d = mixture["dimension"]
    figure, ax = new_figure(size=(5.4, 4.0))
    rho = np.linspace(0, max(mixture["widths"]) / d, 200)
    for index, name in enumerate(("rf", "nt", "nn")):
        ax.plot(rho, asymptotic_risk(name, rho, mixture["target"]), color=COLOURS[index])
        ax.plot(
            np.array(mixture["widths"]) / d, mixture["risks"][name], ls="", ms=5, label=LABELS[name], **_style(index)
        )
    ax.set(xlabel="units per dimension, N / d", ylabel="risk", ylim=(None, 1.02))
    ax.legend(frameon=False, fontsize=9)
    report.figure(
        "mixture",
        figure,
        f"Mixture of two Gaussians, d = {d}: exact risk of the best networks (points) and limits (lines).",
    )
