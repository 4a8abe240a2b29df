"""Finite networks with a bottleneck, beside which the infinitely wide one is put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import check_array, check_lengths, check_widths
from .._call import call
from .._checks import integer, real
from .._networks import layer_of
from .._random import generator


@dataclass
class FiniteBottleneckRun:
    """One training run of a finite network with a bottleneck.

    Attributes
    ----------
    loss : ndarray of shape (steps + 1,)
        ``0.5 mean (F - y)^2`` on the training points.
    positions : ndarray of shape (n + m, units)
        Bottleneck representation at the end, training points first.
    outputs : ndarray of shape (n + m, outputs)
        Outputs at the end.
    initial_positions : ndarray of shape (n + m, units)
        Bottleneck representation at the start, for ``Bottleneck.fit(positions=...)``.
    initial_outer : tuple
        Parameters of the outer half at the start, for ``Bottleneck.fit(initial=...)``.
    """

    loss: np.ndarray
    positions: np.ndarray
    outputs: np.ndarray
    initial_positions: np.ndarray
    initial_outer: tuple[Any, ...]


def train_finite_bottleneck(
    outer: Any,
    inner: Any,
    units: int,
    width: int,
    X: Any,
    y: Any,
    X_test: Any = None,
    *,
    learning_rate: float = 0.1,
    steps: int = 100,
    random_state: Any = None,
) -> FiniteBottleneckRun:
    """Train a network of finite width with a bottleneck by full-batch gradient descent, and return the run.

    Start a :class:`Bottleneck` from its `initial_positions` and `initial_outer` to compare the two.

    Parameters
    ----------
    outer, inner : stax network
        ``Dense, activation, Dense`` without biases, with smooth activations; their own widths are not used.
    units, width : int
        Units of the bottleneck and of both hidden layers.
    X, y, X_test : array_like
        As for ``Bottleneck.fit``.
    learning_rate : float
        Step size.
    steps : int
        Number of steps.
    random_state : int, Generator or None
        Seed of the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> half = stax.serial(stax.Dense(1), stax.Erf(), stax.Dense(1))
    >>> x = np.random.default_rng(0).standard_normal((6, 3))
    >>> run = train_finite_bottleneck(half, half, 2, 100, x, np.sin(x[:, 0]), steps=5, random_state=0)
    >>> run.positions.shape, bool(run.loss[-1] < run.loss[0])
    ((6, 2), True)
    """
    op = "train_finite_bottleneck"
    x = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
    targets = check_array(y, "y", ndim=(1, 2), dtype=np.float64, op=op)
    check_lengths(x, targets, ("X", "y"), op=op)
    targets = np.ascontiguousarray(targets.reshape(len(targets), -1))
    if X_test is not None:
        test = check_array(X_test, "X_test", dtype=np.float64, op=op)
        check_widths(x, test, ("X", "X_test"), op=op)
        x = np.vstack([x, test])
    k, m = integer(units, op, "units", minimum=1), integer(width, op, "width", minimum=1)
    rate = real(learning_rate, op, "learning_rate", above=0)
    random = generator(random_state, op=op)
    first, second = layer_of(inner, op, "inner"), layer_of(outer, op, "outer")
    weights = [random.standard_normal(shape) for shape in ((x.shape[1], m), (m, k), (k, m), (m, targets.shape[1]))]
    initial_outer = ((weights[2].copy(),), (), (weights[3].copy(),))

    def train(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inputs = (first._compiled, *weights[:2], second._compiled, *weights[2:], x, targets, rate, count)
        return call("finite_bottleneck", "finite network", *inputs)

    start = train(0)[1]
    losses, positions, outputs = train(integer(steps, op, "steps", minimum=0))
    return FiniteBottleneckRun(losses.ravel(), positions, outputs, start, initial_outer)
