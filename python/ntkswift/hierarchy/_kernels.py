"""The kernels K2, K3 and K4 of a finite network, and the velocity of K2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._checks import integer
from .._networks import network_for, seed_of
from ._truncated import HierarchyPath, truncated_hierarchy


@dataclass(frozen=True)
class TangentHierarchy:
    """Kernels of a finite network and its outputs, all at the same parameters.

    Attributes
    ----------
    outputs : ndarray of shape (N,)
        Outputs at the n training inputs and, after these, at the test inputs.
    k2 : ndarray of shape (N, n)
        The empirical NTK, <grad f(a), grad f(b)>.
    k3 : ndarray of shape (N, n, n) or None
        k3[a, b, c] is the derivative of k2[a, b] along grad f(c): symmetric in a and b, not in c.
    k4 : ndarray of shape (N, n, n, n) or None
        k4[a, b, c, d] is the derivative of k3[a, b, c] along grad f(d), while grad f(c) moves too.
    """

    outputs: np.ndarray
    k2: np.ndarray
    k3: np.ndarray | None = None
    k4: np.ndarray | None = None

    @property
    def kernels(self) -> list[np.ndarray]:
        """K2 and what else was computed."""
        return [kernel for kernel in (self.k2, self.k3, self.k4) if kernel is not None]

    @takes_resources()
    def predict(
        self,
        y: Any,
        times: Any,
        order: int | None = None,
        *,
        ntk: bool = False,
        tolerance: float = 1e-9,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> HierarchyPath:
        """The path of training that these kernels predict, cut at `order` (by default the highest computed).

        See `truncated_hierarchy`. Compare even orders with each other: the bound of the paper holds for these, and odd
        orders may be worse than the order below them.

        Raises
        ------
        ValueError
            For an order whose kernel was not computed.
        """
        kernels = self.kernels
        highest = len(kernels) + 1
        top = highest if order is None else integer(order, "predict", "order", minimum=2, maximum=highest)
        return truncated_hierarchy(self.outputs, y, kernels[: top - 1], times, ntk=ntk, tolerance=tolerance)


@takes_resources()
def tangent_hierarchy(
    network: Any,
    params: Any,
    x_train: Any,
    x_test: Any = None,
    order: int = 4,
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> TangentHierarchy:
    """The neural tangent hierarchy K2, .., K_order of a network with one output (arXiv:1909.08156, equation 2.9).

    K3 needs a pass on directional derivatives for each training input, K4 one for each pair of them. With n training
    inputs, N inputs in all and P parameters: memory 8 N P bytes for the directions, and 16 N^2 n^2 for K4. Hessians are
    never formed.

    Parameters
    ----------
    network : ApplyFunction or Layer
        A fully connected network with one output and smooth nonlinearities (Tanh, Erf, Gelu, Sin, Softplus, ...).
    params : nested tuples
        Its parameters.
    x_train : array_like of shape (n, d)
        Inputs that are trained on.
    x_test : array_like of shape (m, d), optional
        Inputs that follow passively: first index of the kernels only.
    order : {2, 3, 4}
        The highest kernel.
    seed : int, sequence of int, SeedSequence, Generator, optional
        Of Dropout in train mode.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    TangentHierarchy

    Raises
    ------
    ValueError
        For nonlinearities with kinks (their higher kernels do not exist), several outputs, convolutions, BatchNorm.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> from ntkswift.hierarchy import tangent_hierarchy
    >>> network = stax.serial(stax.Dense(16), stax.Erf(), stax.Dense(1))
    >>> _, params = network.init_fn(0, (2, 2))
    >>> kernels = tangent_hierarchy(network, params, np.eye(2), np.ones((1, 2)), order=3)
    >>> kernels.k2.shape, kernels.k3.shape, kernels.k4
    ((3, 2), (3, 2, 2), None)
    """
    op = "tangent_hierarchy"
    order = integer(order, op, "order", minimum=2, maximum=4)
    finite, rows = network_for(network, x_train, op, "x_train")
    n = len(rows)
    if x_test is not None:
        rows = np.concatenate([rows, finite.rows(x_test, "x_test")])
    vector, key = finite.vector(params), seed_of(finite.layer, seed, op)
    resources = Resources()
    found = resources.run("hierarchy_kernels", op, finite.core, vector, rows, n, order, key)
    outputs = finite.call("derivatives", vector, rows, None, [0], seed=key)[0]
    shaped = [kernel.reshape(len(rows), *(n,) * (k + 1)) for k, kernel in enumerate(found)]
    return TangentHierarchy(outputs[:, 0].copy(), *shaped)


@takes_resources()
def kernel_velocity(
    network: Any,
    params: Any,
    x: Any,
    direction: Any,
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The derivative of the empirical NTK along a direction in parameter space: one pass, no higher kernel.

    Parameters
    ----------
    network, params
        As in `tangent_hierarchy`.
    x : array_like of shape (n, d)
        Inputs.
    direction : nested tuples or ndarray of shape (parameters,)
        Shaped like `params`, or flat.
    seed, memory_limit
        As in `tangent_hierarchy`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (n, n)
    """
    op = "kernel_velocity"
    finite, rows = network_for(network, x, op, "x")
    vector = finite.vector(params)
    along = direction if isinstance(direction, np.ndarray) else finite.vector(direction)
    along = np.ascontiguousarray(check_array(along, "direction", ndim=1, dtype=np.float64, op=op))
    if along.shape != vector.shape:
        raise ValueError(f"[{op}] direction must hold {vector.size} numbers. Received {along.size}.")
    return Resources().run(
        "hierarchy_kernel_derivative", op, finite.core, vector, rows, along, seed_of(finite.layer, seed, op)
    )


@takes_resources(phases=2)
def loss_kernel_velocity(
    network: Any,
    params: Any,
    x_train: Any,
    y: Any,
    x: Any = None,
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """dK2/dt of gradient flow on ``0.5 mean (f - y)^2`` of the training inputs, at one moment.

    It equals ``-1/n sum_c K3(.., c) (f(c) - y(c))`` (arXiv:1909.08156), at the cost of one pass.

    Parameters
    ----------
    network, params
        As in `tangent_hierarchy`.
    x_train, y : array_like of shapes (n, d) and (n,) or (n, 1)
        What is trained on.
    x : array_like of shape (m, d), optional
        Where the kernel is; by default at the training inputs.
    seed, memory_limit
        As in `tangent_hierarchy`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (m, m)
    """
    op = "loss_kernel_velocity"
    finite, rows = network_for(network, x_train, op, "x_train")
    _, gradient = finite.call(
        "loss",
        finite.vector(params),
        0,
        rows,
        finite.targets(y, len(rows), "y"),
        True,
        seed=seed_of(finite.layer, seed, op),
    )
    return kernel_velocity(network, params, x_train if x is None else x, -gradient, seed=seed)
