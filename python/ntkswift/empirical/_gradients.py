"""Losses of finite networks: gradients, products with their curvature, inner products of gradients of single inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._checks import choice
from .._networks import loss_number, network_for, second_rows, seed_of, targets_for

_CURVATURES = {"hessian": 0, "gauss_newton": 1}


@takes_resources()
def loss_and_gradient(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    loss: str = "mse",
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> tuple[float, Any]:
    """The training loss and its gradient by the parameters.

    Parameters
    ----------
    network : ApplyFunction or Layer
        The network.
    params : nested tuples
        Its parameters.
    x : array_like
        Inputs.
    y : array_like
        Targets of the shape of the outputs; (n,) for one output. For the losses of classes their probabilities, or labels
        of shape (n,): integers, booleans, or strings, which are numbered in the order of `numpy.unique`.
    loss : {"mse", "cross_entropy", "logistic"}
        ``0.5 mean (f - y)^2`` over inputs and outputs; ``-mean sum_k y_k log softmax(f)_k``, the mean over inputs, with the
        probabilities y of two classes or more, one output each; ``mean log(1 + exp f) - y f`` of one output, the log odds
        of the second of two classes.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    loss : float
    gradient : nested tuples
        Shaped like `params`.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical, stax
    >>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(3), np.ones((3, 1))
    >>> _, params = network.init_fn(0, x.shape)
    >>> value, gradient = empirical.loss_and_gradient(network, params, x, y)
    >>> gradient[0][0].shape
    (3, 8)
    """
    finite, rows = network_for(network, x, "loss_and_gradient", "x")
    value, gradient = finite.call(
        "loss",
        finite.vector(params),
        loss_number(loss, "loss_and_gradient"),
        rows,
        targets_for(finite, y, len(rows), loss).rows,
        True,
        seed=seed_of(finite.layer, seed, "loss_and_gradient"),
    )
    return value, finite.nested(gradient, params)


@takes_resources()
def curvature_vector_product(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    vector: Any,
    loss: str = "mse",
    kind: str = "hessian",
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Any:
    """The product of the Hessian of the loss (or its Gauss-Newton matrix) with a vector, exact to rounding.

    Forward derivatives through the backward pass (Pearlmutter, Neural Computation 6, 1994); about four times the cost
    of a gradient.

    Parameters
    ----------
    network, params, x, y, loss
        As in `loss_and_gradient`.
    vector : nested tuples or ndarray
        Shaped like `params`, or flat: (parameters,), or (k, parameters) for k products at once.
    kind : {"hessian", "gauss_newton"}
        The Hessian, or J^T H_f J with the Hessian H_f of the loss by the outputs.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    nested tuples or ndarray
        Shaped like `vector`.
    """
    op = "curvature_vector_product"
    finite, rows = network_for(network, x, op, "x")
    flat = isinstance(vector, np.ndarray)
    directions = check_array(vector, "vector", ndim=(1, 2), dtype=np.float64, op=op) if flat else finite.vector(vector)
    if directions.shape[-1] != finite.parameter_count:
        raise ValueError(
            f"[{op}] vector must hold {finite.parameter_count} numbers (per row). Received shape {directions.shape}."
        )
    curvature = _core.SymmetricOperator.curvature(
        finite.core,
        finite.vector(params),
        _CURVATURES[choice(kind, op, "kind", _CURVATURES)],
        loss_number(loss, op),
        rows,
        targets_for(finite, y, len(rows), loss).rows,
        seed_of(finite.layer, seed, op),
    )
    product = Resources().run_method(
        curvature, "multiply", "curvature", np.ascontiguousarray(np.atleast_2d(directions))
    )
    if not flat:
        return finite.nested(product[0], vector)
    return product if directions.ndim == 2 else product[0]


@takes_resources()
def gradient_gram(
    network: Any,
    params: Any,
    x1: Any,
    combination1: Any,
    x2: Any = None,
    combination2: Any = None,
    *,
    seed: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Inner products of gradients, one gradient per input: that of ``sum_k combination[i, k] f(x[i])_k``.

    With the derivative of a loss by the outputs as the combination these are the per-sample gradients of the loss; they
    are never held, nor is anything of the size of inputs times parameters.

    Parameters
    ----------
    network : ApplyFunction or Layer
        The network.
    params : nested tuples
        Its parameters.
    x1, x2 : array_like
        Inputs; None for x2 means x1.
    combination1, combination2 : array_like
        Of the shape of the outputs at x1 and x2.

    Returns
    -------
    ndarray of shape (n1, n2)
    """
    finite, rows1 = network_for(network, x1, "gradient_gram")
    rows2 = second_rows(finite, x2)
    if (rows2 is None) != (combination2 is None):
        raise ValueError("[gradient_gram] x2 and combination2 must be given together. Received one of them.")
    return finite.call(
        "gradient_gram",
        finite.vector(params),
        rows1,
        finite.targets(combination1, len(rows1), "combination1"),
        rows2,
        None if rows2 is None else finite.targets(combination2, len(rows2), "combination2"),
        seed=seed_of(finite.layer, seed, "gradient_gram"),
        resources=Resources(),
    )
