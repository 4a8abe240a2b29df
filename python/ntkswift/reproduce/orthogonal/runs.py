"""What is computed: distances from the limit, movements along training, steps of deep networks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from ... import DivergenceError, empirical, stax
from ...training import GD, Snapshot, train

KINDS = ("gaussian", "orthogonal")
# Accuracies on inputs left out at which steps are counted. The authors take 25 % on CIFAR-10, of which networks of this kind
# reach little more; on digits that is passed at once.
ACCURACIES = (0.25, 0.5, 0.75)
THRESHOLD = 0.5


def deep_network(depth: int, width: int, layer: stax.Layer, W_std: float, b_std: float, outputs: int) -> stax.Layer:
    hidden = [stax.Dense(width, W_std, b_std), layer]
    return stax.serial(*hidden * depth, stax.Dense(outputs, W_std, b_std))


def digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    x, labels = load_digits(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(len(x))[:count]
    x = x[chosen] - x.mean(axis=0)
    return x / np.sqrt(np.mean(x**2)), np.eye(10)[labels[chosen]]


def initial_errors(
    widths: tuple[int, ...], draws: int, seed: int, show: Callable[[float], None]
) -> dict[str, np.ndarray]:
    """Relative Frobenius error of the NTK of one network of one hidden ReLU layer: (widths, draws)."""
    x = np.random.default_rng(seed).standard_normal((20, 1024))
    limit = deep_network(1, 1, stax.Relu(), 1.5, 0.1, 1).kernel_fn(x, None, "ntk")
    errors = {kind: np.empty((len(widths), draws)) for kind in KINDS}
    for w, width in enumerate(widths):
        network = deep_network(1, width, stax.Relu(), 1.5, 0.1, 1)
        ntk_fn = empirical.empirical_ntk_fn(network)
        for kind in KINDS:
            for draw in range(draws):
                _, params = network.init_fn([seed, draw], x.shape, distribution=kind)
                errors[kind][w, draw] = np.linalg.norm(ntk_fn(x, None, params) - limit) / np.linalg.norm(limit)
        show((w + 1) / len(widths))
    return errors


def movements(
    x: np.ndarray, y: np.ndarray, widths: tuple[int, ...], seeds: int, seed: int, show: Callable[[float], None]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Relative changes by training of three hidden tanh layers: NTK (widths, seeds), weights (widths, seeds, layers)."""
    kernels = {kind: np.empty((len(widths), seeds)) for kind in KINDS}
    weights = {kind: np.empty((len(widths), seeds, 4)) for kind in KINDS}
    for w, width in enumerate(widths):
        network = deep_network(3, width, stax.Tanh(), 1.5**0.5, 0.1**0.5, 10)
        ntk_fn = empirical.empirical_ntk_fn(network)
        for kind in KINDS:
            for s in range(seeds):
                _, start = network.init_fn([seed, s], x.shape, distribution=kind)
                before = ntk_fn(x, None, start)
                end = train(network, start, x, y, optimizer=GD(4.0), steps=150).params
                kernels[kind][w, s] = np.linalg.norm(ntk_fn(x, None, end) - before) / np.linalg.norm(before)
                pairs = [(a[0], b[0]) for a, b in zip(start, end) if a]
                weights[kind][w, s] = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairs]
        show((w + 1) / len(widths))
    return kernels, weights


def steps_to_accuracy(
    x: np.ndarray,
    y: np.ndarray,
    depth: int,
    width: int,
    rates: tuple[float, ...],
    seeds: int,
    seed: int,
    show: Callable[[float], None],
) -> dict[str, np.ndarray]:
    """Steps of gradient descent on half of the inputs to accuracies on the rest, inf where not reached.

    Arrays of shape (rates, seeds, accuracies).
    """
    network = deep_network(depth, width, stax.Tanh(), 1.05**0.5, 0.1**0.5, 10)
    needed = {kind: np.full((len(rates), seeds, len(ACCURACIES)), np.inf) for kind in KINDS}
    half = len(x) // 2
    for r, rate in enumerate(rates):
        for kind in KINDS:
            for s in range(seeds):
                _, start = network.init_fn([seed, s], x.shape, distribution=kind)
                watch = _Accuracy(network, x[half:], y[half:], needed[kind][r, s])
                with contextlib.suppress(DivergenceError):
                    train(network, start, x[:half], y[:half], optimizer=GD(rate), steps=120, callback=watch, every=4)
        show((r + 1) / len(rates))
    return needed


class _Accuracy:
    """A callback that writes down the step at which each accuracy is first reached, and stops after the last."""

    def __init__(self, network: stax.Layer, x: np.ndarray, y: np.ndarray, steps: np.ndarray) -> None:
        self._apply_fn, self._x, self._labels, self._steps = network.apply_fn, x, y.argmax(axis=1), steps

    def __call__(self, snapshot: Snapshot) -> bool:
        outputs = np.asarray(self._apply_fn(snapshot.params, self._x))
        reached = np.mean(outputs.argmax(axis=1) == self._labels) >= np.array(ACCURACIES)
        self._steps[reached & np.isinf(self._steps)] = snapshot.step
        return bool(reached[-1])
