"""Taylor expansions of a network in its parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._call import Progress, takes_resources
from .._checks import integer
from .._networks import layer_of, network_for, seed_of

_MAX_DEGREE = 3


class Expansion:
    """``f(params, x)`` expanded in the parameters around `params0`; made by `linearize` and `taylor_expand`.

    Attributes
    ----------
    layer : Layer
        The network.
    params0 : nested tuples
        Where it is expanded.
    degree : int
        Highest power of ``params - params0``.
    """

    def __init__(self, f: Any, params0: Any, degree: int, op: str) -> None:
        self.layer = layer_of(f, op)
        self.params0 = params0
        self.degree = degree
        self._op = op

    @takes_resources()
    def __call__(
        self,
        params: Any,
        inputs: Any,
        *,
        rng: Any = None,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """The expansion's outputs at `inputs` for parameters `params`."""
        network, rows = network_for(self.layer, inputs, self._op, "inputs")
        vector, step = network.vector(self.params0), network.vector(params)
        step -= vector
        # Part 2^k - 1 is the derivative along the step k times.
        parts = [(1 << k) - 1 for k in range(self.degree + 1)]
        directions = np.stack([step] * self.degree) if self.degree else None
        values = network.call(
            "derivatives", vector, rows, directions, parts, seed=seed_of(self.layer, rng, self._op, "rng, a seed,")
        )
        total = values[0]
        for k in range(1, self.degree + 1):
            total = total + values[k] / math.factorial(k)
        return network.outputs(total)

    def __repr__(self) -> str:
        return f"Expansion({self.layer!r}, degree={self.degree})"


def linearize(f: Any, params: Any) -> Expansion:
    """The network linearised in its parameters: ``f(params0) + J (params - params0)`` (Lee et al., arXiv:1902.06720).

    Parameters
    ----------
    f : ApplyFunction or Layer
        The network.
    params : nested tuples
        Where it is linearised.

    Returns
    -------
    Expansion
        ``f_lin(params, x) -> ndarray``.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical, stax
    >>> init_fn, apply_fn, _ = stax.serial(stax.Dense(64), stax.Tanh(), stax.Dense(1))
    >>> x = np.eye(3)
    >>> _, params = init_fn(0, x.shape)
    >>> f_lin = empirical.linearize(apply_fn, params)
    >>> bool(np.allclose(f_lin(params, x), apply_fn(params, x)))
    True
    """
    return Expansion(f, params, 1, "linearize")


def taylor_expand(f: Any, params: Any, degree: int) -> Expansion:
    """The Taylor expansion of the network in its parameters; all derivatives are exact.

    Parameters
    ----------
    f : ApplyFunction or Layer
        The network. Nonlinearities of the caller (Elementwise) reach degree 1.
    params : nested tuples
        Where it is expanded.
    degree : int
        0 to 3.

    Returns
    -------
    Expansion
        ``f_taylor(params, x) -> ndarray``.
    """
    return Expansion(
        f, params, integer(degree, "taylor_expand", "degree", minimum=0, maximum=_MAX_DEGREE), "taylor_expand"
    )
