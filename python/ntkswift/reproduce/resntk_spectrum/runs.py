"""What the ResNTK reproduction measures: spectra, profiles by depth, and how long sinusoids on the circle take to learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import empirical, predict, resntk, spectra

# Training counts as done where the loss is this share of its start.
LEARNT = 0.01


@dataclass(frozen=True)
class Sizes:
    """How large the experiments are."""

    seeds: int
    points: int
    depths: tuple[int, ...]
    circle_depth: int = 50
    max_frequency: int = 9
    decay: tuple[int, int] = (100, 200)
    width: int = 32
    networks: int = 2


DEFAULT = Sizes(seeds=5, points=256, depths=(1, 2, 5, 10, 20, 50, 100, 200, 500))
FULL = Sizes(seeds=20, points=1024, depths=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000), width=128, networks=10)


def residual(depth: int, gamma: float, dimension: int) -> spectra.ZonalKernel:
    """The ResNTK with alpha = depth^-gamma, 1 at angle 0 of the unit sphere."""
    return spectra.ZonalKernel(resntk(depth, gamma=gamma, input_dim=dimension))


def compared_kernels(dimension: int) -> dict[str, Any]:
    """The three kernels whose eigenvalues are said to fall alike."""
    return {
        "ResNTK": spectra.ZonalKernel(resntk(3, 0.5, input_dim=dimension)),
        "FC-NTK": spectra.ZonalKernel(spectra.fully_connected(3)),
        "Laplace": spectra.laplace(),
    }


def distances_to_two_layers(depths: tuple[int, ...], gamma: float) -> np.ndarray:
    """Largest difference over all angles between the ResNTK of each depth and the two-layer kernel."""
    angles = np.linspace(0.0, math.pi, 721)
    two_layers = spectra.ZonalKernel(spectra.fully_connected(1))
    limit = two_layers(angles) / two_layers.at_zero()
    return np.array([np.abs(residual(depth, gamma, 3)(angles) - limit).max() for depth in depths])


def antipodal_law(depth: Any, gamma: float) -> Any:
    """The difference of both kernels for opposite inputs to leading order in L alpha^2: sqrt2 / (3 pi) L^(1/2 - gamma) [derived].

    A block raises the correlation of nearly opposite inputs by alpha^2, so kappa0 is sqrt(2 l alpha^2) / pi after l of them;
    the kernel is minus half of its mean over the blocks.
    """
    return math.sqrt(2) / (3 * math.pi) * np.asarray(depth, dtype=float) ** (0.5 - gamma)


@dataclass(frozen=True)
class Sinusoids:
    """Steps that sinusoids of frequency 1, 2, ... on the circle take to be learnt.

    Attributes
    ----------
    eigenvalues : ndarray of shape (frequencies,)
        lambda_1, lambda_2, ...
    predicted : ndarray of shape (frequencies,)
        Steps by these eigenvalues alone.
    measured : ndarray of shape (seeds, frequencies)
        Steps in gradient descent on points at random angles.
    losses : ndarray of shape (times, frequencies)
        Loss over its start in the first run.
    times : ndarray of shape (times,)
    """

    eigenvalues: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray
    losses: np.ndarray
    times: np.ndarray


def learn_sinusoids(
    gamma: float, sizes: Sizes, seed: int, progress: Callable[[float], None] = lambda fraction: None
) -> Sinusoids:
    """Gradient descent of the infinitely wide residual network on sinusoids, step size 1 / lambda_0."""
    kernel = residual(sizes.circle_depth, gamma, 2)
    values = spectra.sphere_spectrum(kernel, 2, sizes.max_frequency).eigenvalues
    predicted = -math.log(LEARNT) / 2 * values[0] / values[1:]
    times = np.geomspace(0.2, 20 * predicted.max(), 400)
    runs = []
    for run in range(sizes.seeds):
        runs.append(_losses(kernel, sizes, values[0], times, np.random.default_rng([seed, run])))
        progress((run + 1) / sizes.seeds)
    measured = np.array([[_crossing(times, column) for column in losses.T] for losses in runs])
    return Sinusoids(values[1:], predicted, measured, runs[0], times)


def _losses(
    kernel: spectra.ZonalKernel, sizes: Sizes, largest: float, times: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Loss over its start, by time and frequency, on points at random angles with random phases."""
    angles = rng.uniform(0, 2 * math.pi, sizes.points)
    frequencies = np.arange(1, sizes.max_frequency + 1)
    targets = np.sin(np.outer(angles, frequencies) + rng.uniform(0, 2 * math.pi, len(frequencies)))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    gram = kernel.network.kernel_fn(points, None, "ntk")  # type: ignore[union-attr]
    # predict divides by the number of targets, columns included.
    outputs = predict.gradient_descent_mse(gram, targets, learning_rate=len(frequencies) / largest)(times)
    residuals = np.mean((outputs - targets) ** 2, axis=1)
    return residuals / np.mean(targets**2, axis=0)


def _crossing(times: np.ndarray, losses: np.ndarray) -> float:
    """The time at which the loss falls below `LEARNT`, between the times on a logarithmic scale; NaN where it does not."""
    below = np.flatnonzero(losses < LEARNT)
    if len(below) == 0 or below[0] == 0:
        return math.nan
    i = below[0]
    share = math.log(losses[i - 1] / LEARNT) / math.log(losses[i - 1] / losses[i])
    return float(times[i - 1] * (times[i] / times[i - 1]) ** share)


def train_networks(
    gamma: float, sizes: Sizes, seed: int, progress: Callable[[float], None] = lambda fraction: None
) -> np.ndarray:
    """Steps that finite networks take until the loss of sin(3 x) and of sin(4 x) is a tenth, of shape (networks, 2).

    Gradient descent on 24 equally spaced points with step size 1 / lambda_0; the outputs at the start are added to the
    targets. NaN after three times the predicted steps.
    """
    network = resntk(sizes.circle_depth, gamma=gamma, width=sizes.width, input_dim=2)
    values = spectra.sphere_spectrum(network, 2, 4).eigenvalues
    angles = 2 * math.pi * np.arange(24) / 24
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    steps = np.full((sizes.networks, 2), math.nan)
    for i in range(sizes.networks):
        for j, frequency in enumerate((3, 4)):
            most = int(3 * math.log(10) / 2 * values[0] / values[frequency])
            _, params = network.init_fn([seed, i], points.shape)
            targets = np.sin(frequency * angles)[:, None] + network.apply_fn(params, points)
            start, step = math.nan, 0
            for step in range(most):
                loss, gradient = empirical.loss_and_gradient(network, params, points, targets)
                start = loss if step == 0 else start
                if loss < start / 10:
                    steps[i, j] = step
                    break
                params = _descend(params, gradient, 1 / values[0])
                progress((2 * i + j + step / most) / (2 * sizes.networks))
    return steps


def _descend(params: Any, gradient: Any, rate: float) -> Any:
    """One step down the gradient, weights in nested tuples."""
    if params is None:
        return None
    if isinstance(params, (tuple, list)):
        return tuple(_descend(own, slope, rate) for own, slope in zip(params, gradient))
    return params - rate * gradient
