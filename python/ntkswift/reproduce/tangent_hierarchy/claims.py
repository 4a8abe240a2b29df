"""Huang & Yau: the kernel of a finite network moves, and a hierarchy of kernels says how.

Statements and definitions are those of the paper; its constants are not known to us. Networks have two hidden layers and
tanh, inputs are linearly independent as its assumptions want.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...hierarchy import truncated_hierarchy
from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import DEFAULT, FULL, Run, Sizes, all_runs, slope


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Run the experiments and fill the report."""
    sizes = FULL if full else DEFAULT
    report.settings = {
        "inputs": sizes.inputs,
        "dimension": sizes.dimension,
        "hidden layers": 2,
        "time": sizes.time,
        "seeds": sizes.seeds,
    }
    steps.expect(sum(width**1.5 for width in sizes.widths))
    runs = all_runs(sizes, seed, steps.part)
    report.numbers["widths"] = sizes.widths
    _square(report)
    _identity(report, runs)
    _kernels(report, sizes, runs)
    _drift(report, sizes, runs)
    _errors(report, sizes, runs)
    draw(report, sizes, runs)
    steps.done()


def _square(report: Report) -> None:
    """The network f = theta^2, where all orders are known."""
    orders = range(2, 9)
    found = {}
    for order in orders:
        kernels = [np.full((1,) * r, 4.0 ** (r - 1)) for r in range(2, order + 1)]
        found[order] = truncated_hierarchy([1.0], [0.0], kernels, [0.1, 1.0]).outputs[:, 0]
    report.numbers["f = theta^2 at t = 0.1 and 1"] = {str(p): v for p, v in found.items()}
    below = all((found[p] < (1 / 1.4, 0.2)).all() == (p % 2 == 0) for p in orders)
    closer = abs(found[4][1] - 0.2) < abs(found[2][1] - 0.2) < abs(found[3][1] - 0.2)
    report.claim(
        Claim(
            "Even orders improve on each other; odd orders overshoot and may be worse than the order below: f = theta^2 "
            "from 1 towards 0, at t = 1.",
            "exact 0.2; order 2: 0.018316, 3: 4.111884, 4: 0.098814, 6: 0.184690, 8: 0.199187",
            ", ".join(f"{p}: {found[p][1]:.6f}" for p in (2, 3, 4, 6, 8)),
            Verdict.AGREES if below and closer else Verdict.DIFFERS,
            note="the paper's theorem is for even orders; predictions from K_r = 4^(r-1) f",
        )
    )


def _identity(report: Report, runs: list[list[Run]]) -> None:
    worst = max(run.identity for row in runs for run in row)
    report.claim(
        Claim(
            "The kernel's velocity in gradient flow is K3 contracted with the residual, dK2/dt = -1/n sum_c K3(.., c) r_c.",
            "relative difference 0",
            f"{worst:.1e}",
            Verdict.AGREES if worst < 1e-10 else Verdict.DIFFERS,
            f"largest over {sum(len(row) for row in runs)} networks",
            "left side by one derivative along the gradient of the loss, right side from the tensor",
        )
    )


def _kernels(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    norms = np.array([[run.norms for run in row] for row in runs])  # width, seed, order
    report.numbers["root mean squares of K2, K3, K4"] = norms
    for order, predicted, note in (
        (2, 0.0, "the NTK has a limit"),
        (3, -1.0, "at the start; odd orders gain half a power over the bound m^-(r/2 - 1), our reading"),
        (4, -1.0, "m^-(r/2 - 1)"),
    ):
        report.claim(
            Claim.compare(
                f"K{order} scales like a power of the width: exponent.",
                predicted=predicted,
                measured=slope(sizes.widths, norms[:, :, order - 2]),
                tolerance=0.25,
                digits=2,
                note=note,
            )
        )
    spread = np.array([np.std([run.k2 for run in row], axis=0, ddof=1) for row in runs])
    deviations = np.sqrt((spread**2).mean(axis=(1, 2)))
    report.numbers["standard deviation of K2"] = deviations
    report.claim(
        Claim.compare(
            "The NTK of a finite network fluctuates around its limit like width^-1/2: exponent of its standard deviation.",
            predicted=-0.5,
            measured=float(slope(sizes.widths, deviations)),
            tolerance=0.2,
            digits=2,
            note=f"over {sizes.seeds} seeds, all entries",
        )
    )


def _drift(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    speeds = np.array([[run.speeds for run in row] for row in runs])  # width, seed, time
    report.numbers["largest entry of dK2/dt over time"] = speeds
    for name, values in (("at initialisation", speeds[:, :, 0]), ("largest along training", speeds.max(axis=2))):
        report.claim(
            Claim.compare(
                f"The NTK moves with a speed of order 1 / width up to logarithms: exponent of max |dK2/dt|, {name}.",
                predicted=-1.0,
                measured=slope(sizes.widths, values),
                tolerance=0.3,
                digits=2,
                note=f"{values[-1].mean():.2g} at width {sizes.widths[-1]}; the paper's bound has a power of log(width)",
            )
        )


def _errors(report: Report, sizes: Sizes, runs: list[list[Run]]) -> None:
    n = sizes.inputs
    for where, rows in (("training inputs", slice(0, n)), ("new inputs", slice(n, None))):
        found = {
            p: np.array([[np.linalg.norm(r.errors[p][:, rows], axis=1).max() for r in row] for row in runs])
            for p in (2, 3, 4)
        }
        report.numbers[f"largest errors at {where}"] = {str(p): values for p, values in found.items()}
        if where == "new inputs":
            ratio = found[2][-1] / found[4][-1]
            report.claim(
                Claim(
                    "New inputs follow passively: order 4 predicts them better than the frozen kernel (order 2).",
                    "smaller error; the paper states the equations, no bound",
                    f"{np.exp(np.log(ratio).mean()):.0f} times smaller at width {sizes.widths[-1]}",
                    Verdict.AGREES
                    if ratio.min() > 1
                    else Verdict.NOT_SEEN
                    if np.median(ratio) > 1
                    else Verdict.DIFFERS,
                    f"{ratio.min():.0f} to {ratio.max():.0f} over {sizes.seeds} seeds",
                )
            )
            continue
        for order in (2, 4):
            report.claim(
                Claim.compare(
                    f"Cut at order {order}, the outputs are wrong by width^{-order // 2} up to time {sizes.time:g}: exponent of "
                    "max_t |f_p - f|.",
                    predicted=-order / 2,
                    measured=slope(sizes.widths, found[order]),
                    tolerance=0.15 * order,
                    digits=2,
                    note=f"median error {np.median(found[order][-1]):.1e} at width {sizes.widths[-1]}; the bound of Theorem 2.6 "
                    "has no logarithm as printed",
                )
            )
        worse = (found[3] > found[2]).mean(axis=1)
        report.numbers["share of networks where order 3 is worse than order 2"] = worse
        report.claim(
            Claim(
                "An odd order is no safe improvement: networks whose order 3 is worse than the frozen kernel.",
                "some at small width (f = theta^2 shows why)",
                ", ".join(f"{share:.0%} at width {m}" for m, share in zip(sizes.widths, worse)),
                Verdict.AGREES if worse[0] > 0 else Verdict.NOT_SEEN,
                f"{sizes.seeds} seeds",
            )
        )
