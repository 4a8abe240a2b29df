"""Dou & Liang: a trained network is kernel regression with the kernel that it has learnt.

The statements are those of the paper's abstract and of derivations made anew. f(x) = sum_j w_j relu(<u_j, x>) / sqrt(width),
targets sin(2 x_1) + x_2, gradient descent on all inputs with a rate that falls to 0, since gradient descent chatters at kinks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import DEFAULT, FULL, DecayRun, ResidualRun, Sizes, balance_drifts, decay_run, residual_run


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Run the experiments and fill the report."""
    sizes = FULL if full else DEFAULT
    report.settings = {
        "inputs": sizes.inputs,
        "dimension": sizes.dimension,
        "width": sizes.width,
        "width of the narrow network": sizes.narrow,
        "steps": sizes.steps,
        "seeds": sizes.seeds,
    }
    steps.expect(len(sizes.decays) + 2)
    runs: list[list[DecayRun]] = []
    for decay in sizes.decays:
        show, row = steps.part(1), []
        for number in range(sizes.seeds):
            row.append(decay_run(sizes, decay, seed, number))
            show((number + 1) / sizes.seeds)
        runs.append(row)
    show, narrow = steps.part(1), []
    for number in range(sizes.seeds):
        narrow.append(residual_run(sizes, seed, number))
        show((number + 1) / sizes.seeds)
    drifts, fading = balance_drifts(sizes, seed, steps.part(1))
    _identity(report, sizes, runs)
    _ridgeless(report, sizes, runs)
    _residual(report, sizes.inputs, narrow)
    _balance(report, sizes, drifts, fading)
    _adaptation(report, sizes, runs)
    draw(report, sizes, runs, narrow, drifts)
    steps.done()


def _identity(report: Report, sizes: Sizes, runs: list[list[DecayRun]]) -> None:
    last = np.array([[run.last.deviation for run in row] for row in runs])
    joint = np.array([[run.moments[-1].deviation for run in row] for row in runs])
    first = np.array([[run.moments[0].deviation for run in row] for row in runs])
    report.numbers["distance from regression with its own kernel"] = {
        "weight decay": sizes.decays, "start": first, "after joint training": joint, "last layer stationary": last
    }  # fmt: skip
    by_decay = ", ".join(f"{v:.0e} at {d:g}" for d, v in zip(sizes.decays, joint.max(axis=1)))
    report.claim(
        Claim(
            "Where the last layer is stationary under weight decay, the network is kernel ridge regression with its own "
            "kernel, f(x) = H(x, X) (H + n lambda I)^-1 y, at new inputs.",
            "distance 0",
            f"{last.max():.0e}",
            Verdict.AGREES if last.max() < 1e-6 else Verdict.NOT_SEEN if last.max() < 1e-2 else Verdict.DIFFERS,
            f"largest over {last.size} networks; {first.min():.2g} or more before training",
            f"all layers trained, then the last one alone until its gradient vanishes. After joint training alone (not quite "
            f"stationary) at most {by_decay}",
        )
    )
    pairs = np.array([(m.deviation, m.predicted) for row in runs for run in row for m in run.moments])
    worst = float(np.abs(pairs[:, 0] - pairs[:, 1]).max())
    report.claim(
        Claim(
            "Before that it differs by n phi(x) (Phi^T Phi + n lambda)^-1 grad_w L: the identity's error is the last layer's "
            "gradient and nothing else.",
            "difference of both sides 0",
            f"{worst:.0e}",
            Verdict.AGREES if worst < 1e-8 else Verdict.DIFFERS,
            f"largest over {len(pairs)} moments of training",
            "derived here",
        )
    )


def _ridgeless(report: Report, sizes: Sizes, runs: list[list[DecayRun]]) -> None:
    fitted = np.array([[run.fitted for run in row] for row in runs])
    elsewhere = np.array([[run.ridgeless for run in row] for row in runs])
    report.numbers["distance from ridgeless regression"] = {"training inputs": fitted, "new inputs": elsewhere}
    means, new = (np.exp(np.log(values).mean(axis=1)) for values in (fitted, elsewhere))
    falls = bool(np.all(np.diff(means) < 0))
    shown = ", ".join(f"{v:.2g} at {d:g}" for d, v in zip(sizes.decays, new))
    report.claim(
        Claim(
            "With vanishing weight decay the network tends to ridgeless regression with its adaptive kernel (its fit at the "
            "training inputs, by weight decay).",
            "distance 0 in the limit",
            ", ".join(f"{v:.2g} at {d:g}" for d, v in zip(sizes.decays, means)),
            Verdict.AGREES
            if falls and means[-1] < 0.1
            else Verdict.NOT_SEEN
            if means[-1] < means[0]
            else Verdict.DIFFERS,
            f"geometric means over {sizes.seeds} seeds",
            f"norm of the distance over that of the targets. At new inputs the largest distance, over the largest target, is "
            f"{shown}: H has eigenvalues far below n lambda, whose directions ridgeless regression fits and the network does not",
        )
    )


def _residual(report: Report, inputs: int, narrow: list[ResidualRun]) -> None:
    last, full = (np.array([getattr(run, part)[-1] for run in narrow]) for part in ("in_last", "in_full"))
    size = np.array([run.residual[-1] for run in narrow])
    report.numbers["narrow network"] = {
        "share in the range of H": last, "share in the range of K": full, "residual": size, "ranks": [r.ranks for r in narrow]
    }  # fmt: skip
    late = "; training has not arrived along the directions of K with small eigenvalues, or rests at kinks"
    for kernel, share, start, i in (("H", last, "in_last", 0), ("K, a larger space", full, "in_full", 1)):
        first = np.mean([getattr(run, start)[0] for run in narrow])
        rank = np.mean([run.ranks[i] for run in narrow])
        report.claim(
            Claim(
                f"Without weight decay the residual of a trained network is orthogonal to the range of {kernel}.",
                "share of the residual's norm in it 0",
                f"{share.max():.0e} (mean {share.mean():.0e})",
                Verdict.AGREES if share.max() < 1e-2 else Verdict.NOT_SEEN,
                f"largest of {share.size} seeds; {first:.2f} at the start",
                f"rank {rank:.0f} of {inputs} on average; the residual that stays is {size.mean():.2f} of the targets"
                + (late if share.max() >= 1e-2 else ""),
            )
        )


def _balance(report: Report, sizes: Sizes, drifts: np.ndarray, fading: np.ndarray) -> None:
    report.numbers["change of the balance by learning rate"] = {"rates": sizes.rates, "changes": drifts}
    exponents = np.polyfit(np.log(sizes.rates), np.log(drifts), 1)[0]
    report.claim(
        Claim.compare(
            "Gradient flow conserves w_j^2 - |u_j|^2 of every unit: gradient descent for the same time changes it in proportion "
            "to the learning rate (exponent).",
            predicted=1.0,
            measured=exponents,
            tolerance=0.15,
            digits=2,
            note=f"largest change {drifts[-1].mean():.1e} at learning rate {sizes.rates[-1]:g}, time {sizes.flow_time:g}",
        )
    )
    report.claim(
        Claim(
            "Weight decay lambda shrinks it like exp(-2 lambda t).",
            "relative difference 0 in gradient flow",
            f"{fading.max():.1e}",
            Verdict.AGREES if fading.max() < 0.02 else Verdict.DIFFERS,
            f"largest of {fading.size} seeds",
            f"lambda 0.01, learning rate {sizes.rates[-1]:g}; derived here",
        )
    )


def _adaptation(report: Report, sizes: Sizes, runs: list[list[DecayRun]]) -> None:
    moved = np.array([[run.alignment for run in row] for row in runs])
    errors = np.array([[run.test_errors for run in row] for row in runs])
    report.numbers["alignment with the targets, before and after"] = moved
    report.numbers["test error of regression with the kernel, before and after"] = errors
    row = sizes.decays.index(min(sizes.decays, key=lambda d: abs(d - 1e-2)))
    gain, ratio = moved[row, :, 1] / moved[row, :, 0], errors[row, :, 1] / errors[row, :, 0]
    for text, values, better, form in (
        ("Training aligns the kernel H with the targets: kernel-target alignment, after over before.", gain, gain > 1, "{:.2f}"),
        ("The learnt kernel predicts better than the initial one: root mean square error of ridge regression at new "
         "inputs, after over before.", ratio, ratio < 1, "{:.2f}"),
    ):  # fmt: skip
        report.claim(
            Claim(
                text,
                "more than 1" if "aligns" in text else "less than 1",
                form.format(values.mean()),
                Verdict.AGREES if better.all() else Verdict.NOT_SEEN if better.mean() > 0.5 else Verdict.DIFFERS,
                f"{values.min():.2f} to {values.max():.2f} over {sizes.seeds} seeds",
                f"weight decay {sizes.decays[row]:g}, the same ridge for both",
            )
        )
