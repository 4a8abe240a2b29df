"""The figures of the reproduction `autoencoders`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._figures import COLOURS, GREY, MARKERS, new_figure
from .._report import Report
from .runs import CONVERGED, MODES, Curves, Sizes


def draw(
    report: Report,
    sizes: Sizes,
    curves: dict[str, Curves],
    convergence: dict[str, tuple[int, np.ndarray]],
    kernels: dict[str, np.ndarray],
    memory: dict[str, dict[str, np.ndarray]],
    tied: dict[str, dict[str, np.ndarray]],
) -> None:
    """Add every figure to the report."""
    _losses(report, curves)
    _convergence(report, sizes, convergence)
    _kernels(report, sizes, kernels)
    _memory(report, sizes, memory)
    _tied(report, sizes, tied, curves["joint"])


def _losses(report: Report, curves: dict[str, Curves]) -> None:
    figure, axes = new_figure(2, size=(9.6, 4.0), sharex=True, sharey=True)
    floor, last = 1e-6, 0
    for ax, mode in zip(axes, MODES):
        one = curves[mode]
        for colour, width, row in zip(COLOURS, one.widths, one.histories):
            losses = np.array([history.loss / history.loss[0] for history in row])
            steps = np.arange(losses.shape[1])
            ax.fill_between(steps, losses.min(axis=0), losses.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            ax.plot(steps, np.exp(np.log(losses).mean(axis=0)), color=colour, label=f"width {width}")
        shares = np.array([p / p[0] for p in one.predictions[-1]])
        ax.plot(np.exp(np.log(shares).mean(axis=0)), color="black", linestyle="--", label="infinite width")
        ax.set_yscale("log")
        ax.set_ylim(floor, 1.3)
        last = max(last, int(np.argmax(one.expected < floor * one.expected[0])) or len(one.expected) - 1)
        ax.set_title(f"{mode} training")
        ax.set_xlabel("step")
    axes[0].set_xlim(0, last)
    axes[0].set_ylabel("loss / initial loss")
    axes[1].legend(frameon=False)
    report.figure(
        "loss",
        figure,
        "Loss against steps of gradient descent with one learning rate for weak and joint training. Lines: geometric mean over "
        "seeds, bands: their range, dashes: infinite width from the same initial outputs as the widest networks.",
    )


def _convergence(report: Report, sizes: Sizes, convergence: dict[str, tuple[int, np.ndarray]]) -> None:
    figure, ax = new_figure()
    for colour, marker, mode in zip(COLOURS, MARKERS, MODES):
        _, converged = convergence[mode]
        ax.plot(sizes.narrow, 100 * converged.mean(axis=1), color=colour, marker=marker, label=f"{mode} training")
    ax.set_xscale("log", base=2)
    ax.set_xlabel("width")
    ax.set_ylabel("seeds that converged, %")
    ax.legend(frameon=False)
    report.figure(
        "width",
        figure,
        f"Share of networks whose loss falls below {CONVERGED:g} of its start in twice the steps that infinite width needs.",
    )


def _kernels(report: Report, sizes: Sizes, kernels: dict[str, np.ndarray]) -> None:
    figure, ax = new_figure()
    for colour, marker, (layer, errors) in zip(COLOURS, MARKERS, kernels.items()):
        _band(ax, sizes.kernel_widths, errors, colour, marker, layer)
    _guide(ax, sizes.kernel_widths, 0.6 * kernels["decoder"].mean(axis=1)[0], -0.5)
    ax.set_xlabel("width")
    ax.set_ylabel("relative error of the kernel")
    ax.legend(frameon=False)
    report.figure("kernels", figure, "Distance (Frobenius) of the empirical kernels from their Kronecker limits.")


def _memory(report: Report, sizes: Sizes, memory: dict[str, dict[str, np.ndarray]]) -> None:
    figure, axes = new_figure(2, sharey=True)
    labels = (
        ("outside", "outside the span of the training inputs"),
        ("distance", "from the predictor of infinite width"),
    )
    for ax, (name, title) in zip(axes, labels):
        for colour, marker, mode in zip(COLOURS, MARKERS, MODES):
            _band(ax, sizes.widths, memory[mode][name], colour, marker, f"{mode} training")
        _guide(ax, sizes.widths, 0.6 * memory["joint"]["outside"].mean(axis=1)[0], -0.5)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("width")
    axes[0].set_ylabel("share of the norm of reconstructions")
    axes[0].legend(frameon=False)
    report.figure(
        "memorisation",
        figure,
        "Reconstructions of new inputs by trained networks: their part outside the span of the training inputs, and their "
        "distance from the prediction of infinite width.",
    )


def _tied(report: Report, sizes: Sizes, tied: dict[str, dict[str, np.ndarray]], joint: Curves) -> None:
    figure, (left, right) = new_figure(2)
    names = {"ntk": r"$(m d)^{-1/2}$", "mean": "1/m", "identity": "2/m"}
    for colour, marker, (scaling, label) in zip(COLOURS, MARKERS, names.items()):
        _band(left, sizes.widths, tied[scaling]["norm"], colour, marker, f"tied, {label}")
        _band(right, sizes.widths, tied[scaling]["moved"], colour, marker, f"tied, {label}")
    untied = np.array([[history.initial_output_norm for history in row] for row in joint.histories])
    _band(left, joint.widths, untied, GREY, "x", "joint, not tied")
    _band(right, joint.widths, joint.movements("encoder_movement"), GREY, "x", "joint, not tied")
    left.plot(
        sizes.widths, 0.5 * np.sqrt(np.array(sizes.widths) / sizes.dimension), "k--", label=r"$\sqrt{m / d}\, / \, 2$"
    )
    for ax, label in ((left, "norm of the outputs before training"), (right, "relative movement of the weights")):
        ax.set_xlabel("width")
        ax.set_ylabel(label)
    left.legend(frameon=False)
    right.set_yticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
    right.minorticks_off()
    report.figure(
        "tied", figure, "Outputs before training and movement of the weights against the width, tied and not tied."
    )


def _band(ax: Any, widths: Any, values: np.ndarray, colour: str, marker: str, label: str) -> None:
    """Means over seeds with their range, both axes logarithmic."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.fill_between(widths, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    ax.plot(widths, values.mean(axis=1), color=colour, marker=marker, label=label)


def _guide(ax: Any, widths: Any, start: float, exponent: float) -> None:
    """A line of a given slope."""
    x = np.array(widths, float)
    ax.plot(x, start * (x / x[0]) ** exponent, color="black", linestyle=":", label=r"width$^{-1/2}$")
