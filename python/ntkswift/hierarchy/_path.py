"""The true path of a finite network in gradient flow, at given times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from .._call import Progress, Resources, allowing
from .._networks import network_for
from ..training import Flow, interrupts_raise, train
from ._truncated import ascending_times


@dataclass(frozen=True)
class FlowPath:
    """A network on its way.

    Attributes
    ----------
    times : ndarray of shape (T,)
        Times of gradient flow.
    outputs : ndarray of shape (T, N)
        Outputs at the training inputs and, after these, at the test inputs.
    params : list of nested tuples
        The parameters at each time.
    """

    times: np.ndarray
    outputs: np.ndarray
    params: list[Any]


def gradient_flow(
    network: Any,
    params: Any,
    x_train: Any,
    y: Any,
    times: Any,
    x_test: Any = None,
    *,
    tolerance: float = 1e-8,
    weight_decay: float = 0.0,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> FlowPath:
    """Train a network with one output by gradient flow on ``0.5 mean (f - y)^2`` and note it at given times.

    Parameters
    ----------
    network, params
        A network with one output and its parameters.
    x_train, y : array_like
        Inputs and targets, (n,) or (n, 1).
    times : array_like of shape (T,)
        Ascending, from 0 on.
    x_test : array_like, optional
        Further inputs whose outputs are noted.
    tolerance : float
        Of the integrator; see `ntkswift.training.Flow`.
    weight_decay : float
        Times the parameters, added to the gradient.
    memory_limit : int, optional
        Bytes that one step may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    FlowPath
    """
    op = "gradient_flow"
    finite, rows = network_for(network, x_train, op, "x_train")
    if finite.output_shape != (1,):
        raise ValueError(f"[{op}] network must have one output. Received outputs of shape {finite.output_shape}.")
    moments = ascending_times(times, op)
    flow = Flow(tolerance=_checks.tolerance(tolerance, op, "tolerance"), weight_decay=weight_decay)
    everywhere = rows if x_test is None else np.concatenate([rows, finite.rows(x_test, "x_test")])
    inputs = rows.reshape(len(rows), *finite.shape)
    outputs, states, now = [], [], 0.0

    def part(begin: float, end: float) -> Progress | None:
        if progress is None:
            return None
        return lambda fraction: progress((begin + fraction * (end - begin)) / float(moments[-1]))

    for moment in moments:
        if moment > now:
            with interrupts_raise():
                run = train(
                    finite.layer,
                    params,
                    inputs,
                    y,
                    optimizer=flow,
                    time=float(moment - now),
                    memory_limit=memory_limit,
                    progress=part(now, float(moment)),
                )
            params, now = run.params, float(moment)
        with allowing(Resources(memory_limit=memory_limit)):
            values = finite.call("derivatives", finite.vector(params), everywhere, None, [0])
        outputs.append(values[0][:, 0])
        states.append(params)
    if progress is not None:
        progress(1.0)
    return FlowPath(moments, np.stack(outputs), states)
