"""Finite networks with a bottleneck, beside which the infinitely wide one is put."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._arrays import check_array, check_lengths, check_widths
from .._call import Progress, takes_resources
from .._checks import integer, real
from .._networks import layer_of
from .._random import generator
from ..stax import Dense, Layer, serial
from ..training import GD, NetworkHistory, train


@dataclass
class FiniteBottleneckRun:
    """One training run of a finite network with a bottleneck.

    Attributes
    ----------
    history : NetworkHistory
        What `ntkswift.train` returned: its losses are ``0.5 mean (F - y)^2`` on the training points before each step.
    loss : ndarray of shape (steps + 1,)
        Those losses, and the one at the end.
    positions : ndarray of shape (n + m, units)
        Bottleneck representation at the end, training points first.
    outputs : ndarray of shape (n + m, outputs)
        Outputs at the end.
    initial_positions : ndarray of shape (n + m, units)
        Bottleneck representation at the start, for ``Bottleneck.fit(positions=...)``.
    initial_outer : tuple
        Parameters of the outer half at the start, for ``Bottleneck.fit(initial=...)``.
    """

    history: NetworkHistory
    loss: np.ndarray
    positions: np.ndarray
    outputs: np.ndarray
    initial_positions: np.ndarray
    initial_outer: tuple[Any, ...]


@takes_resources()
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
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> FiniteBottleneckRun:
    """Train a network of finite width with a bottleneck by full-batch gradient descent, and return the run.

    Start a :class:`Bottleneck` from its `initial_positions` and `initial_outer` to compare the two.

    Parameters
    ----------
    outer, inner : stax network
        ``Dense, activation, Dense`` without biases; their own widths are not used.
    units, width : int
        Units of the bottleneck and of both hidden layers.
    X, y, X_test : array_like
        As for ``Bottleneck.fit``.
    learning_rate : float
        Step size.
    steps : int
        Number of steps.
    seed : int, Generator or None
        Seed of the weights.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Raises
    ------
    DivergenceError
        Where training diverges; its `history` has what came before. (Ctrl-C ends training, see ``run.history.interrupted``.)

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> half = stax.serial(stax.Dense(1), stax.Erf(), stax.Dense(1))
    >>> x = np.random.default_rng(0).standard_normal((6, 3))
    >>> run = train_finite_bottleneck(half, half, 2, 100, x, np.sin(x[:, 0]), steps=5, seed=0)
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
    random = generator(seed, op=op)
    first, second = _half(inner, m, k, op), _half(outer, m, targets.shape[1], op)
    weights = [random.standard_normal(shape) for shape in ((x.shape[1], m), (m, k), (k, m), (m, targets.shape[1]))]
    halves = tuple(((hidden, None), (), (readout, None)) for hidden, readout in (weights[:2], weights[2:]))
    n, network = len(targets), serial(first, second)
    history = train(network, halves, x[:n], targets, optimizer=GD(rate), steps=integer(steps, op, "steps", minimum=0))
    outputs = np.asarray(network.apply_fn(history.params, x))
    return FiniteBottleneckRun(
        history=history,
        loss=np.append(history.loss, 0.5 * np.mean((outputs[:n] - targets) ** 2)),
        positions=np.asarray(first.apply_fn(history.params[0], x)),
        outputs=outputs,
        initial_positions=np.asarray(first.apply_fn(halves[0], x)),
        initial_outer=halves[1],
    )


def _half(half: Any, width: int, outputs: int, op: str) -> Layer:
    """``Dense, activation, Dense`` of these widths."""
    layers: tuple[Layer, ...] = getattr(layer_of(half, op), "layers", ())
    ends = [layer for layer in layers[::2] if isinstance(layer, Dense)]
    if len(layers) != 3 or len(ends) != 2 or isinstance(layers[1], Dense):
        raise ValueError(f"[{op}] both halves must be Dense, activation, Dense. Received {half!r}.")
    if any(end.b_std is not None or end.parameterization != "ntk" or not end.trainable for end in ends):
        raise ValueError(
            f'[{op}] both halves must be trainable, without biases, in the "ntk" parameterization. Received {half!r}.'
        )
    return serial(replace(ends[0], out_dim=width), layers[1], replace(ends[1], out_dim=outputs))
