"""Nguyen, Wong & Hegde: what autoencoders gain from training both halves, and what infinite width says of them.

The text of the paper was not at hand: its claims are taken from the abstract and from the kernels, which were derived anew.
Inputs are random directions. Step sizes are common to both kinds of training, so that steps can be compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...regimes import Autoencoder
from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import (
    CONVERGED,
    DEFAULT,
    FULL,
    MODES,
    Curves,
    Sizes,
    common_rate,
    convergence_by_width,
    kernel_errors,
    memorisation,
    required_widths,
    slope,
    tied_networks,
    train_curves,
    unit_rows,
)


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Run the experiments and fill the report."""
    sizes = FULL if full else DEFAULT
    X = unit_rows(sizes.inputs, sizes.dimension, seed)
    rate = common_rate(X)
    report.settings = {
        "inputs": sizes.inputs,
        "dimension": sizes.dimension,
        "seeds": sizes.seeds,
        "learning rate": round(rate, 4),
        "sizes": "our choice also in the full run: the paper's experiments were not seen",
    }
    steps.expect(20)
    curves = {mode: train_curves(X, mode, sizes, rate, seed, steps.part(4)) for mode in MODES}
    convergence = {mode: convergence_by_width(X, curves[mode], sizes, seed, steps.part(1)) for mode in MODES}
    kernels, outside = kernel_errors(X, sizes, seed, steps.part(4))
    memory = {mode: memorisation(sizes, mode, seed, steps.part(1)) for mode in MODES}
    tied = tied_networks(X, sizes, seed, steps.part(4))
    _speed(report, X, curves)
    _width(report, sizes, convergence)
    _late_rates(report, curves)
    _kernels(report, sizes, kernels, outside)
    _laziness(report, curves)
    _memory(report, sizes, memory)
    _tied(report, sizes, tied, curves["joint"])
    draw(report, sizes, curves, convergence, kernels, memory, tied)
    steps.done()


def _speed(report: Report, X: np.ndarray, curves: dict[str, Curves]) -> None:
    predicted, measured = zip(*(curves[mode].steps_to(0.01) for mode in MODES))
    own = []
    for mode in MODES:
        alone = Autoencoder(64, mode)  # learning rate 1 / lambda_max of its own kernel
        loss = alone.predicted_loss(X, 20 * len(curves[mode].expected))
        own.append(int(np.argmax(loss < 0.01 * loss[0])))
    report.numbers["steps to 1 % of the loss"] = dict(zip(MODES, measured))
    report.numbers["steps to 1 % with own learning rates, infinite width"] = dict(zip(MODES, own))
    report.claim(
        Claim.compare(
            "With the same step size joint training needs fewer steps than weak training: steps to 1 % of the loss, "
            "weak divided by joint.",
            predicted=predicted[0] / predicted[1],
            measured=measured[0] / measured[1],
            tolerance=0.1 * predicted[0] / predicted[1],
            digits=2,
            note=f"width {curves['joint'].widths[-1]}, theory {predicted[0]} and {predicted[1]} steps. It is not a matter of "
            f"steps alone: with its own step size 1/lambda_max each, infinite width predicts {own[0]} steps for weak and "
            f"{own[1]} for joint training, because adding S to H raises lambda_max more than lambda_min",
        )
    )


def _width(report: Report, sizes: Sizes, convergence: dict[str, tuple[int, np.ndarray]]) -> None:
    needed = {mode: required_widths(sizes.narrow, converged) for mode, (_, converged) in convergence.items()}
    report.numbers["required width"] = needed
    report.numbers["share that converged"] = {
        "widths": sizes.narrow,
        **{mode: converged.mean(axis=1) for mode, (_, converged) in convergence.items()},
    }
    complete = all(np.isfinite(values).all() for values in needed.values())
    weak, joint = (np.exp(np.mean(np.log(needed[mode]))) for mode in MODES)
    apart = complete and needed["weak"].min() > needed["joint"].max()
    allowed = " and ".join(f"{convergence[mode][0]} ({mode})" for mode in MODES)
    ranges = "; ".join(f"{mode} {needed[mode].min():.0f} to {needed[mode].max():.0f}" for mode in MODES)
    report.claim(
        Claim(
            "Joint training needs less over-parameterisation than weak training to converge at the speed of infinite width.",
            "less; by which power is not known to us",
            f"width {weak:.0f} for weak, {joint:.0f} for joint training: {weak / joint:.1f} times less",
            Verdict.AGREES if apart else Verdict.NOT_SEEN if weak > joint else Verdict.DIFFERS,
            f"{ranges}, {sizes.seeds} seeds",
            f"from which width on the loss falls below {CONVERGED:g} of its start in twice the steps that infinite width "
            f"needs, {allowed}; geometric means. Weak training has half of the weights to train at the same width",
        )
    )


def _late_rates(report: Report, curves: dict[str, Curves]) -> None:
    for mode, name in (("weak", "H"), ("joint", "H + S")):
        one = curves[mode]
        measured = [-np.log(history.late_rate(50)) for history in one.histories[-1]]
        predicted = -np.log(one.late_rate)
        report.numbers[f"late rate, {mode}"] = np.exp(-np.array(measured))
        report.claim(
            Claim.compare(
                f"Late in {mode} training the loss shrinks by (1 - eta lambda_min({name}) / d)^2 in each step: "
                "rate of decay, measured over predicted.",
                predicted=1.0,
                measured=np.array(measured) / predicted,
                tolerance=0.1,
                note=f"predicted factor {one.late_rate:.4f} per step, measured {np.exp(-np.mean(measured)):.4f}; width "
                f"{one.widths[-1]}, last 50 of {len(one.expected) - 1} steps",
            )
        )


def _kernels(report: Report, sizes: Sizes, kernels: dict[str, np.ndarray], outside: float) -> None:
    report.numbers["kernel errors"] = {"widths": sizes.kernel_widths, **kernels}
    for layer, limit in (("encoder", "H / d"), ("decoder", "S / d")):
        report.claim(
            Claim.compare(
                f"The kernel of the {layer} approaches the Kronecker product of {limit} and the identity like width^-1/2: "
                "exponent of its relative error.",
                predicted=-0.5,
                measured=slope(sizes.kernel_widths, kernels[layer]),
                tolerance=0.1,
                digits=2,
                note=f"error {kernels[layer][-1].mean():.2g} at width {sizes.kernel_widths[-1]}",
            )
        )
    ratio = kernels["encoder"].mean(axis=1) / kernels["decoder"].mean(axis=1)
    report.claim(
        Claim(
            "The decoder's kernel has no random d x d factor: it is a Kronecker product with the identity at every width.",
            "entries that mix coordinates are 0",
            f"largest such entry {outside:g}",
            Verdict.AGREES if outside == 0 else Verdict.DIFFERS,
            note=f"the encoder's relative error is {ratio.min():.1f} to {ratio.max():.1f} times the decoder's",
        )
    )


def _laziness(report: Report, curves: dict[str, Curves]) -> None:
    for mode in MODES:
        widths, deviations = curves[mode].widths, curves[mode].deviations()
        moved, kernel = (curves[mode].movements(name) for name in ("encoder_movement", "kernel_movement"))
        report.numbers[f"deviation from infinite width, {mode}"] = {"widths": widths, "deviations": deviations}
        report.numbers[f"movement, {mode}"] = {"widths": widths, "encoder": moved, "kernel": kernel}
        falls, last = bool(np.all(np.diff(deviations.mean(axis=1)) < 0)), deviations[-1]

        def exponent(values: np.ndarray, widths: tuple[int, ...] = widths) -> float:
            return float(slope(widths[-3:], values[-3:].mean(axis=1)))

        report.claim(
            Claim(
                f"Wide networks in {mode} training follow the loss curve of infinite width.",
                "largest |log(loss / predicted)| 0 at infinite width",
                f"{last.mean():.3f} at width {widths[-1]}, falling like width^{exponent(deviations):.2f} from {widths[-3]} on",
                Verdict.AGREES if falls and last.mean() < 0.15 else Verdict.NOT_SEEN if falls else Verdict.DIFFERS,
                f"{last.std(ddof=1):.3f} over {last.size} seeds",
                f"while the loss is above {CONVERGED:g} of its start; {deviations[0].mean():.2g} at width {widths[0]}. "
                f"Weights move like width^{exponent(moved):.2f}, the kernel like width^{exponent(kernel):.2f}",
            )
        )


def _memory(report: Report, sizes: Sizes, memory: dict[str, dict[str, np.ndarray]]) -> None:
    report.numbers["memorisation"] = {"widths": sizes.widths, **memory}
    for mode in MODES:
        outside, distance = memory[mode]["outside"], memory[mode]["distance"]
        exponents = slope(sizes.widths, outside)
        falls = bool(np.all(np.diff(outside.mean(axis=1)) < 0))
        close = outside[-1].mean() < 0.15
        report.claim(
            Claim(
                f"Memorisation: after {mode} training the reconstructions of new inputs lie in the span of the training inputs.",
                "share outside the span 0 at infinite width",
                f"{outside[-1].mean():.3f} at width {sizes.widths[-1]}, falling like width^{exponents.mean():.2f}",
                Verdict.AGREES if falls and close else Verdict.NOT_SEEN if falls else Verdict.DIFFERS,
                f"{outside[-1].std(ddof=1):.3f} over {sizes.seeds} seeds",
                f"outputs start at 0 (mirrored neurons); distance from X K^-1 k(X, x) {distance[-1].mean():.3f}, which itself is "
                f"{memory[mode]['unlike'][-1].mean():.2f} away from the new inputs: the network does not learn the identity",
            )
        )


def _tied(report: Report, sizes: Sizes, tied: dict[str, dict[str, np.ndarray]], joint: Curves) -> None:
    report.numbers["tied"] = {"widths": sizes.widths, **tied}
    widths, d = np.array(sizes.widths), sizes.dimension
    derived = "derived here; the paper's own theorem was not seen"
    norms = tied["ntk"]["norm"] / (0.5 * np.sqrt(widths / d))[:, None]
    report.claim(
        Claim.compare(
            "Tied weights with the scaling (m d)^-1/2 start with outputs of norm sqrt(m / d) / 2, which diverges with the width: "
            "norm over prediction.",
            predicted=1.0,
            measured=norms[-1],
            tolerance=0.05,
            note=f"width {widths[-1]}; {derived}",
        )
    )
    moved = slope(widths, tied["ntk"]["moved"])
    lazy = slope(joint.widths, joint.movements("encoder_movement"))
    report.claim(
        Claim.compare(
            "With that scaling there is no lazy regime: the relative movement of tied weights does not vanish with the width "
            "(exponent).",
            predicted=0.0,
            measured=moved,
            tolerance=0.2,
            digits=2,
            note=f"movement {tied['ntk']['moved'][-1].mean():.2f} at width {widths[-1]}; untied weights move like width^"
            f"{lazy.mean():.2f}; {derived}",
        )
    )
    starts = tied["identity"]["start"]
    report.claim(
        Claim.compare(
            "With the scaling 2 / m tied weights are the identity before any training: exponent of the initial loss.",
            predicted=-1.0,
            measured=slope(widths, starts),
            tolerance=0.15,
            digits=2,
            note=f"loss {starts[-1].mean():.2g} at width {widths[-1]}, {tied['mean']['start'][-1].mean():.3g} with the scaling "
            f"1 / m, whose outputs start at x / 2 (theory: {sizes.inputs / 8:.3g}); {derived}",
        )
    )
