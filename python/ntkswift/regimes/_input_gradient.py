"""The gradient of an infinite-width kernel by its input: what moves a bottleneck."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array, check_widths
from .._call import Progress, call, takes_resources
from .._checks import choice
from .._networks import layer_of


@takes_resources()
def input_gradient(
    network: Any,
    z1: Any,
    z2: Any = None,
    get: str = "ntk",
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel of a smooth fully connected network and its gradient by its first input.

    Parameters
    ----------
    network : stax network
        As `outer` of :class:`Bottleneck`.
    z1, z2 : array_like of shape (n1, d), (n2, d)
        Inputs; z2 is z1 where it is None.
    get : {"ntk", "nngp"}
        Which kernel.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    kernel : ndarray of shape (n1, n2)
    gradient : ndarray of shape (n1, n2, d)
        Derivatives by the coordinates of the rows of `z1`.

    Examples
    --------
    >>> from ntkswift import stax
    >>> network = stax.serial(stax.Dense(512), stax.Erf(), stax.Dense(1))
    >>> kernel, gradient = input_gradient(network, [[1.0, 0.5]], [[0.0, 1.0], [1.0, 0.0]])
    >>> kernel.shape, gradient.shape
    ((1, 2), (1, 2, 2))
    """
    op = "input_gradient"
    choice(get, op, "get", ("ntk", "nngp"))
    layer = layer_of(network, op)
    left = np.ascontiguousarray(check_array(z1, "z1", dtype=np.float64, op=op))
    right = left if z2 is None else np.ascontiguousarray(check_array(z2, "z2", dtype=np.float64, op=op))
    check_widths(left, right, ("z1", "z2"), op=op)
    kernel, gradient = call("input_gradient", "kernel gradient", layer._compiled, get == "ntk", left, right)
    return kernel, gradient.reshape(len(left), len(right), left.shape[1])
