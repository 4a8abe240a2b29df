"""The break-even point: how learning rate and batch size shape curvature and gradient noise along the path of SGD."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...curvature import Tracker, break_even, stability_factor
from .._claim import Claim, Verdict
from .._report import Report
from .._steps import Steps
from .figures import draw
from .runs import FULL, NETWORKS, SMALL, Data, Run, Sizes, load, run, sharpening

# The first submission's section 4.2 (Fig. 3) and 4.3; none of the networks or data here are the paper's.
PAPER = {
    "max lambda_K^1": {"eta 0.1": 0.87, "eta 0.01": 3.01},
    "max Tr(K)/lambda_K^1": {"eta 0.1": 14.29, "eta 0.01": 10.69},
    "BatchNorm, eta 0.001": {"||g||/||g_5|| max": 1.90, "min": 1.37, "max lambda_K^1": 10.3, "Tr(K)/lambda_K^1": 12.14},
    "without, eta 0.01": {"||g||/||g_5|| max": 1.88, "min": 1.12, "max lambda_K^1": 16.0, "Tr(K)/lambda_K^1": 11.55},
}

Runs = dict[tuple[str, float, int], list[Run]]


def reproduce(report: Report, steps: Steps, *, full: bool, data: Any, seed: int) -> None:
    """Fill the report."""
    sizes = FULL if full else SMALL
    loaded = load(None if data is None else Path(data), sizes.inputs)
    _settings(report, sizes, loaded)
    plan = [(name, rate, batch) for name in NETWORKS for rate, batch in _settings_of(sizes)]
    weights = {key: sizes.high / key[1] + 1 for key in plan}
    steps.expect(sizes.seeds * sum(weights.values()) + 10)
    runs: Runs = {key: [] for key in plan}
    for key in plan:
        for k in range(sizes.seeds):
            part = steps.part(weights[key])
            runs[key].append(run(key[0], loaded, sizes, key[1], key[2], seed + k))
            part(1.0)
    trackers = sharpening(loaded, sizes, (1.0, 2.0), steps.part(10))
    steps.done()
    _model(report, seed)
    _sharpness(report, trackers)
    for name in NETWORKS:
        _conjectures(report, name, runs, sizes)
    _line_search(report, runs, sizes)
    _batch_norm(report, runs, sizes)
    report.numbers["paper"] = PAPER
    report.numbers["runs"] = {f"{n}, eta {r:g}, S {b}": [_record(one) for one in runs[n, r, b]] for n, r, b in runs}
    report.numbers["sharpening"] = {f"eta {rate:g}": tracker.history for rate, tracker in trackers.items()}
    report.numbers["CPU seconds of measuring"] = _costs(runs)
    draw(report, runs, sizes, trackers)


def _settings_of(sizes: Sizes) -> list[tuple[float, int]]:
    return [(sizes.high, sizes.batch), (sizes.low, sizes.batch), (sizes.low, sizes.small_batch)]


def _settings(report: Report, sizes: Sizes, data: Data) -> None:
    report.settings.update(
        {
            "data": data.name,
            "learning rates": f"{sizes.high:g} and {sizes.low:g}",
            "batches": f"{sizes.batch} and {sizes.small_batch}",
            "K": f"{sizes.measured // sizes.measuring_batch} gradients of {sizes.measuring_batch} inputs",
            "Hessian": f"{sizes.curvature} inputs",
            "seeds": sizes.seeds,
            "runs end": "at a training loss (cross-entropy) of "
            + " or ".join(f"{level:g} ({kind})" for kind, level in sizes.levels.items()),
        }
    )


# ---------------------------------------------------------------- the model


def _model(report: Report, seed: int) -> None:
    """Eq. (1): growth of psi^2 in simulated SGD at the predicted break-even point is 1."""
    rate, batch, examples, alpha, psi = 0.1, 8, 200, 5.0, 0.5
    curvature = break_even(rate, batch, examples, alpha, psi).lambda_H
    spread = np.sqrt(alpha * curvature) / psi
    rng = np.random.default_rng(seed)
    measured = []
    for _ in range(5):
        values = rng.standard_normal(examples)
        values = curvature + spread * (values - values.mean()) / values.std()
        chosen = np.argsort(rng.random((20_000, examples)), axis=1)[:, :batch]
        measured.append(((1 - rate * values[chosen].mean(1)) ** 2).mean())
    report.claim(
        Claim.compare(
            "SGD along the top eigenvector reaches the edge of stability (Eq. 1) at "
            "lambda_H = 2/eta - (alpha/psi^2)(N-S)/(S(N-1)): one step there multiplies E psi^2 by 1.",
            predicted=stability_factor(rate, batch, values),
            measured=measured,
            tolerance=0.02,
            note=f"eta {rate}, S {batch}, N {examples}, lambda_H {curvature:.2f} instead of 2/eta = {2 / rate:.0f}",
        )
    )


def _sharpness(report: Report, trackers: dict[float, Tracker]) -> None:
    ratios = {rate: t.history["sharpness"] * rate / 2 for rate, t in trackers.items()}
    ends = {rate: float(np.median(r[-10:])) for rate, r in ratios.items()}
    starts = ", ".join(f"{r[0]:.2f} (eta {rate:g})" for rate, r in ratios.items())
    close = [0.85 < end < 1.25 for end in ends.values()]
    report.claim(
        Claim(
            "Full-batch gradient descent ends at lambda_H = 2/eta: a larger eta breaks even at a smaller lambda_H.",
            "lambda_H eta / 2 = 1 at the end of training",
            ", ".join(f"{end:.2f} (eta {rate:g})" for rate, end in ends.items()),
            Verdict.AGREES if all(close) else Verdict.NOT_SEEN,
            note=f"squared loss, tanh MLP, 256 inputs; it started at {starts}; median of the last ten measurements, "
            "0.85 to 1.25 counts as reached",
        )
    )


# ---------------------------------------------------------------- the conjectures


def _conjectures(report: Report, name: str, runs: Runs, sizes: Sizes) -> None:
    high, low = runs[name, sizes.high, sizes.batch], runs[name, sizes.low, sizes.batch]
    small = runs[name, sizes.low, sizes.small_batch]
    eta, batch = f"eta {sizes.high:g} against {sizes.low:g}", f"S {sizes.small_batch} against {sizes.batch}"
    for text, first, second, by in (
        ("a larger learning rate", high, low, eta),
        ("a smaller batch", small, low, batch),
    ):
        variance = (
            f"{name}, variance reduction (Conjecture 1): max lambda_K^1 and max lambda_H^1 are smaller with {text}."
        )
        report.claim(_trend(variance, {"lambda_K": -1, "lambda_H": -1}, first, second, by))
        conditioning = (
            f"{name}, pre-conditioning (Conjecture 2): max Tr(K)/lambda_K^1 is larger, max Tr(K) smaller, with {text}."
        )
        report.claim(_trend(conditioning, {"spread_K": 1, "trace_K": -1}, first, second, by))


_SYMBOLS = {"lambda_K": "lambda_K^1", "lambda_H": "lambda_H^1", "spread_K": "Tr(K)/lambda_K^1", "trace_K": "Tr(K)"}
_PAPER_RATIOS = {"lambda_K": "0.87 / 3.01 = 0.29", "spread_K": "14.29 / 10.69 = 1.34"}
# Maxima closer than this are equal; both may lie at the common start.
_EQUAL = 0.02


def _trend(text: str, signs: dict[str, int], first: Sequence[Run], second: Sequence[Run], by: str) -> Claim:
    """Maxima of two settings, seed by seed: a claim is seen where most seeds agree with it in every quantity."""
    shown, spreads, fits, against = [], [], True, True
    for column, sign in signs.items():
        pairs = [(a.highest(column), b.highest(column)) for a, b in zip(first, second)]
        logs = np.log([a / b for a, b in pairs])
        seen = int((sign * logs > _EQUAL).sum())
        fits, against = (
            fits and _most(seen, len(logs)),
            against and _most(int((sign * logs < -_EQUAL).sum()), len(logs)),
        )
        a, b = np.mean(pairs, axis=0)
        shown.append(
            f"{_SYMBOLS[column]} {a:.3g} against {b:.3g} (ratio {np.exp(logs.mean()):.2f}, {seen} of {len(pairs)} seeds)"
        )
        spreads.append(f"{np.exp(logs.min()):.2f} to {np.exp(logs.max()):.2f}")
    verdict = Verdict.AGREES if fits else Verdict.DIFFERS if against else Verdict.NOT_SEEN
    given = [f"{_SYMBOLS[c]} {_PAPER_RATIOS[c]}" for c in signs if c in _PAPER_RATIOS and "eta" in by]
    paper = f"; the paper's ratio for eta 0.1 and 0.01: {given[0]}" if given else ""
    return Claim(
        text,
        ", ".join(f"ratio of {_SYMBOLS[c]} {'above' if sign > 0 else 'below'} 1" for c, sign in signs.items()),
        "; ".join(shown),
        verdict,
        f"ratios {' and '.join(spreads)} over {len(first)} seeds",
        f"{by}{paper}{_progress(first, second)}",
    )


def _progress(first: Sequence[Run], second: Sequence[Run]) -> str:
    late = sum(not one.reached for one in (*first, *second))
    broken = sum(one.diverged for one in (*first, *second))
    parts = [f"; {late} of {len(first) + len(second)} runs ended above the common loss"] if late else []
    return "".join([*parts, f"; {broken} diverged"] if broken else parts)


# ---------------------------------------------------------------- line search, BatchNorm


def _line_search(report: Report, runs: Runs, sizes: Sizes) -> None:
    rows = [one for name in ("CNN", "MLP") for rate in (sizes.high, sizes.low) for one in runs[name, rate, sizes.batch]]
    correlations = [_correlation(one.history["alpha_star"], one.history["lambda_K"]) for one in rows]
    closest = {
        rate: float(np.mean([one.lowest("alpha_star") for one in rows if one.rate == rate]))
        for rate in (sizes.high, sizes.low)
    }
    negative = int((np.array(correlations) < 0).sum())
    report.claim(
        Claim(
            "alpha*, the step along the update that raises the loss by a fifth, moves against lambda_K^1.",
            "negative rank correlation",
            f"mean {np.nanmean(correlations):.2f}",
            Verdict.AGREES if _most(negative, len(rows)) else Verdict.NOT_SEEN,
            f"{np.nanmin(correlations):.2f} to {np.nanmax(correlations):.2f} over {len(rows)} runs",
            f"negative in {negative} of {len(rows)} runs of CNN and MLP; five in six count as seen",
        )
    )
    reached = [4 / 3 <= value <= 3 for value in closest.values()]
    report.claim(
        Claim(
            "alpha* comes close to 2 for the larger and for the smaller learning rate.",
            "2",
            ", ".join(f"{value:.2f} (eta {rate:g})" for rate, value in closest.items()),
            Verdict.AGREES if all(reached) else Verdict.NOT_SEEN,
            note="smallest alpha* of each run, mean over CNN and MLP and seeds; within a factor of 1.5 counts as close",
        )
    )


def _batch_norm(report: Report, runs: Runs, sizes: Sizes) -> None:
    for name in ("CNN", "MLP"):
        low = runs[f"{name}-BN", sizes.low, sizes.batch]
        high = runs[f"{name}-BN", sizes.high, sizes.batch]
        pairs = [(a.history["lambda_K"], b.history["lambda_K"]) for a, b in zip(low, high)]
        falls = sum(bool(h[-1] < 0.5 * h[0]) for _, h in pairs)
        report.claim(
            Claim(
                f"{name}-BN: training starts at a relatively high lambda_K^1, which decays with a large learning rate.",
                "start above end",
                f"{np.mean([h[0] for _, h in pairs]):.3g} to {np.mean([h[-1] for _, h in pairs]):.3g}",
                _counted(falls, len(pairs)),
                note=f"eta {sizes.high:g}, to less than half in {falls} of {len(pairs)} seeds; at eta {sizes.low:g} from "
                f"{np.mean([v[0] for v, _ in pairs]):.3g} to {np.mean([v[-1] for v, _ in pairs]):.3g}",
            )
        )
        plain = runs[name, sizes.high, sizes.batch]
        ratios = [a.highest("lambda_K") / b.highest("lambda_K") for a, b in zip(low, plain)]
        alike = sum(0.32 <= ratio <= 1.28 for ratio in ratios)
        report.claim(
            Claim(
                f"BatchNorm alone smooths little: {name}-BN at a ten times lower learning rate has a max lambda_K^1 like that of "
                f"{name} without it.",
                "ratio 10.3 / 16 = 0.64 (the paper's CNN, eta 0.001 and 0.01)",
                f"{np.mean([r.highest('lambda_K') for r in low]):.3g} against "
                f"{np.mean([r.highest('lambda_K') for r in plain]):.3g}, ratio {np.mean(ratios):.2f}",
                _counted(alike, len(ratios)),
                f"ratio {min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} seeds",
                f"within a factor of 2; max Tr(K)/lambda_K^1 {np.mean([r.highest('spread_K') for r in low]):.1f} against "
                f"{np.mean([r.highest('spread_K') for r in plain]):.1f} (paper 12.14 against 11.55), ||g||/||g_5|| "
                f"{_range(low)} against {_range(plain)} (paper 1.37 to 1.90 against 1.12 to 1.88)",
            )
        )


def _range(runs: Sequence[Run]) -> str:
    return f"{np.mean([r.lowest('norm_ratio') for r in runs]):.2f} to {np.mean([r.highest('norm_ratio') for r in runs]):.2f}"


def _most(seen: int, count: int) -> bool:
    """Five in six: all of three, seven of eight. Asking for all would be stricter the more seeds there are."""
    return 6 * seen >= 5 * count


def _counted(seen: int, count: int) -> Verdict:
    return Verdict.AGREES if _most(seen, count) else Verdict.DIFFERS if seen == 0 else Verdict.NOT_SEEN


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation."""
    ranks: Callable[[np.ndarray], np.ndarray] = lambda v: np.argsort(np.argsort(v)).astype(float)  # noqa: E731
    finite = np.isfinite(a) & np.isfinite(b)
    if finite.sum() < 3 or np.ptp(a[finite]) == 0 or np.ptp(b[finite]) == 0:
        return float("nan")
    return float(np.corrcoef(ranks(a[finite]), ranks(b[finite]))[0, 1])


def _record(one: Run) -> dict[str, Any]:
    return {"seed": one.seed, "reached": one.reached, "diverged": one.diverged, **one.history}


def _costs(runs: Runs) -> dict[str, float]:
    total: dict[str, float] = {}
    for group in runs.values():
        for one in group:
            for name, seconds in one.cost.items():
                total[name] = total.get(name, 0.0) + seconds
    return total
