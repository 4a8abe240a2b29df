"""The largest learning rate with which training converges."""

from __future__ import annotations

from typing import Any

from .._call import Progress, call, double, takes_resources
from .._checks import real
from .._kernel_matrix import check_definite
from ._shapes import as_matrix, check_kernel

_OP = "max_learning_rate"


@takes_resources()
def max_learning_rate(
    ntk_train_train: Any,
    y_train_size: int | None = None,
    momentum: float = 0.0,
    eps: float = 1e-12,
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> float:
    """Largest learning rate at which gradient descent on ``0.5 mean((f - y)^2)`` converges.

    It is ``2 (1 + momentum) y_train_size / (lambda_max + eps)`` with the largest eigenvalue of the NTK (for momentum
    see https://distill.pub/2017/momentum, "The Dynamics of Momentum").

    Parameters
    ----------
    ntk_train_train : array_like of shape (n, n)
        NTK between the training points, or with more pairs of axes.
    y_train_size : int, optional
        Number of training outputs, ``y_train.size``; None means the rows of the kernel.
    momentum : float
        Momentum of the optimiser, in [0, 1].
    eps : float
        Added to the eigenvalue.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    float
        Exact to about 1e-10; a kernel of zeros without `eps` gives infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict
    >>> round(predict.max_learning_rate(np.diag([1.0, 4.0]), eps=0.0), 12)
    1.0
    """
    kernel = double(as_matrix(check_kernel(ntk_train_train, "ntk_train_train", _OP, is_gram=True)))
    size = len(kernel) if y_train_size is None else real(y_train_size, _OP, "y_train_size", above=0)
    momentum = real(momentum, _OP, "momentum", minimum=0, maximum=1)
    eps = real(eps, _OP, "eps", minimum=0)
    check_definite(kernel, "ntk_train_train", _OP)
    largest = call("largest_eigenvalue", "largest eigenvalue", kernel) + eps
    return 2 * (1 + momentum) * size / largest if largest > 0 else float("inf")
