"""The experiments on autoencoders: sizes, and one function for each question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import ConvergenceError
from ...regimes import Autoencoder, AutoencoderHistory

Progress = Callable[[float], None]
MODES = ("weak", "joint")
# A run has converged where the loss is below this share of what infinitely wide networks start with, on average.
CONVERGED = 1e-3


@dataclass(frozen=True)
class Sizes:
    """What one run of the reproduction computes."""

    inputs: int
    dimension: int
    seeds: int
    steps: int
    curve_widths: tuple[int, ...]
    widths: tuple[int, ...]
    narrow: tuple[int, ...]
    kernel_widths: tuple[int, ...]
    new_inputs: int = 50


DEFAULT = Sizes(
    inputs=20,
    dimension=10,
    seeds=5,
    steps=300,
    curve_widths=(64, 256, 1024, 4096, 16384),
    widths=(64, 256, 1024, 4096),
    narrow=(16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512),
    kernel_widths=(64, 256, 1024, 4096, 16384),
)
FULL = Sizes(
    inputs=50,
    dimension=20,
    seeds=5,
    steps=1000,
    curve_widths=(128, 512, 2048, 8192, 30000),
    widths=(128, 512, 2048, 8192),
    narrow=(32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048),
    kernel_widths=(128, 512, 2048, 8192, 30000),
)


def unit_rows(count: int, dimension: int, seed: int) -> np.ndarray:
    """Directions drawn evenly from the sphere."""
    rows = np.random.default_rng([seed, count, dimension]).standard_normal((count, dimension))
    return rows / np.linalg.norm(rows, axis=1)[:, None]


def slope(widths: Any, values: Any) -> np.ndarray:
    """Exponents of the width, one per column of `values` (widths in rows), by least squares on logarithms."""
    return np.polyfit(np.log(widths), np.log(values), 1)[0]


@dataclass
class Curves:
    """Training curves of one mode: per width a list over seeds; and what infinite width predicts."""

    mode: str
    learning_rate: float
    expected: np.ndarray  # mean over initial weights
    late_rate: float
    widths: tuple[int, ...]
    histories: list[list[AutoencoderHistory]] = field(default_factory=list)
    predictions: list[list[np.ndarray]] = field(default_factory=list)

    def steps_to(self, share: float) -> tuple[int, np.ndarray]:
        """Steps until the loss is below `share` of its expected start: predicted, and those of the widest networks."""
        goal = share * self.expected[0]
        return _first_below(self.expected, goal), np.array([_first_below(h.loss, goal) for h in self.histories[-1]])

    def deviations(self) -> np.ndarray:
        """Largest ``|log(loss / predicted)|`` while the loss is above 1e-3 of its start, (widths, seeds)."""

        def one(loss: np.ndarray, predicted: np.ndarray) -> float:
            return float(np.max(np.abs(np.log(loss / predicted))[loss > CONVERGED * loss[0]]))

        return np.array([[one(h.loss, p) for h, p in zip(*row)] for row in zip(self.histories, self.predictions)])

    def movements(self, name: str) -> np.ndarray:
        """The last record of a movement, (widths, seeds)."""
        return np.array([[getattr(h, name)[-1] for h in row] for row in self.histories])


def _first_below(loss: np.ndarray, goal: float) -> int:
    below = np.flatnonzero(loss < goal)
    return int(below[0]) if len(below) else len(loss)


def common_rate(X: np.ndarray) -> float:
    """Half of what makes joint training of an infinitely wide network diverge, halved again for narrow ones."""
    return Autoencoder(64, "joint").bounds(X).max_learning_rate / 4


def train_curves(X: np.ndarray, mode: str, sizes: Sizes, rate: float, seed: int, progress: Progress) -> Curves:
    """Networks of growing width trained with one learning rate."""
    reference = Autoencoder(64, mode, learning_rate=rate)
    expected = reference.predicted_loss(X, sizes.steps)
    curves = Curves(mode, rate, expected, float((1 - rate * reference.bounds(X).lambda_min) ** 2), sizes.curve_widths)
    for width, share in _shares(sizes.curve_widths):
        model = Autoencoder(width, mode, learning_rate=rate, steps=sizes.steps, record=1, track_kernel=True)
        curves.histories.append([])
        curves.predictions.append([])
        for s in range(sizes.seeds):
            model.set_params(random_state=[seed, s]).fit(X)
            curves.histories[-1].append(model.history_)
            curves.predictions[-1].append(model.predicted_loss())
        progress(share)
    return curves


def convergence_by_width(
    X: np.ndarray, curves: Curves, sizes: Sizes, seed: int, progress: Progress
) -> tuple[int, np.ndarray]:
    """Steps allowed, and which narrow networks converge in them, (widths, seeds): twice what infinite width needs."""
    goal = CONVERGED * curves.expected[0]
    steps = 2 * _first_below(curves.expected, goal)
    converged = np.zeros((len(sizes.narrow), sizes.seeds), bool)
    for row, (width, share) in enumerate(_shares(sizes.narrow)):
        model = Autoencoder(width, curves.mode, learning_rate=curves.learning_rate, steps=steps, record=1)
        for s in range(sizes.seeds):
            try:
                loss = model.set_params(random_state=[seed, s]).fit(X).history_.loss
            except ConvergenceError:
                continue
            converged[row, s] = loss[-1] < goal
        progress(share)
    return steps, converged


def required_widths(widths: tuple[int, ...], converged: np.ndarray) -> np.ndarray:
    """For each seed the width from which on every network converges; NaN where the widest does not."""
    needed = np.full(converged.shape[1], np.nan)
    for s, column in enumerate(converged.T):
        failures = np.flatnonzero(~column)
        first = failures[-1] + 1 if len(failures) else 0
        if first < len(widths):
            needed[s] = widths[first]
    return needed


def kernel_errors(X: np.ndarray, sizes: Sizes, seed: int, progress: Progress) -> tuple[dict[str, np.ndarray], float]:
    """Relative distances of the kernels from their limits, (widths, seeds); largest entry of the decoder's that should be 0."""
    n, d = X.shape
    errors = {layer: np.zeros((len(sizes.kernel_widths), sizes.seeds)) for layer in ("encoder", "decoder")}
    identity, outside = np.eye(d), 0.0
    for row, (width, share) in enumerate(_shares(sizes.kernel_widths)):
        model = Autoencoder(width, "joint", steps=0)
        for s in range(sizes.seeds):
            model.set_params(random_state=[seed, s]).fit(X)
            for layer, table in errors.items():
                limit, kernel = np.kron(model.limit_kernel(layers=layer), identity), model.kernel(layers=layer)
                table[row, s] = np.linalg.norm(kernel - limit) / np.linalg.norm(limit)
            blocks = kernel.reshape(n, d, n, d) * (1 - identity)[None, :, None, :]
            outside = max(outside, float(np.abs(blocks).max()))
        progress(share)
    return errors, outside


def memorisation(sizes: Sizes, mode: str, seed: int, progress: Progress) -> dict[str, np.ndarray]:
    """Trained networks, with outputs of 0 at the start, on new inputs; fewer training inputs than dimensions.

    Returns, (widths, seeds): the share of the norm of the reconstructions outside the span of the training inputs, their
    distance from the prediction of infinite width, and the latter's distance from the new inputs.
    """
    d = 2 * sizes.dimension
    X, new = unit_rows(d // 2 + 2, d, seed), unit_rows(sizes.new_inputs, d, seed + 1)
    basis = np.linalg.qr(X.T)[0]
    names = ("outside", "distance", "unlike")
    results = {name: np.zeros((len(sizes.widths), sizes.seeds)) for name in names}
    for row, (width, share) in enumerate(_shares(sizes.widths)):
        model = Autoencoder(width, mode, steps=sizes.steps, decoder_init="mirrored", record=1)
        for s in range(sizes.seeds):
            outputs = model.set_params(random_state=[seed, s]).fit(X).reconstruct(new)
            infinite = model.predict_infinite(new)
            results["outside"][row, s] = _relative(outputs - outputs @ basis @ basis.T, outputs)
            results["distance"][row, s] = _relative(outputs - infinite, infinite)
            results["unlike"][row, s] = _relative(infinite - new, new)
        progress(share)
    return results


def tied_networks(X: np.ndarray, sizes: Sizes, seed: int, progress: Progress) -> dict[str, dict[str, np.ndarray]]:
    """For each scaling, (widths, seeds): norm of the outputs and loss at the start, movement of the weights, last loss."""
    names = ("norm", "start", "moved", "end")
    results = {
        scaling: {name: np.zeros((len(sizes.widths), sizes.seeds)) for name in names}
        for scaling in ("ntk", "mean", "identity")
    }
    for row, (width, share) in enumerate(_shares(sizes.widths)):
        for scaling, table in results.items():
            model = Autoencoder(width, "tied", scaling=scaling, steps=sizes.steps, record=1)
            for s in range(sizes.seeds):
                history = model.set_params(random_state=[seed, s]).fit(X).history_
                table["norm"][row, s] = history.initial_output_norm
                table["start"][row, s], table["end"][row, s] = history.loss[[0, -1]]
                table["moved"][row, s] = history.encoder_movement[-1]
        progress(share)
    return results


def _relative(difference: np.ndarray, reference: np.ndarray) -> float:
    return float(np.linalg.norm(difference) / np.linalg.norm(reference))


def _shares(widths: tuple[int, ...]) -> list[tuple[int, float]]:
    """Each width with the share of the work that is done after it."""
    return list(zip(widths, np.cumsum(widths) / sum(widths)))
