"""Log marginal likelihood of a network as a Gaussian process, with gradients by its standard deviations and the noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _core
from .._arrays import check_array, check_lengths
from .._call import Progress, call, double, takes_resources
from .._checks import real
from .._kernel_matrix import check_gram, factor
from .._networks import kernel_function
from ._requests import names_of

_OP = "log_marginal_likelihood"


class LikelihoodGradient(NamedTuple):
    """Derivatives of the log marginal likelihood.

    Attributes
    ----------
    W_std, b_std : float or ndarray of shape (number of Dense layers,)
        By a standard deviation that all Dense layers share, or by that of each layer in the order of computation.
        Layers without a bias have no derivative by `b_std`: they count as 0.
    noise : float
        By the noise variance.
    """

    W_std: Any
    b_std: Any
    noise: float


@takes_resources(phases=4)
def log_marginal_likelihood(
    kernel_fn: Any,
    x_train: Any,
    y_train: Any,
    noise: float = 0.0,
    get: str = "nngp",
    *,
    eval_gradient: bool = False,
    per_layer: bool = False,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Any:
    """Log marginal likelihood of training targets under a Gaussian process with the kernel of an infinitely wide network.

    ``-0.5 y^T (K + noise I)^-1 y - 0.5 log det(K + noise I) - 0.5 n log(2 pi)``, summed over the outputs (Rasmussen &
    Williams, Gaussian Processes for Machine Learning, 2006, equations 2.30 and 5.9). Maximise it to choose `W_std`,
    `b_std` and `noise`.

    Parameters
    ----------
    kernel_fn : stax network or its kernel_fn
        Without `eval_gradient`, any function ``kernel_fn(x, None, get)``.
    x_train : array_like of shape (n, d)
        Inputs.
    y_train : array_like of shape (n,) or (n, outputs)
        Targets; their mean should be 0.
    noise : float
        Variance of the observation noise, at least 0, in the units of the kernel.
    get : {"nngp", "ntk"}
        Which kernel.
    eval_gradient : bool
        Also return the derivatives, analytic and exact to rounding.
    per_layer : bool
        Derivatives by the standard deviations of each Dense layer, not by shared ones.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    value : float
    gradient : LikelihoodGradient
        Only with `eval_gradient`: fields `W_std`, `b_std`, `noise`.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity, or a gradient of a kernel function that is not a stax network's.
    NotPositiveDefiniteError
        Where ``K + noise I`` is not positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict, stax
    >>> network = stax.serial(stax.Dense(512, W_std=1.5, b_std=0.1), stax.Erf(), stax.Dense(1, W_std=1.5, b_std=0.1))
    >>> x = np.linspace(-1, 1, 10)[:, None]
    >>> value, gradient = predict.log_marginal_likelihood(network, x, np.sin(3 * x), 0.01, eval_gradient=True)
    >>> gradient._fields
    ('W_std', 'b_std', 'noise')
    """
    kernel_fn = kernel_function(kernel_fn, _OP)
    (name,) = names_of(get, ("nngp", "ntk"), _OP) if isinstance(get, str) else _one_kernel(get)
    noise = real(noise, _OP, "noise", minimum=0)
    x = check_array(x_train, "x_train", ndim=None, op=_OP)
    y = check_array(y_train, "y_train", ndim=(1, 2), dtype=np.float64, op=_OP)
    check_lengths(x, y, ("x_train", "y_train"), op=_OP)
    kernel = np.asarray(kernel_fn(x, None, name))
    if kernel.shape != (len(y), len(y)):
        raise ValueError(f"[{_OP}] the kernel of x_train must have shape {(len(y), len(y))}. Received {kernel.shape}.")
    # The kernel that a stax network returns belongs to this call, so its memory becomes the factor's.
    own = hasattr(kernel_fn, "layer") and kernel.dtype == np.float64
    if not own:
        kernel = check_gram(check_array(kernel, "the kernel of x_train", op=_OP), "the kernel of x_train", _OP)
    triangle = factor(kernel, noise, True, _OP, option="noise", overwrite=own)
    targets = np.ascontiguousarray(y.reshape(len(y), -1))
    solution = call("solve", "solve", triangle, targets)
    value, sensitivity = call(
        "log_marginal_likelihood", "marginal likelihood", triangle, targets, solution, eval_gradient
    )
    if not eval_gradient:
        return value
    return value, _gradient(kernel_fn, double(x), name, sensitivity, per_layer)


def _one_kernel(get: Any) -> tuple[str]:
    raise ValueError(f'[{_OP}] get must be "nngp" or "ntk". Received {get!r}.')


def _gradient(kernel_fn: Any, x: np.ndarray, name: str, sensitivity: np.ndarray, per_layer: bool) -> LikelihoodGradient:
    network = getattr(kernel_fn, "layer", None)
    if network is None:
        raise ValueError(
            f"[{_OP}] eval_gradient needs the network or the kernel_fn of a stax network. Received another function."
        )
    compiled, x = network._compiled, x.reshape(len(x), -1)
    count = int(compiled.dense_count)

    def slope(dense_W: np.ndarray, dense_b: np.ndarray) -> float:
        tangent = call(
            "kernel_tangent", "kernel derivative", compiled, x, None, dense_W, dense_b, name == "nngp", name == "ntk"
        )
        return float(_core.inner_product(sensitivity, tangent[name]))

    none, each = np.zeros(count), np.eye(count)
    by_noise = float(np.trace(sensitivity))
    if per_layer:
        by_W = np.array([slope(row, none) for row in each])
        by_b = np.array([slope(none, row) for row in each])
        return LikelihoodGradient(by_W, by_b, by_noise)
    every = np.ones(count)
    return LikelihoodGradient(slope(every, none), slope(none, every), by_noise)
