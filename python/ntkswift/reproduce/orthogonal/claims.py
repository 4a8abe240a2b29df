"""Huang, Du & Xu: orthogonal against Gaussian initialisation, at the start and along training.

The text of the paper was not at hand. Its claims are those of its experiments, whose code and released data are public; slopes
"of the authors' data" are fits to these. Inputs are scikit-learn's digits instead of CIFAR-10, sizes are smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import ACCURACIES, KINDS, THRESHOLD, digits, initial_errors, movements, steps_to_accuracy

# Of the authors' released data: the exponents of the width over the last five of nine widths, and of the weights of each layer.
KERNEL_SLOPES = {"gaussian": -0.93, "orthogonal": -0.96}
WEIGHT_SLOPES = (-0.5, -1.0, -1.0, -0.5)


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Run the experiments and fill the report."""
    draws, widths = (100, (32, 64, 128, 256, 512)) if full else (30, (32, 64, 128, 256))
    moving, seeds, inputs = ((32, 64, 128, 256, 512, 1024), 5, 256) if full else ((32, 64, 128, 256), 3, 64)
    depth, narrow = (50, 400) if full else (16, 96)
    rates = (3.0, 10.0, 30.0)
    report.settings = {"inputs": inputs, "draws": draws, "seeds": seeds, "deep network": f"{depth} x {narrow}"}
    steps.expect(3)
    errors = initial_errors(widths, draws, seed, steps.part(1))
    x, y = digits(4 * inputs, seed)
    kernels, weights = movements(x[:inputs], y[:inputs], moving, seeds, seed, steps.part(1))
    needed = steps_to_accuracy(x, y, depth, narrow, rates, seeds, seed, steps.part(1))
    _claim_errors(report, widths, errors)
    _claim_kernels(report, moving, kernels)
    _claim_weights(report, moving, weights)
    _claim_steps(report, rates, needed)
    draw(report, widths, errors, moving, kernels, rates, needed)
    steps.done()


def _slopes(widths: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    """The exponent of the width for each seed."""
    return np.polyfit(np.log(widths), np.log(values), 1)[0]


def _claim_errors(report: Report, widths: tuple[int, ...], errors: dict[str, np.ndarray]) -> None:
    report.numbers["NTK error of one network"] = {"widths": widths, **errors}
    for kind in KINDS:
        slopes = np.polyfit(np.log(widths), np.log(np.sqrt(np.mean(errors[kind] ** 2, axis=1))), 1)[0]
        report.claim(
            Claim.compare(
                f"The NTK of a network with {kind} weights approaches the same limit: exponent of its error in the width.",
                predicted=-0.5,
                measured=slopes,
                tolerance=0.1,
                note=f"root mean square of {errors[kind].shape[1]} draws, one hidden ReLU layer, 20 inputs of length 1024",
            )
        )
    logs = {kind: np.log(errors[kind]) for kind in KINDS}
    gain = float(np.mean(logs["orthogonal"] - logs["gaussian"]))
    # Draws of both kinds and all widths are independent.
    error = np.sqrt(sum(logs[kind].var(axis=1, ddof=1).sum() for kind in KINDS) / errors[KINDS[0]].shape[1]) / len(
        widths
    )
    report.claim(
        Claim(
            "Orthogonal weights have the smaller error.",
            "less than 1 (no constant is known to us)",
            f"orthogonal / Gaussian {np.exp(gain):.2f}, geometric mean over widths and draws",
            Verdict.AGREES if gain + 2 * error < 0 else Verdict.NOT_SEEN if gain < 2 * error else Verdict.DIFFERS,
            f"standard error {100 * error:.0f} %",
        )
    )


def _claim_kernels(report: Report, widths: tuple[int, ...], kernels: dict[str, np.ndarray]) -> None:
    report.numbers["relative change of the NTK"] = {"widths": widths, **kernels}
    for kind in KINDS:
        report.claim(
            Claim.compare(
                f"The NTK of {kind} networks changes by about 1/width during training: exponent of the width.",
                predicted=KERNEL_SLOPES[kind],
                measured=_slopes(widths[1:], kernels[kind][1:]),
                tolerance=0.2,
                note="predicted: fit to the authors' released data, widths 256 to 4096; here "
                f"{widths[1]} to {widths[-1]}, 150 steps of gradient descent, three hidden tanh layers",
            )
        )


def _claim_weights(report: Report, widths: tuple[int, ...], weights: dict[str, np.ndarray]) -> None:
    report.numbers["relative change of the weights"] = {"widths": widths, **weights}
    for kind in KINDS:
        slopes = np.array([_slopes(widths[1:], weights[kind][1:, :, layer]).mean() for layer in range(4)])
        agrees = np.abs(slopes - WEIGHT_SLOPES).max() < 0.2
        report.claim(
            Claim(
                f"Weights of {kind} networks move by width^-1/2 in the first and last layer and by 1/width between.",
                ", ".join(f"{slope:g}" for slope in WEIGHT_SLOPES),
                ", ".join(f"{slope:.2f}" for slope in slopes),
                Verdict.AGREES if agrees else Verdict.DIFFERS,
                note="within 0.2, relative Frobenius norms; the authors' data give -.49 to -.54 and -1.01 to -1.03",
            )
        )


def _claim_steps(report: Report, rates: tuple[float, ...], needed: dict[str, np.ndarray]) -> None:
    report.numbers["steps to accuracies"] = {"rates": rates, "accuracies": ACCURACIES, **needed}
    best = {kind: steps.min(axis=0) for kind, steps in needed.items()}  # each seed at its best learning rate
    middle = {kind: np.median(steps, axis=0) for kind, steps in best.items()}
    at = ACCURACIES.index(THRESHOLD)
    seen = np.isfinite(middle["orthogonal"][at]) and middle["orthogonal"][at] < middle["gaussian"][at]
    others = "; ".join(
        f"{100 * accuracy:.0f} %: " + " against ".join(_number_of_steps(middle[kind][i]) for kind in KINDS)
        for i, accuracy in enumerate(ACCURACIES)
        if i != at
    )
    report.claim(
        Claim(
            "Deep orthogonal networks train faster: steps to the threshold at each one's best learning rate.",
            "orthogonal 2 to 5 times faster (the authors' data: 29 against 13 steps at depth 50, 64 against 14 at 200)",
            ", ".join(f"{kind} {_number_of_steps(middle[kind][at])}" for kind in KINDS)
            + " steps, medians of the seeds",
            Verdict.AGREES if seen else Verdict.NOT_SEEN,
            " against ".join(", ".join(_number_of_steps(v) for v in best[kind][:, at]) for kind in KINDS),
            f"threshold: {100 * THRESHOLD:.0f} % of other inputs classified correctly; {others}",
        )
    )


def _number_of_steps(steps: float) -> str:
    return f"{steps:.0f}" if np.isfinite(steps) else "more than 120"
