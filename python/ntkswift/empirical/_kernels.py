"""NNGP and NTK of finite networks."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .._call import Progress, Resources, allowing, call
from .._networks import layer_of, network_for, second_rows, seed_of
from ..stax import FiniteNetwork
from ._axes import OutputAxes, output_axes

_NAMES = ("nngp", "ntk")


def empirical_ntk_fn(
    f: Any,
    trace_axes: int | Sequence[int] = (-1,),
    diagonal_axes: int | Sequence[int] = (),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **ignored: Any,
) -> Callable[..., np.ndarray]:
    """The NTK of a finite network: products of the gradients of its outputs by the parameters.

    Layer inputs and backpropagated signals are contracted layer by layer (Novak et al., arXiv:2206.08720, call such
    methods structured derivatives): no Jacobian is held.

    Parameters
    ----------
    f : ApplyFunction or Layer
        The network.
    trace_axes : int or sequence of int
        Axes of the output (n, ..., channels) that are averaged over. () keeps all pairs of outputs.
    diagonal_axes : int or sequence of int
        Axes that are the same in both outputs. With 0, the batch axis, only pairs (x1[i], x2[i]) are kept.
    memory_limit : int, optional
        Bytes that a call may allocate.
    progress : callable, optional
        Called with the fraction done, at most every 50 ms.
    **ignored
        `vmap_axes` and `implementation` of neural-tangents: accepted, and without effect.

    Returns
    -------
    callable
        ``ntk_fn(x1, x2, params, rng=None) -> ndarray`` of shape (n1, n2), or with two axes for each output axis that is
        kept and one for each diagonal axis after these; x2 may be None for x1.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical, stax
    >>> network = stax.serial(stax.Dense(64), stax.Tanh(), stax.Dense(3))
    >>> x = np.eye(4)
    >>> _, params = network.init_fn(0, x.shape)
    >>> empirical.empirical_ntk_fn(network, trace_axes=())(x, x[:2], params).shape
    (4, 2, 3, 3)
    """
    resources = Resources(memory_limit=memory_limit, progress=progress)
    pairs = _pairs_of("empirical_ntk_fn", f, trace_axes, diagonal_axes, ignored)

    def ntk_fn(x1: Any, x2: Any, params: Any, *, rng: Any = None) -> np.ndarray:
        with allowing(resources):
            return _ntk(pairs(x1, x2, params, rng))

    return ntk_fn


def empirical_nngp_fn(
    f: Any,
    trace_axes: int | Sequence[int] = (-1,),
    diagonal_axes: int | Sequence[int] = (),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **ignored: Any,
) -> Callable[..., np.ndarray]:
    """Products of the outputs of a finite network, as `empirical_ntk_fn` has them for the gradients.

    Returns
    -------
    callable
        ``nngp_fn(x1, x2, params, rng=None) -> ndarray``.
    """
    resources = Resources(memory_limit=memory_limit, progress=progress)
    pairs = _pairs_of("empirical_nngp_fn", f, trace_axes, diagonal_axes, ignored)

    def nngp_fn(x1: Any, x2: Any, params: Any, *, rng: Any = None) -> np.ndarray:
        with allowing(resources, phases=2):
            return _nngp(pairs(x1, x2, params, rng))

    return nngp_fn


def empirical_kernel_fn(
    f: Any,
    trace_axes: int | Sequence[int] = (-1,),
    diagonal_axes: int | Sequence[int] = (),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **ignored: Any,
) -> Callable[..., Any]:
    """NNGP and NTK of a finite network.

    Parameters are those of `empirical_ntk_fn`.

    Returns
    -------
    callable
        ``kernel_fn(x1, x2, get, params, rng=None)`` with `get` "nngp", "ntk" or a tuple of both (None: both): an array
        or a namedtuple of arrays.
    """
    resources = Resources(memory_limit=memory_limit, progress=progress)
    pairs = _pairs_of("empirical_kernel_fn", f, trace_axes, diagonal_axes, ignored)

    def kernel_fn(x1: Any, x2: Any, get: Any, params: Any, *, rng: Any = None) -> Any:
        names = _NAMES if get is None else (get,) if isinstance(get, str) else tuple(get)
        if not names or any(name not in _NAMES for name in names):
            raise ValueError(f'[empirical_kernel_fn] get must be "nngp", "ntk" or a tuple of both. Received {get!r}.')
        both = pairs(x1, x2, params, rng)
        compute = {"nngp": _nngp, "ntk": _ntk}
        with allowing(resources, phases=len(names)):
            results = [compute[name](both) for name in names]
        return results[0] if isinstance(get, str) else _tuple_type(names)(*results)

    return kernel_fn


def empirical_ntk_vp_fn(
    f: Any,
    x1: Any,
    x2: Any,
    params: Any,
    *,
    rng: Any = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **ignored: Any,
) -> Callable[[Any], np.ndarray]:
    """Products of the NTK with vectors, J(x1) J(x2)^T v, without the kernel.

    Returns
    -------
    callable
        ``ntk_vp_fn(v) -> ndarray`` with v of the shape of the outputs at x2, and results of that of the outputs at x1.
        The kernel is that of all pairs of outputs, ``trace_axes=()``.
    """
    _check_ignored(ignored, "empirical_ntk_vp_fn")
    network, rows1 = network_for(f, x1, "empirical_ntk_vp_fn")
    rows = second_rows(network, x2)
    rows2 = rows1 if rows is None else rows
    vector, seed = network.vector(params), seed_of(network.layer, rng, "empirical_ntk_vp_fn", "rng, a seed,")
    resources = Resources(memory_limit=memory_limit, progress=progress)

    def ntk_vp_fn(v: Any) -> np.ndarray:
        cotangents = network.targets(v, len(rows2), "v")
        with allowing(resources, phases=2):
            gradient = network.call("pull_back", vector, rows2, cotangents, seed=seed)
            product = network.call("derivatives", vector, rows1, gradient[None], [1], seed=seed)
        return network.outputs(product[0])

    return ntk_vp_fn


@dataclass(frozen=True)
class _Pairs:
    """What one call of a kernel function works on, checked. `rows2` is None where it is `rows1`."""

    network: FiniteNetwork
    axes: OutputAxes
    vector: np.ndarray
    rows1: np.ndarray
    rows2: np.ndarray | None
    seed: tuple[int, int]


def _pairs_of(
    op: str, f: Any, trace_axes: Any, diagonal_axes: Any, ignored: dict[str, Any]
) -> Callable[[Any, Any, Any, Any], _Pairs]:
    """The checks of a kernel function: those of its network now, those of inputs and parameters in each call."""
    layer = layer_of(f, op)
    _check_ignored(ignored, op)

    def pairs(x1: Any, x2: Any, params: Any, rng: Any) -> _Pairs:
        network, rows1 = network_for(layer, x1, op)
        axes = output_axes(network.output_shape, trace_axes, diagonal_axes, op)
        rows2 = second_rows(network, x2)
        return _Pairs(network, axes, network.vector(params), rows1, rows2, seed_of(layer, rng, op, "rng, a seed,"))

    return pairs


def _ntk(pairs: _Pairs) -> np.ndarray:
    rows1, rows2, axes = pairs.rows1, pairs.rows2, pairs.axes
    flat = pairs.network.call("ntk", pairs.vector, rows1, rows2, *axes.order(), seed=pairs.seed)
    return axes.arrange(flat, len(rows1), len(rows1 if rows2 is None else rows2))


def _nngp(pairs: _Pairs) -> np.ndarray:
    first = _outputs(pairs, pairs.rows1)
    second = first if pairs.rows2 is None else _outputs(pairs, pairs.rows2)
    numbers, kept, diagonal, traced = pairs.axes.order()
    # One product for each diagonal output: rows are (input, kept), columns what is averaged over.
    blocks = []
    for d in range(diagonal):
        columns = [numbers[(k * diagonal + d) * traced + t] for k in range(kept) for t in range(traced)]
        left = first[:, columns].reshape(-1, traced)
        right = second[:, columns].reshape(-1, traced)
        product = call("multiply", "empirical_nngp_fn", left, np.ascontiguousarray(right.T))
        blocks.append((product / traced).reshape(len(first), kept, len(second), kept).transpose(0, 2, 1, 3))
    return pairs.axes.arrange(np.stack(blocks, -1), len(first), len(second))


def _outputs(pairs: _Pairs, rows: np.ndarray) -> np.ndarray:
    return pairs.network.call("derivatives", pairs.vector, rows, None, [0], seed=pairs.seed)[0]


def _check_ignored(ignored: dict[str, Any], op: str) -> None:
    unknown = set(ignored) - {"vmap_axes", "implementation", "_j_rules", "_s_rules", "_fwd"}
    if unknown:
        raise TypeError(f"[{op}] unknown argument {sorted(unknown)[0]!r}.")


@lru_cache(maxsize=8)
def _tuple_type(names: tuple[str, ...]) -> Any:
    return namedtuple("EmpiricalKernels", names)
