"""The experiments of the reproduction `tangent-hierarchy`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import stax
from ...hierarchy import gradient_flow, loss_kernel_velocity, tangent_hierarchy
from ...stax import Layer


@dataclass(frozen=True)
class Sizes:
    """How much is computed."""

    inputs: int = 5
    queries: int = 3
    dimension: int = 9  # any 2 p + 1 inputs are linearly independent for p = 4
    seeds: int = 8
    widths: tuple[int, ...] = (32, 64, 128, 256)
    time: float = 10.0
    moments: int = 12


DEFAULT = Sizes()
FULL = Sizes(seeds=20, widths=(32, 64, 128, 256, 512, 1024), moments=24)


def slope(widths: Any, values: Any) -> np.ndarray:
    """Exponents of the width, one per column of `values` (widths in rows), by least squares on logarithms."""
    return np.polyfit(np.log(widths), np.log(values), 1)[0]


def network_of(width: int, dimension: int) -> Layer:
    """x^(l) = m^-1/2 tanh(W^l x^(l-1)) for l = 1, 2, f = a^T x^(2), all entries standard normal."""
    return stax.serial(
        stax.Dense(width, W_std=dimension**0.5), stax.Tanh(), stax.Dense(width), stax.Tanh(), stax.Dense(1)
    )


@dataclass
class Run:
    """One network: its kernels, the errors of the truncations over time, the motion of its kernel."""

    norms: list[float]  # root mean squares of K2, K3, K4
    k2: np.ndarray
    times: np.ndarray
    errors: dict[int, np.ndarray]  # by order, (times, inputs and queries)
    speeds: np.ndarray  # largest entry of dK2/dt over time
    identity: float  # relative distance of dK2/dt from K3 times the residual, and of its finite difference


def data(sizes: Sizes, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs on the unit sphere, targets, and queries."""
    rng = np.random.default_rng([seed, 5])
    x = rng.standard_normal((sizes.inputs + sizes.queries, sizes.dimension))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x[: sizes.inputs], rng.standard_normal(sizes.inputs), x[sizes.inputs :]


def one_run(sizes: Sizes, width: int, seed: int, number: int) -> Run:
    """Train one network by gradient flow, and predict its path at orders 2, 3 and 4."""
    x, y, queries = data(sizes, seed)
    network = network_of(width, sizes.dimension)
    _, params = network.init_fn([seed, width, number], x.shape)
    kernels = tangent_hierarchy(network, params, x, queries)
    times = np.concatenate([[0.0], np.geomspace(0.1, sizes.time, sizes.moments)])
    path = gradient_flow(network, params, x, y, times, queries, tolerance=1e-8)
    errors = {p: np.abs(kernels.predict(y, times, p).outputs - path.outputs) for p in (2, 3, 4)}
    velocities = [loss_kernel_velocity(network, p, x, y) for p in path.params]
    n = sizes.inputs
    third = kernels.kernels[1]
    expected = -third[:n] @ (kernels.outputs[:n] - y) / n
    norms = [float(np.sqrt(np.mean(k[:n] ** 2))) for k in kernels.kernels]
    identity = float(np.abs(velocities[0] - expected).max() / np.abs(expected).max())
    speeds = np.array([np.abs(v).max() for v in velocities])
    return Run(norms, kernels.k2[:n], times, errors, speeds, identity)


def all_runs(sizes: Sizes, seed: int, part: Callable[[float], Callable[[float], None]]) -> list[list[Run]]:
    """Every width in a row, every seed in a column."""
    runs = []
    for width in sizes.widths:
        show, row = part(width**1.5), []
        for number in range(sizes.seeds):
            row.append(one_run(sizes, width, seed, number))
            show((number + 1) / sizes.seeds)
        runs.append(row)
    return runs
