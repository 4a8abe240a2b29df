"""The hierarchy cut at an order: outputs and kernels as an ordinary differential equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources


@dataclass(frozen=True)
class HierarchyPath:
    """What a truncated hierarchy predicts.

    Attributes
    ----------
    times : ndarray of shape (T,)
        Times of gradient flow; of gradient descent, steps times the learning rate.
    outputs : ndarray of shape (T, N)
        Outputs at the training inputs and, after these, at the test inputs.
    ntk : ndarray of shape (T, N, n) or None
        K2 on its way, where asked for.
    """

    times: np.ndarray
    outputs: np.ndarray
    ntk: np.ndarray | None = None


@takes_resources()
def truncated_hierarchy(
    outputs: Any,
    y: Any,
    kernels: Sequence[Any],
    times: Any,
    *,
    ntk: bool = False,
    tolerance: float = 1e-9,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> HierarchyPath:
    """Gradient flow on ``1/(2n) sum (f - y)^2`` from the kernels K2, .., Kp alone, the last one kept constant.

    ``df(x)/dt = -1/n sum_b K2(x, b) r_b`` and ``dK_r(x, ..)/dt = -1/n sum_b K_{r+1}(x, .., b) r_b`` with ``r = f - y``
    (Huang and Yau, arXiv:1909.08156, equations 2.7 to 2.11). p = 2 is the frozen NTK. For even p the error is bounded by
    a power -p/2 of the width over a limited time (Theorem 2.6); no such bound is known for odd p, which may
    overshoot.

    Parameters
    ----------
    outputs : array_like of shape (N,)
        Outputs at the start: the n training inputs come first, then test inputs, which follow passively.
    y : array_like of shape (n,)
        Targets.
    kernels : sequence of array_like
        K2 of shape (N, n), K3 of shape (N, n, n), and so on, of any hierarchy.
    times : array_like of shape (T,)
        Ascending, from 0 on.
    ntk : bool
        Return K2 at all times too.
    tolerance : float
        Local error of a step of Dormand and Prince's method, relative to the largest entry of each part.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    HierarchyPath

    Raises
    ------
    ValueError
        For shapes that do not fit together.
    ConvergenceError
        Where the truncated equations leave every bound before the last time.

    Examples
    --------
    The network f = theta^2 with one input and y = 0 has K_r = 4^(r-1) f, and f(t) = 1 / (1 + 4 t) from f = 1:

    >>> from ntkswift.hierarchy import truncated_hierarchy
    >>> kernels = [[[4.0]], [[[16.0]]], [[[[64.0]]]]]
    >>> truncated_hierarchy([1.0], [0.0], kernels, [0.1]).outputs.round(5).item(), round(1 / 1.4, 5)
    (0.71382, 0.71429)
    """
    op = "truncated_hierarchy"
    start = np.ascontiguousarray(check_array(outputs, "outputs", ndim=1, dtype=np.float64, op=op))
    targets = check_array(y, "y", ndim=(1, 2), dtype=np.float64, op=op)
    if targets.ndim == 2 and targets.shape[1] != 1:
        raise ValueError(f"[{op}] y must have shape (n,) or (n, 1). Received {targets.shape}.")
    targets = np.ascontiguousarray(targets.reshape(-1))
    if len(targets) > len(start):
        raise ValueError(
            f"[{op}] y must hold at most {len(start)} targets, one per training input. Received {len(targets)}."
        )
    moments = ascending_times(times, op)
    tensors = _kernels(kernels, len(start), len(targets), op)
    path, moving = Resources().run(
        "hierarchy_truncated",
        op,
        start,
        targets,
        tensors,
        moments,
        _checks.tolerance(tolerance, op, "tolerance"),
        bool(ntk),
    )
    return HierarchyPath(moments, path, moving.reshape(-1, len(start), len(targets)) if ntk else None)


def _kernels(kernels: Sequence[Any], inputs: int, train: int, op: str) -> list[np.ndarray]:
    if isinstance(kernels, np.ndarray) or len(kernels) < 1:
        raise ValueError(f"[{op}] kernels must be a sequence of arrays, K2 first. Received {type(kernels).__name__}.")
    tensors = []
    for k, kernel in enumerate(kernels):
        array = check_array(kernel, f"kernels[{k}]", ndim=k + 2, dtype=np.float64, op=op)
        if array.shape != (inputs, *(train,) * (k + 1)):
            raise ValueError(
                f"[{op}] kernels[{k}] must have shape {(inputs, *(train,) * (k + 1))}. Received {array.shape}."
            )
        tensors.append(np.ascontiguousarray(array).reshape(-1, train))
    return tensors


def ascending_times(times: Any, op: str) -> np.ndarray:
    moments = np.ascontiguousarray(check_array(times, "times", ndim=1, dtype=np.float64, op=op))
    if moments[0] < 0 or np.any(np.diff(moments) < 0):
        raise ValueError(f"[{op}] times must ascend from 0 or later. Received {times!r}.")
    return moments
