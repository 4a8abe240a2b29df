"""The loss along a line through the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._checks import real
from .._networks import loss_number, network_for, seed_of, targets_for
from ..stax import FiniteNetwork


@takes_resources()
def sample_curvatures(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    direction: Any,
    loss: str = "mse",
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The second derivative along `direction` of the loss of each input; the whole loss is their mean.

    With the top eigenvector of the Hessian these are the H_i of the paper's model: their mean is lambda_H^1, their
    variance the s^2 of its Eq. (1).

    Parameters
    ----------
    network, params, x, y, loss
        As in `hessian`; networks without BatchNorm.
    direction : ndarray of shape (parameters,), or nested tuples shaped like `params`
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (n,)
    """
    return _along("sample_curvatures", network, params, x, y, loss, (direction, "direction"), (), seed)


@takes_resources()
def step_to_raise(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    update: Any,
    loss: str = "mse",
    *,
    factor: float = 1.2,
    most: float = 1000.0,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> float:
    """The smallest alpha > 0 with ``loss(params - alpha * update) >= factor * loss(params)``, the paper's alpha^*.

    With the update of one step of training, 1 is the step itself: below it, this step raises the loss by a fifth.

    Parameters
    ----------
    network, params, x, y, loss
        As in `hessian`.
    update : ndarray of shape (parameters,), or nested tuples shaped like `params`
        params before the step minus params after it.
    factor : float, default=1.2
        How much the loss rises.
    most : float, default=1000
        Where the search ends.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    float
        To a relative 1e-3; infinity where the loss stays below up to `most`.
    """
    op = "step_to_raise"
    options = (real(factor, op, "factor"), real(most, op, "most"))
    return _along(op, network, params, x, y, loss, (update, "update"), options, seed)


def _along(
    op: str,
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    loss: str,
    line: tuple[Any, str],
    options: tuple[Any, ...],
    seed: Any,
) -> Any:
    """Check the arguments and call the core function `op`; `line` is a direction and its name as an argument."""
    finite, rows = network_for(network, x, op, "x")
    return Resources().run(
        op,
        op,
        finite.core,
        finite.vector(params),
        loss_number(loss, op),
        rows,
        targets_for(finite, y, len(rows), loss).rows,
        flat(finite, *line, op),
        *options,
        seed_of(finite.layer, seed, op),
    )


def flat(network: FiniteNetwork, vector: Any, name: str, op: str) -> np.ndarray:
    """A direction in the space of parameters as a flat vector."""
    if isinstance(vector, (tuple, list)):
        return network.vector(vector)
    array = np.ascontiguousarray(check_array(vector, name, ndim=1, dtype=np.float64, op=op))
    if len(array) != network.parameter_count:
        raise ValueError(f"[{op}] {name} must have {network.parameter_count} numbers. Received {len(array)}.")
    return array
