"""Kernels from Jacobians that another framework computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import Progress, Resources, takes_resources


@takes_resources()
def empirical_ntk_from_jacobians(
    jacobians1: Any,
    jacobians2: Any = None,
    *,
    trace: bool = True,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The NTK of any network from the Jacobians of its outputs by its parameters.

    Parameters
    ----------
    jacobians1 : array_like or sequence of array_like
        One array per parameter, of shape (n1, outputs, ...), as torch.func.jacrev gives them; anything that NumPy can
        read or that has ``__dlpack__`` on the CPU (PyTorch, JAX, TensorFlow).
    jacobians2 : array_like or sequence of array_like, optional
        The same at other inputs; None means the first ones.
    trace : bool
        Whether to average over the outputs.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    ndarray of shape (n1, n2), or (n1, n2, outputs, outputs) without the trace

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical
    >>> x = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> empirical.empirical_ntk_from_jacobians(x[:, None, :])  # of the linear function w.x
    array([[5., 2.],
           [2., 1.]])
    """
    first = _arrays(jacobians1, "jacobians1")
    second = first if jacobians2 is None else _arrays(jacobians2, "jacobians2")
    if [a.shape[1:] for a in first] != [a.shape[1:] for a in second]:
        raise ValueError(
            "[empirical_ntk_from_jacobians] both must have the same parameters and outputs. "
            f"Received shapes {[a.shape[1:] for a in first]} and {[a.shape[1:] for a in second]}."
        )
    n1, n2, outputs = len(first[0]), len(second[0]), first[0].shape[1]
    resources = Resources()
    total: np.ndarray | None = None
    for a, b in zip(first, second, strict=True):
        left = a.reshape(n1, -1) if trace else a.reshape(n1 * outputs, -1)
        right = b.reshape(n2, -1) if trace else b.reshape(n2 * outputs, -1)
        product = resources.run("multiply", "empirical NTK", left, right.T)
        total = product if total is None else total + product
    assert total is not None
    if trace:
        return total / outputs
    return total.reshape(n1, outputs, n2, outputs).transpose(0, 2, 1, 3)


def _arrays(value: Any, name: str) -> list[np.ndarray]:
    op = "empirical_ntk_from_jacobians"
    parts: Sequence[Any] = value if isinstance(value, (tuple, list)) else [value]
    arrays = [check_array(part, f"{name}[{i}]", ndim=None, dtype=np.float64, op=op) for i, part in enumerate(parts)]
    if not arrays or any(a.ndim < 2 or a.shape[:2] != arrays[0].shape[:2] for a in arrays):
        raise ValueError(
            f"[{op}] {name} must be arrays of shape (n, outputs, ...), one per parameter. "
            f"Received shapes {[a.shape for a in arrays]}."
        )
    return arrays
