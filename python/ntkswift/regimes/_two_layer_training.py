"""One run of stochastic gradient descent: rates, schedule, and the call into the core."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._call import Resources, call
from .._checks import integer, real
from .._random import generator, philox_key
from .._runs import Loop
from ._limits import Target
from ._two_layer_history import TwoLayerHistory

# Share of the largest stable learning rate that "auto" takes; tried on quadratic targets of 450 dimensions.
_SHARE = {"random_features": 0.25, "lazy": 0.1, "full": 0.3}
_SHARED_OUTPUT_RATE = 0.1


@dataclass
class Problem:
    """What is trained, on what, how; a run changes the arrays in place."""

    mode: str
    shares_outputs: bool
    activation: Any
    target: Target | None
    data: tuple[np.ndarray, np.ndarray] | None
    weights: np.ndarray
    steps: int
    batch_size: int
    learning_rate: Any  # None: chosen here
    decay: Any
    fit_offset: bool
    dtype: Any
    record_every: int | None
    seed: Any
    op: str
    outputs: Any = None
    tangents: Any = None
    offset: Any = None


class Run(Loop):
    """Stochastic gradient descent on a problem, from its start."""

    def __init__(self, problem: Problem) -> None:
        dtype = np.dtype(problem.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"[{problem.op}] dtype must be float32 or float64. Received {problem.dtype!r}.")
        self.problem = problem
        self.batch = problem.batch_size if problem.data is None else min(problem.batch_size, len(problem.data[0]))
        _start(problem)
        self.rates = _rates(problem, self.batch)
        self.schedule = _schedule(problem)
        every = problem.record_every
        every = max(1, problem.steps // 200) if every is None else integer(every, problem.op, "record_every")
        problem.weights = np.ascontiguousarray(problem.weights, dtype)
        problem.outputs = np.ascontiguousarray(problem.outputs, dtype)
        problem.tangents = None if problem.tangents is None else np.ascontiguousarray(problem.tangents, dtype)
        self.key = philox_key(_child(problem.seed), op=problem.op)[0]
        super().__init__(problem.op, problem.steps, Resources(), window=every)

    def advance(self, length: int, record: np.ndarray, done: np.ndarray, resources: Resources) -> None:
        p = self.problem
        X, y = p.data if p.data is not None else (None, None)
        resources.run(
            "two_layer_sgd", p.op, p.activation, p.weights, p.outputs, p.tangents, p.offset,
            None if p.target is None else p.target._task(), X, y, (self.batch, self.step, length, self.window), self.rates,
            p.shares_outputs, self.schedule, self.key, record, done,
        )  # fmt: skip

    def history(self) -> TwoLayerHistory:
        return TwoLayerHistory(**self.columns(), batch_size=self.batch, window=self.window)


def _child(seed: Any) -> Any:
    """A seed for the batches that is not the one of the weights."""
    if seed is None or isinstance(seed, (np.random.Generator, np.random.BitGenerator, np.random.RandomState)):
        return seed
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, 1))


def _start(run: Problem) -> None:
    """The network at the start: zero but for NN with free output weights, which start as +-1 / sqrt N."""
    width, d = run.weights.shape
    run.offset = np.zeros((1, 1))
    run.outputs = np.zeros((width, 1))
    run.tangents = np.zeros((width, d)) if run.mode == "lazy" else None
    if run.mode == "full" and not run.shares_outputs:
        signs = generator(_child(run.seed), op=run.op).choice([-1.0, 1.0], size=(width, 1))
        run.outputs = signs / math.sqrt(width)


def _rates(run: Problem, batch: int) -> tuple[float, float, float, float]:
    """Rates of weights, tangents, outputs and constant; sets the learning rate where it is to be chosen."""
    width, d = run.weights.shape
    constant = 1.0 if run.fit_offset else 0.0
    inputs, targets = _sample(run, batch)
    if run.shares_outputs:
        # c + A sum s(<w_i, x>): gradients by A over N^2, and those of the weights such that a batch is stable once the
        # outputs have the variance of the targets.
        run.learning_rate = run.learning_rate or _SHARED_OUTPUT_RATE
        variance = max(float(np.var(targets)), 1e-300)
        return 0.5 * width * batch / (_SHARED_OUTPUT_RATE * d**2 * variance), 0.0, 1.0 / width**2, constant
    trains_weights = run.mode == "full"
    largest = call(
        "two_layer_curvature",
        run.op,
        run.activation,
        run.weights,
        run.outputs,
        run.tangents,
        inputs,
        trains_weights,
        True,
    )
    run.learning_rate = run.learning_rate or _SHARE[run.mode] / largest
    # In the linear models the constant must make up for the mean of all features at once: it moves as fast as they do.
    return float(trains_weights), float(run.mode == "lazy"), 1.0, constant * (1.0 if trains_weights else largest)


def _sample(run: Problem, batch: int) -> tuple[np.ndarray, np.ndarray]:
    if run.target is not None:
        return run.target.sample(max(batch, 2), _child(run.seed) if run.seed is not None else None)
    assert run.data is not None
    return run.data[0][:batch], run.data[1]


def _schedule(run: Problem) -> np.ndarray:
    """First steps and learning rates of the pieces; a piece that starts with another replaces it."""
    pieces = {0: float(run.learning_rate)}
    try:
        decay = [(float(fraction), float(divisor)) for fraction, divisor in run.decay]
    except (TypeError, ValueError):
        raise ValueError(f"[{run.op}] decay must be pairs of (fraction, divisor). Received {run.decay!r}.") from None
    for fraction, divisor in sorted(decay):
        if not 0 <= fraction <= 1 or not divisor > 0 or not math.isfinite(divisor):
            raise ValueError(
                f"[{run.op}] decay needs fractions from 0 to 1 and positive divisors. Received {run.decay!r}."
            )
        pieces[int(fraction * run.steps)] = run.learning_rate / real(divisor, run.op, "decay")
    return np.array(sorted(pieces.items()), dtype=float)
