"""Data, networks and training runs of the break-even reproduction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import DivergenceError, stax, train
from ...curvature import Tracker
from ...training import SGD

# How the networks of the runs are called.
NETWORKS = ("CNN", "CNN-BN", "MLP", "MLP-BN")


@dataclass(frozen=True)
class Sizes:
    """What is run."""

    inputs: int  # of the training set
    seeds: int
    high: float  # learning rates
    low: float
    batch: int  # training batches: the usual one and a smaller one
    small_batch: int
    levels: dict[str, float]  # training loss at which runs end, by kind of network: equal progress
    most_steps: dict[str, int]  # at the higher learning rate; more in proportion at the lower one
    every: dict[str, int]  # steps between measurements, at the higher learning rate
    measured: int  # inputs to measure on
    measuring_batch: int
    curvature: int  # inputs for the Hessian
    channels: tuple[int, int]
    sharpness_steps: int


SMALL = Sizes(
    1280,
    3,
    0.2,
    0.02,
    64,
    16,
    {"CNN": 0.3, "MLP": 0.1},
    {"CNN": 100, "MLP": 300},
    {"CNN": 8, "MLP": 6},
    1280,
    64,
    96,
    (6, 12),
    1500,
)
FULL = Sizes(
    1280,
    8,
    0.2,
    0.02,
    64,
    16,
    {"CNN": 0.1, "MLP": 0.05},
    {"CNN": 400, "MLP": 600},
    {"CNN": 4, "MLP": 3},
    1280,
    64,
    640,
    (8, 16),
    6000,
)


@dataclass(frozen=True)
class Data:
    """Images with one-hot labels."""

    name: str
    x: np.ndarray
    y: np.ndarray


def load(path: Any, count: int) -> Data:
    """`count` inputs of scikit-learn's digits, or of the arrays x and y in a file of NumPy's npz format."""
    if path is None:
        from sklearn.datasets import load_digits

        digits = load_digits()
        name, x, labels = "digits", digits.images, digits.target
    else:
        name, x, labels = "data", *_arrays(path)
    order = np.random.default_rng(0).permutation(len(x))[:count]
    x = np.asarray(x, dtype=np.float64)[order]
    x = x[..., None] if x.ndim == 3 else x
    classes = np.unique(labels)
    y = (np.asarray(labels)[order][:, None] == classes).astype(np.float64)
    return Data(f"{name}, {len(x)} inputs", (x - x.mean()) / x.std(), y)


def _arrays(path: Any) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as file:
        if "x" not in file or "y" not in file:
            raise ValueError(f"[break-even] data must hold arrays x and y. Received {sorted(file)}.")
        x, y = file["x"], file["y"].reshape(-1)
    if x.ndim not in (3, 4) or len(x) != len(y):
        raise ValueError(
            "[break-even] x must hold images (n, height, width[, channels]) and y a label for each. "
            f"Received shapes {x.shape} and {y.shape}."
        )
    return x, y


def network(name: str, sizes: Sizes, classes: int) -> stax.Layer:
    """A simple CNN, or an MLP, with or without BatchNorm after each layer but the last."""
    norm: tuple[Any, ...] = (stax.BatchNorm(),) if name.endswith("BN") else ()

    def dense(units: int) -> Any:
        return stax.Dense(units, 1.0, 0.0, parameterization="standard")

    if name.startswith("MLP"):
        hidden = [part for _ in range(3) for part in (dense(48), *norm, stax.Relu())]
        return stax.serial(stax.Flatten(), *hidden, dense(classes))
    parts: list[Any] = []
    for channels in sizes.channels:
        convolution = stax.Conv(channels, (3, 3), padding="SAME", W_std=1.0, b_std=0.0, parameterization="standard")
        parts += [convolution, *norm, stax.Relu(), stax.AvgPool((2, 2))]
    return stax.serial(*parts, stax.Flatten(), dense(48), stax.Relu(), dense(classes))


@dataclass
class Run:
    """One training run and what was measured in it."""

    network: str
    rate: float
    batch: int
    seed: int
    history: dict[str, np.ndarray]
    cost: dict[str, float] = field(default_factory=dict)
    reached: bool = False
    diverged: bool = False

    def highest(self, column: str) -> float:
        """The maximum over the trajectory."""
        return float(np.nanmax(self.history[column]))

    def lowest(self, column: str) -> float:
        """The minimum over the trajectory."""
        return float(np.nanmin(self.history[column]))


def run(name: str, data: Data, sizes: Sizes, rate: float, batch: int, seed: int) -> Run:
    """Train until the loss is at the level, measuring on the way."""
    model = network(name, sizes, data.y.shape[1])
    _, params = model.init_fn([seed, 7], data.x.shape)
    kind, longer = name[:3], max(1, round(sizes.high / rate))
    every = longer * sizes.every[kind]
    # alpha^* is looked at without BatchNorm and at the usual batch only.
    line = ("step",) if name == kind and batch == sizes.batch else ()
    tracker = Tracker(
        measure=("covariance", "hessian", *line),
        every=every,
        samples=min(sizes.measured, len(data.x)),
        batch=sizes.measuring_batch,
        curvature_samples=min(sizes.curvature, len(data.x)),
        tolerance=3e-2,
        seed=seed,
    )
    result = Run(name, rate, batch, seed, {})

    def watch(snapshot: Any) -> bool:
        try:
            tracker(snapshot)
        except FloatingPointError:
            result.diverged = True
            return True
        result.reached = bool(tracker.history["loss"][-1] <= sizes.levels[kind])
        return result.reached

    try:
        train(
            model,
            params,
            data.x,
            data.y,
            optimizer=SGD(rate),
            loss="cross_entropy",
            steps=longer * sizes.most_steps[kind],
            batch_size=batch,
            seed=[seed, 8],
            callback=watch,
            every=every,
        )
    except DivergenceError:
        result.diverged = True
    result.history, result.cost = tracker.history, dict(tracker.cost)
    return result


def sharpening(data: Data, sizes: Sizes, rates: Sequence[float], part: Callable[[float], None]) -> dict[float, Tracker]:
    """Full-batch gradient descent on the squared loss, where sharpness rises until 2 / eta: trackers by learning rate."""
    x, y = data.x[:256].reshape(min(256, len(data.x)), -1), data.y[:256]
    hidden = [layer for _ in range(3) for layer in (stax.Dense(32, 1.0, 0.0, parameterization="standard"), stax.Tanh())]
    model = stax.serial(*hidden, stax.Dense(y.shape[1], 1.0, 0.0, parameterization="standard"))
    _, params = model.init_fn(3, x.shape)
    trackers = {}
    for k, rate in enumerate(rates):
        every = max(1, sizes.sharpness_steps // 40)
        tracker = Tracker(measure=("covariance", "sharpness"), every=every, samples=len(x), batch=16)
        train(model, params, x, y, optimizer=SGD(rate), steps=sizes.sharpness_steps, callback=tracker, seed=0)
        trackers[rate] = tracker
        part((k + 1) / len(rates))
    return trackers
