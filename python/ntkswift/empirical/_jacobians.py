"""Kernels from Jacobians that another framework computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._checks import flag


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
    jacobians1 : array_like, or sequence, mapping or nested ones of array_like
        One array per parameter, of shape (n1, outputs, ...), in the form of the parameters: a dict by names, as
        torch.func.jacrev gives it, nested tuples and dicts, as JAX does (empty ones and None are layers without
        parameters). Anything that NumPy can read or that has ``__dlpack__`` on the CPU (PyTorch, JAX, TensorFlow).
    jacobians2 : array_like, or sequence, mapping or nested ones of array_like, optional
        The same at other inputs, in the same form; None means the first ones.
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
    >>> empirical.empirical_ntk_from_jacobians({"w": x[:, None, :], "b": np.ones((2, 1, 1))})  # of w.x + b
    array([[6., 3.],
           [3., 2.]])
    """
    trace = flag(trace, "empirical_ntk_from_jacobians", "trace")
    parts1 = _arrays(jacobians1, "jacobians1")
    parts2 = parts1 if jacobians2 is None else _arrays(jacobians2, "jacobians2")
    shapes1, shapes2 = ({path: a.shape[1:] for path, a in parts.items()} for parts in (parts1, parts2))
    if shapes1 != shapes2:
        raise ValueError(
            "[empirical_ntk_from_jacobians] both must have the same parameters and outputs. "
            f"Received shapes {shapes1} and {shapes2}."
        )
    first, second = list(parts1.values()), [parts2[path] for path in parts1]
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


def _arrays(value: Any, name: str) -> dict[str, np.ndarray]:
    """The Jacobians by their paths in what the caller gave, "[layer][weight]"."""
    op = "empirical_ntk_from_jacobians"
    is_many = isinstance(value, (tuple, list, Mapping))
    found = dict(_leaves(value, "", is_many)) if is_many else {"": value}
    arrays = {p: check_array(part, f"{name}{p}", ndim=None, dtype=np.float64, op=op) for p, part in found.items()}
    shapes = [a.shape for a in arrays.values()]
    if not arrays or any(len(shape) < 2 or shape[:2] != shapes[0][:2] for shape in shapes):
        raise ValueError(
            f"[{op}] {name} must be arrays of shape (n, outputs, ...), one per parameter. Received shapes {shapes}."
        )
    return arrays


def _leaves(value: Any, path: str, is_many: bool) -> Iterator[tuple[str, Any]]:
    if not is_many:
        yield path, value
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, part in items:
        if part is not None:
            yield from _leaves(part, f"{path}[{key!r}]", _holds_arrays(part))


def _holds_arrays(value: Any) -> bool:
    """Whether a value is a level of nested parameters, and not an array as lists of numbers."""
    if isinstance(value, Mapping):
        return True
    if not isinstance(value, (tuple, list)):
        return False
    return all(p is None or hasattr(p, "__array__") or hasattr(p, "__dlpack__") or _holds_arrays(p) for p in value)
