"""The experiments of the bottleneck reproduction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import stax
from ...predict import gradient_descent_mse
from ...regimes import Bottleneck, LinearBottleneck, train_finite_bottleneck

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Sizes:
    """How much is run."""

    seeds: int
    linear_seeds: int
    linear_units: tuple[int, ...]
    linear_targets: tuple[float, ...]
    finite_widths: tuple[int, ...]
    finite_steps: int
    units: tuple[int, ...]
    targets: tuple[float, ...]
    points: int
    test_points: int
    dimension: int
    steps: int
    start_width: int


DEFAULT = Sizes(
    5,
    15,
    (1, 2, 5, 20, 100),
    (1.0, 3.0, 10.0, 30.0),
    (256, 1024, 4096),
    100,
    (1, 2, 5, 20),
    (1.0, 10.0),
    24,
    100,
    5,
    400,
    512,
)
FULL = Sizes(
    5,
    101,
    (1, 2, 5, 20, 100),
    (1.0, 3.0, 10.0, 30.0, 100.0),
    (256, 1024, 4096, 16384),
    200,
    (1, 2, 5, 20, 80),
    (1.0, 3.0, 10.0),
    40,
    500,
    5,
    1500,
    2048,
)

THRESHOLD = 1e-3
LINEAR_DIMENSION, LINEAR_POINTS = 10, 30


def half(outputs: int) -> Any:
    """One half of the networks: a hidden layer of erf units."""
    return stax.serial(stax.Dense(1, 1.5), stax.Erf(), stax.Dense(outputs))


# ---------------------------------------------------------------- deep linear networks


def linear_times(sizes: Sizes, seed: int, show: Progress) -> dict[float, dict[int, np.ndarray]]:
    """Times to a loss of 1e-3 times that of outputs 0, by |beta| and units, one per seed; in units of 1 / points.

    Whitened inputs, targets beta . x / sqrt(d), two layers in each half. The gradient flow of the summed loss is that of
    the mean loss with time divided by the number of points.
    """
    x, direction = whitened(seed)
    times: dict[float, dict[int, np.ndarray]] = {}
    done, total = 0, len(sizes.linear_targets) * len(sizes.linear_units)
    for size in sizes.linear_targets:
        times[size] = {}
        y = size * x @ direction / np.sqrt(LINEAR_DIMENSION)
        level = THRESHOLD * 0.5 * np.mean(y**2)
        at = np.geomspace(1e-3, 10.0, 400) * LINEAR_POINTS
        for units in sizes.linear_units:
            row = []
            for s in range(sizes.linear_seeds):
                model = LinearBottleneck(units, time=at, random_state=[seed, s], tolerance=1e-7).fit(x, y)
                row.append(first_below(model.history_.loss, at, level) / LINEAR_POINTS)
            times[size][units] = np.array(row)
            done += 1
            show(done / total)
    return times


def whitened(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs with X^T X = n I, and a unit vector."""
    random = np.random.Generator(np.random.Philox([seed, 99]))
    x = np.linalg.qr(random.standard_normal((LINEAR_POINTS, LINEAR_DIMENSION)))[0] * np.sqrt(LINEAR_POINTS)
    u = random.standard_normal(LINEAR_DIMENSION)
    return x, u / np.linalg.norm(u)


def linear_constant_time() -> float:
    """The time of the linear network whose bottleneck is infinitely wide, from outputs 0: kernel 4 x . x' / d."""
    return float(np.log(1 / THRESHOLD) * LINEAR_DIMENSION / (2 * 4 * LINEAR_POINTS))


def first_below(loss: np.ndarray, times: np.ndarray, level: float) -> float:
    """Time at which the loss first is at most `level`; inf where it never is."""
    below = np.flatnonzero(loss <= level)
    if not below.size:
        return float("inf")
    i = int(below[0])
    if i == 0:
        return float(times[0])
    share = np.log(loss[i - 1] / level) / np.log(loss[i - 1] / loss[i])
    return float(times[i - 1] + share * (times[i] - times[i - 1]))


# ---------------------------------------------------------------- finite networks


def finite_deviations(sizes: Sizes, seed: int, show: Progress) -> dict[str, dict[int, np.ndarray]]:
    """Relative distance of finite networks from function space at the end of training, and from a frozen kernel.

    The infinitely wide network starts from the finite one's positions and outer function. Distances of the outputs at
    training and test points, relative to the finite network's outputs, one per seed.
    """
    random = np.random.Generator(np.random.Philox([seed, 7]))
    x, test = random.standard_normal((12, 3)), random.standard_normal((8, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2]
    found: dict[str, dict[int, np.ndarray]] = {"function space": {}, "frozen kernel": {}}
    done, total = 0, len(sizes.finite_widths) * sizes.seeds
    for width in sizes.finite_widths:
        own, frozen = [], []
        for s in range(sizes.seeds):
            run = train_finite_bottleneck(
                half(1),
                half(1),
                2,
                width,
                x,
                y,
                test,
                learning_rate=0.3,
                steps=sizes.finite_steps,
                seed=[seed, 5, s],
            )
            model = Bottleneck(
                half(1), half(1), 2, 0.3, steps=sizes.finite_steps, history="compressed", record_every=10**9
            )
            model.fit(x, y, test, positions=run.initial_positions, initial=run.initial_outer)
            size = np.linalg.norm(run.outputs)
            own.append(np.linalg.norm(model.history_.outputs[-1] - run.outputs) / size)
            frozen.append(np.linalg.norm(_frozen(model, y) - run.outputs) / size)
            done += 1
            show(done / total)
        found["function space"][width], found["frozen kernel"][width] = np.array(own), np.array(frozen)
    return found


def _frozen(model: Bottleneck, y: np.ndarray) -> np.ndarray:
    """Outputs at the end of training with the kernel of the start (its gradient flow; the steps are small)."""
    n, kernel, start = len(y), model.instantaneous_kernel(0), model.history_.outputs[0]
    flow = gradient_descent_mse(kernel[:n, :n], y[:, None])
    outputs = flow(model.history_.recorded_time[-1], start[:n], start[n:], np.ascontiguousarray(kernel[n:, :n]))
    return np.concatenate(outputs)


# ---------------------------------------------------------------- nonlinear networks


@dataclass
class Race:
    """One target scale: a network with a bottleneck of each width beside the purely infinite one."""

    times: dict[int, np.ndarray]
    constant: float
    curves: dict[int, np.ndarray]
    constant_curve: np.ndarray
    movement: dict[int, np.ndarray]
    test_error: dict[int, np.ndarray]
    constant_test_error: float
    learning_rate: float


def races(sizes: Sizes, seed: int, show: Progress) -> dict[float, Race]:
    """Training of erf networks on a target that depends on one direction of the inputs, by target scale and width."""
    random = np.random.Generator(np.random.Philox([seed, 3]))
    x, test = (random.standard_normal((n, sizes.dimension)) for n in (sizes.points, sizes.test_points))
    n, found = sizes.points, {}
    done, total = 0, len(sizes.targets) * len(sizes.units) * sizes.seeds
    kernel = stax.serial(half(1), half(1)).kernel_fn(np.vstack([x, test]), x, "ntk")
    for size in sizes.targets:
        y, truth = size * np.sin(x[:, 0]), size * np.sin(test[:, 0])
        # The kernel grows with the target: its outer function becomes as steep as the target is large.
        rate = 1.0 / (1 + size)
        at = rate * np.arange(sizes.steps + 1)
        outputs = gradient_descent_mse(kernel[:n], y[:, None])(at, 0.0, 0.0, kernel[n:])
        curve = 0.5 * np.mean((np.asarray(outputs[0])[..., 0] - y) ** 2, axis=1)
        level = 1e-2 * curve[0]
        race = Race(
            {}, first_below(curve, at, level), {}, curve, {}, {}, _error(np.asarray(outputs[1])[-1, :, 0], truth), rate
        )
        for units in sizes.units:
            rows = []
            for s in range(sizes.seeds):
                model = Bottleneck(
                    half(1),
                    half(1),
                    units,
                    rate,
                    steps=sizes.steps,
                    history="compressed",
                    tolerance=1e-3,
                    start_width=sizes.start_width,
                    record_every=10**9,
                    random_state=[seed, units, s],
                )
                model.fit(x, y, test)
                loss, last = model.history_.loss, model.history_.outputs[-1, n:, 0]
                rows.append((first_below(loss, at, level), model.history_.movement[-1], _error(last, truth), loss))
                done += 1
                show(done / total)
            race.times[units] = np.array([row[0] for row in rows])
            race.movement[units] = np.array([row[1] for row in rows])
            race.test_error[units] = np.array([row[2] for row in rows])
            race.curves[units] = np.array([row[3] for row in rows])
        found[size] = race
    return found


def _error(outputs: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared error relative to that of outputs 0."""
    return float(np.mean((outputs - truth) ** 2) / np.mean(truth**2))
