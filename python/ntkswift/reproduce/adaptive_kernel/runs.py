"""The experiments of the reproduction `adaptive-kernel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import stax
from ...empirical import loss_and_gradient
from ...hierarchy import AdaptiveKernel, balance
from ...stax import Layer
from ...training import SGD, Cosine, train


@dataclass(frozen=True)
class Sizes:
    """How much is computed."""

    inputs: int = 40
    dimension: int = 3
    width: int = 30
    narrow: int = 5
    seeds: int = 4
    decays: tuple[float, ...] = (3e-2, 1e-2, 3e-3, 1e-3)
    steps: int = 12_000
    checks: int = 8
    rates: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    flow_time: float = 40.0


DEFAULT = Sizes()
FULL = Sizes(seeds=10, steps=100_000)


@dataclass
class Moment:
    """A network on its way: steps done, norm of the last layer's gradient, distance from regression with its own kernel."""

    step: int
    gradient: float
    deviation: float
    predicted: float  # what that gradient makes of the distance


def data(sizes: Sizes, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, targets sin(2 x_1) + x_2, and as many new inputs with theirs."""
    rng = np.random.default_rng([seed, 6])
    x = rng.standard_normal((2, sizes.inputs, sizes.dimension))
    y = np.sin(2 * x[..., 0]) + x[..., 1]
    return x[0], y[0], x[1], y[1]


def network_of(width: int, dimension: int) -> Layer:
    """f = sum_j w_j relu(<u_j, x>) / sqrt(width)."""
    return stax.serial(stax.Dense(width, W_std=dimension**0.5), stax.Relu(), stax.Dense(1))


def last_gradient(network: Layer, params: Any, x: np.ndarray, y: np.ndarray, decay: float) -> np.ndarray:
    """Gradient of the loss with weight decay by the last layer's weights."""
    _, gradient = loss_and_gradient(network, params, x, y[:, None])
    return np.asarray(gradient[-1][0][:, 0] + decay * params[-1][0][:, 0])


def moment(network: Layer, params: Any, step: int, sizes: Sizes, decay: float, seed: int) -> Moment:
    """Compare a network with ridge regression with its own kernel at new inputs."""
    x, y, queries, _ = data(sizes, seed)
    kernel = AdaptiveKernel(network, params)
    own = kernel.regression(x, y, decay)(queries)
    slope = last_gradient(network, params, x, y, decay)
    # f - regression = n phi (Phi^T Phi + n decay)^-1 gradient, by the derivation of the identity
    phi, n = kernel.features(x), len(x)
    bent = np.linalg.solve(phi.T @ phi + n * decay * np.eye(phi.shape[1]), n * slope)
    gap = network.apply_fn(params, queries) - own
    return Moment(
        step,
        float(np.linalg.norm(slope)),
        float(np.abs(gap).max()),
        float(np.abs(kernel.features(queries) @ bent).max()),
    )


@dataclass
class DecayRun:
    """Training with weight decay: joint, then of the last layer alone."""

    moments: list[Moment]
    last: Moment
    fitted: float  # distance from regression without ridge at the training inputs, over the norm of the targets
    ridgeless: float  # the same at new inputs, largest over the largest target
    alignment: tuple[float, float]  # of the kernel with the targets, before and after
    test_errors: tuple[float, float]  # of regression with the kernel before and after, same ridge


def decay_run(sizes: Sizes, decay: float, seed: int, number: int) -> DecayRun:
    """All layers by gradient descent whose rate falls to 0, then the last layer until it is stationary."""
    x, y, queries, truth = data(sizes, seed)
    network = network_of(sizes.width, sizes.dimension)
    _, start = network.init_fn([seed, number], x.shape)
    moments = [moment(network, start, 0, sizes, decay, seed)]
    params, done = start, 0
    for steps in np.diff(np.geomspace(10, sizes.steps, sizes.checks).astype(int), prepend=0):
        schedule = Cosine() if done + steps >= sizes.steps // 2 else None
        params = train(
            network, params, x, y, steps=int(steps), schedule=schedule, every=int(steps),
            optimizer=SGD(0.1, momentum=0.9, weight_decay=decay),
        ).params  # fmt: skip
        done += int(steps)
        moments.append(moment(network, params, done, sizes, decay, seed))
    settled = train(
        network, params, x, y, steps=sizes.steps // 2, mode="random_features", every=sizes.steps // 2,
        optimizer=SGD(0.3, momentum=0.95, weight_decay=decay),
    ).params  # fmt: skip
    last = moment(network, settled, done, sizes, decay, seed)
    kernels = AdaptiveKernel(network, start), AdaptiveKernel(network, settled)
    parts = kernels[1].residual_parts(x, y)
    flat = kernels[1].regression(x, y, 1e-9)
    ridgeless = float(np.abs(flat(queries) - network.apply_fn(settled, queries)).max() / np.abs(y).max())
    before, after = (alignment(k(x), y) for k in kernels)
    errors = [float(np.sqrt(np.mean((k.regression(x, y, decay)(queries)[:, 0] - truth) ** 2))) for k in kernels]
    return DecayRun(
        moments, last, float(parts.inside / np.linalg.norm(y)), ridgeless, (before, after), (errors[0], errors[1])
    )


def alignment(gram: np.ndarray, y: np.ndarray) -> float:
    """Kernel-target alignment, <H, y y^T> / (|H| |y|^2) with Frobenius norms."""
    return float(y @ gram @ y / (np.linalg.norm(gram) * (y @ y)))


@dataclass
class ResidualRun:
    """Training of a narrow network without weight decay: parts of the residual by the steps done."""

    steps: np.ndarray
    in_last: np.ndarray  # in the range of H, share of the residual's norm
    in_full: np.ndarray  # in the range of K
    residual: np.ndarray  # its norm over that of the targets
    ranks: tuple[int, int]  # of H and K at the end


def residual_run(sizes: Sizes, seed: int, number: int) -> ResidualRun:
    """A network with fewer features than inputs, by gradient descent whose rate falls to 0."""
    x, y, _, _ = data(sizes, seed)
    network = network_of(sizes.narrow, sizes.dimension)
    _, params = network.init_fn([seed, number, 1], x.shape)
    rows, ranks, done, marks = [], (0, 0), 0, []
    for steps in (0, *np.diff(np.geomspace(10, 2 * sizes.steps, sizes.checks + 4).astype(int), prepend=0)):
        if steps:
            late = done + steps >= sizes.steps
            params = train(
                network, params, x, y, steps=int(steps), every=int(steps), optimizer=SGD(0.05, momentum=0.9),
                schedule=Cosine() if late else None,
            ).params  # fmt: skip
        done += int(steps)
        marks.append(done)
        kernel = AdaptiveKernel(network, params)
        last, full = kernel.residual_parts(x, y), kernel.residual_parts(x, y, "full")
        size = np.hypot(last.inside, last.outside)
        rows.append((last.inside / size, full.inside / size, size / np.linalg.norm(y)))
        ranks = (last.rank, full.rank)
    columns = np.array(rows).T
    return ResidualRun(np.array(marks), columns[0], columns[1], columns[2], ranks)


def balance_drifts(sizes: Sizes, seed: int, part: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
    """Largest change of w_j^2 - |u_j|^2 by learning rate and seed for the same time; and relative error of its decay."""
    x, y, _, _ = data(sizes, seed)
    network, drifts, decays = network_of(sizes.width, sizes.dimension), [], []
    for i, rate in enumerate(sizes.rates):
        row = []
        for number in range(sizes.seeds):
            _, start = network.init_fn([seed, number], x.shape)
            steps = round(sizes.flow_time / rate)
            first = balance(network, start)
            end = train(network, start, x, y, steps=steps, every=steps, optimizer=SGD(rate)).params
            row.append(np.abs(balance(network, end) - first).max())
            if i == len(sizes.rates) - 1:
                faded = train(
                    network, start, x, y, steps=steps, every=steps, optimizer=SGD(rate, weight_decay=0.01)
                ).params
                expected = first * np.exp(-2 * 0.01 * sizes.flow_time)
                decays.append(np.abs(balance(network, faded) - expected).max() / np.abs(expected).max())
        drifts.append(row)
        part((i + 1) / len(sizes.rates))
    return np.array(drifts), np.array(decays)
