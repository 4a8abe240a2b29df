"""What is computed: exact risks of the three regimes, runs of SGD, mixtures of two Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...regimes import QuadraticTarget, TwoGaussians, two_layer

REGIMES = ("rf", "nt", "nn")
# The authors' schedules as shares of the run: of 1e5 steps, slower for the last 30,000 and 15,000 (NN), 20,000 and 10,000 (NT).
DECAY = {"rf": ((0.8, 10), (0.9, 15)), "nt": ((0.8, 10), (0.9, 15)), "nn": ((0.7, 10), (0.85, 15))}


@dataclass(frozen=True)
class Size:
    """How much is run."""

    dimension: int
    exact_widths: tuple[int, ...]
    seeds: int
    trained: dict[str, tuple[int, ...]]
    steps: int
    mixture_dimension: int


def size_of(full: bool) -> Size:
    exact = (30, 60, 90, 120, 150, 180, 225, 270, 315, 360, 400, 430, 450, 675, 900, 1350, 1800)
    if not full:
        trained = {"rf": (30, 120), "nt": (30,), "nn": (30, 60)}
        return Size(450, (30, 60, 120, 180, 225, 300, 360, 420, 450, 675, 900), 3, trained, 30_000, 200)
    nn = tuple(int(30 * 1.5**s) for s in np.linspace(0, 12.5, 25))
    nt = tuple(int(n) for n in np.linspace(30, 450, 15))
    return Size(450, exact, 10, {"rf": nt + (900, 1800, 4700), "nt": nt, "nn": nn}, 100_000, 300)


def step_cost(name: str, width: int) -> float:
    """How long a step takes, roughly, in units of a step of one NN unit."""
    return (width + 60) * (1.5 if name == "nt" else 1.0)


def exact_risks(target: QuadraticTarget, size: Size, seed: int, show: Any) -> dict[str, dict[int, np.ndarray]]:
    """Risks of the best networks over that of the best constant, for each seed of the random weights."""
    risks: dict[str, dict[int, np.ndarray]] = {name: {} for name in REGIMES}
    for index, width in enumerate(size.exact_widths):
        for name in REGIMES:
            seeds = range(seed, seed + (1 if name == "nn" else size.seeds))
            models = (two_layer(name, width, random_state=s).fit_population(target) for s in seeds)
            risks[name][width] = np.array([model.risk(target, relative=True) for model in models])
        show((index + 1) / len(size.exact_widths))
    return risks


def train_one(target: QuadraticTarget, name: str, width: int, steps: int, seed: int, show: Any) -> dict[str, Any]:
    """One network trained by stochastic gradient descent on fresh samples."""
    options: dict[str, Any] = {"outputs": "shared", "learning_rate": 0.2} if name == "nn" else {}
    model = two_layer(name, width, steps=steps, random_state=seed, **options)
    model.train(target, decay=DECAY[name], progress=show)
    best = two_layer(name, width, random_state=seed).fit_population(target)
    return {
        "risk": model.risk(target, relative=True),
        "best": best.risk(target, relative=True),
        "history": model.history_,
        "batch_risk": float(np.mean(model.history_.loss[-max(1, len(model.history_.loss) // 20) :])) / target.variance,
    }


def mixture_risks(size: Size, seed: int, show: Any) -> dict[str, Any]:
    """Exact risks for two Gaussians of covariance I -+ Delta, Delta = diag(Exp(1)) / sqrt d, at several scales of Delta."""
    d = size.mixture_dimension
    slopes = np.random.default_rng(seed).exponential(size=d) / np.sqrt(d)
    target = TwoGaussians(np.eye(d), np.diag(slopes))
    widths = sorted({max(1, int(d * rho)) for rho in (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)})
    risks = {
        name: [two_layer(name, n, random_state=seed).fit_population(target).risk(target) for n in widths]
        for name in REGIMES
    }
    show(1.0)
    return {"dimension": d, "widths": widths, "risks": risks, "target": target}
