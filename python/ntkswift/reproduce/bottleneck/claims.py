"""Littwin et al.: what a finite layer changes in an infinitely wide network.

The claims are those of the abstract; the sizes, targets and the deep linear theory here are our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...regimes import LinearBottleneck
from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import (
    DEFAULT,
    FULL,
    LINEAR_DIMENSION,
    Race,
    finite_deviations,
    linear_constant_time,
    linear_times,
    races,
    whitened,
)

# |beta| -> units -> time; computed before, from the same equations, by another program.
_KNOWN = {
    10.0: {1: 0.139, 2: 0.139, 5: 0.170, 20: 0.205, 100: 0.255},
    3.0: {1: 0.90, 2: 0.64, 5: 0.61, 20: 0.41, 100: 0.35},
}


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Run the experiments and fill the report."""
    sizes = FULL if full else DEFAULT
    report.settings = {"seeds": sizes.seeds, "training points": sizes.points, "bottleneck units": sizes.units}
    steps.expect(20)
    deviations = finite_deviations(sizes, seed, steps.part(5))
    _finite(report, deviations)
    runs = races(sizes, seed, steps.part(11))
    _features(report, runs)
    _acceleration(report, runs)
    _performance(report, runs)
    times = linear_times(sizes, seed, steps.part(4))
    _linear(report, times)
    _linear_theory(report, seed)
    draw(report, deviations, runs, times)
    steps.done()


def _finite(report: Report, deviations: dict[str, dict[int, np.ndarray]]) -> None:
    report.numbers["relative distance of finite networks"] = deviations
    rows = deviations["function space"]
    widths = np.array(list(rows))
    means = np.array([row.mean() for row in rows.values()])
    slopes = [
        np.polyfit(np.log(widths), np.log([row[s] for row in rows.values()]), 1)[0] for s in range(len(rows[widths[0]]))
    ]
    listed = ", ".join(f"{mean:.3f} at {width}" for width, mean in zip(widths, means, strict=True))
    error = np.std(slopes, ddof=1) / np.sqrt(len(slopes))
    report.claim(
        Claim.compare(
            "Finite networks with the same start approach the function-space dynamics: exponent of their distance against "
            "the width.",
            predicted=-0.5,
            measured=slopes,
            tolerance=max(0.15, 2 * error),
            note=f"relative distance of outputs after training {listed}; tolerance at least two standard errors",
        )
    )
    last, frozen = rows[widths[-1]], deviations["frozen kernel"][widths[-1]]
    report.claim(
        Claim(
            f"At width {widths[-1]} a frozen kernel misses what the function-space dynamics has.",
            "frozen distance several times larger",
            f"{frozen.mean():.3f} against {last.mean():.3f}",
            Verdict.AGREES if frozen.mean() > 3 * last.mean() else Verdict.DIFFERS,
            spread=f"{frozen.std(ddof=1):.3f} and {last.std(ddof=1):.3f} over {len(last)} seeds",
            note="relative distance of the outputs after training; frozen: gradient flow with the kernel of the start. Agrees "
            "where it is over three times as large",
        )
    )


def _features(report: Report, runs: dict[float, Race]) -> None:
    for size, race in runs.items():
        report.numbers[f"movement of the representation, target scale {size:g}"] = race.movement
    size, race = list(runs.items())[-1]
    units = list(race.movement)
    medians = {k: float(np.median(race.movement[k])) for k in units}
    listed = ", ".join(f"{value:.2f} ({k})" for k, value in medians.items())
    moved = race.movement[units[0]]
    falls = medians[units[-1]] < medians[units[0]]
    report.claim(
        Claim(
            "A bottleneck allows feature learning: the bottleneck representation moves in training, the less the wider it is.",
            "relative movement of order 1 at few units, less at many",
            f"median {listed} units",
            Verdict.AGREES if medians[units[0]] > 0.3 and falls else Verdict.DIFFERS,
            spread=f"{moved.std(ddof=1):.2f} over {len(moved)} seeds at {units[0]} unit",
            note=f"target scale {size:g}; agrees where it is over 0.3 at the narrowest and less at the widest",
        )
    )


def _acceleration(report: Report, runs: dict[float, Race]) -> None:
    for size, race in runs.items():
        medians = {k: float(np.median(row)) for k, row in race.times.items()}
        report.numbers[f"time to 1 % of the loss of outputs 0, target scale {size:g}"] = {
            "purely infinite": race.constant,
            **race.times,
        }
        best = min(medians, key=lambda k: medians[k])
        listed = ", ".join(f"{value:.3g} ({k})" for k, value in medians.items())
        worse = float(np.mean([np.mean(row > race.constant) for row in race.times.values()]))
        row = race.times[best]
        finite = row[np.isfinite(row)]
        faster = all(value < race.constant for value in medians.values())
        report.claim(
            Claim(
                "A bottleneck dramatically accelerates training compared with a purely infinite network: erf networks, "
                f"target scale {size:g}.",
                f"time below that of the constant kernel, {race.constant:.3g}",
                f"median {listed} units; fastest {race.constant / medians[best]:.2f} times as fast",
                Verdict.AGREES if faster and medians[best] < race.constant / 2 else Verdict.DIFFERS,
                spread=f"{finite.std(ddof=1):.2g} over {len(finite)} seeds at {best}" if len(finite) > 1 else "",
                note=f"time to 1 % of the loss of outputs 0; slower than the constant kernel in {worse:.0%} of the runs. Agrees "
                "where every width is faster and the best at least twice as fast",
            )
        )


def _performance(report: Report, runs: dict[float, Race]) -> None:
    for size, race in runs.items():
        report.numbers[f"test error, target scale {size:g}"] = {
            "purely infinite": race.constant_test_error,
            **race.test_error,
        }
    size, race = list(runs.items())[-1]
    medians = {k: float(np.median(row)) for k, row in race.test_error.items()}
    best = min(medians, key=lambda k: medians[k])
    listed = ", ".join(f"{value:.3f} ({k})" for k, value in medians.items())
    row = race.test_error[best]
    better = sum(value < race.constant_test_error for value in medians.values())
    report.claim(
        Claim(
            "With improved overall performance: test error on a target that depends on one direction of the inputs.",
            f"below that of the purely infinite network, {race.constant_test_error:.3f}",
            f"median {listed} units",
            Verdict.AGREES if 2 * better > len(medians) else Verdict.DIFFERS,
            spread=f"{row.std(ddof=1):.3f} over {len(row)} seeds at {best}",
            note=f"target scale {size:g}; mean squared error relative to outputs 0, at the end of the same time. Agrees "
            f"where more than half of the widths are better: {better} of {len(medians)}",
        )
    )


def _linear(report: Report, times: dict[float, dict[int, np.ndarray]]) -> None:
    constant = linear_constant_time()
    report.numbers["deep linear networks, time to 1e-3"] = {
        "constant kernel": constant,
        **{f"|beta| = {size:g}": row for size, row in times.items()},
    }
    for size, row in times.items():
        medians = {k: float(np.median(values)) for k, values in row.items()}
        listed = ", ".join(f"{value:.3f} ({k})" for k, value in medians.items())
        faster = [value < constant for value in medians.values()]
        known = ", ".join(f"{value:.3f} ({k})" for k, value in _KNOWN.get(size, {}).items())
        expected = size >= 10
        reached = row[1][np.isfinite(row[1])]
        report.claim(
            Claim(
                f"Deep linear networks: a bottleneck is {'faster' if expected else 'slower'} than the constant kernel for "
                f"|beta| = {size:g}.",
                f"{'below' if expected else 'above'} {constant:.3f} at every width"
                + (f"; before: {known}" if known else ""),
                f"median {listed} units",
                Verdict.AGREES if all(f == expected for f in faster) else Verdict.DIFFERS,
                spread=f"{reached.std(ddof=1):.3f} over {len(reached)} of {len(row[1])} seeds at 1 unit"
                if len(reached) > 1
                else "",
                note="The paper explains its acceleration by such networks. It needs a target that is large beside the random "
                "function at the start, which must be unlearnt first",
            )
        )


def _linear_theory(report: Report, seed: int) -> None:
    x, u = whitened(seed)
    size, start, units = 5.0, 0.1, 3
    scale = 1 / np.sqrt(units * LINEAR_DIMENSION)
    model = LinearBottleneck(units, time=np.linspace(0, 12, 25), tolerance=1e-11)
    w = np.sqrt(start / scale)
    model.fit(x, size * x @ u, inner=np.outer(np.eye(units)[0], u) * w, outer=np.eye(units)[0] * w)
    predicted = 0.5 * (model.balanced_growth(size, start, model.history_.time) - size) ** 2
    worst = float(np.abs(model.history_.loss - predicted).max() / predicted[0])
    drawn = LinearBottleneck(units, time=20.0, tolerance=1e-11, random_state=seed).fit(x, size * x @ u)
    report.claim(
        Claim(
            "In a deep linear network with a bottleneck a balanced start along the target grows logistically, and "
            "L_f A A^T - L_g w w^T is conserved.",
            "closed form; change 0",
            f"largest deviation of the loss {worst:.1e}; largest change {drawn.conservation_error_:.1e}",
            Verdict.AGREES if worst < 1e-7 and drawn.conservation_error_ < 1e-7 else Verdict.DIFFERS,
            note="relative, below 1e-7; derived here, not quoted",
        )
    )
