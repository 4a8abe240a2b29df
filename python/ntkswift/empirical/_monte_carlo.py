"""Kernels of infinitely wide networks estimated from finite ones."""

from __future__ import annotations

import numbers
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .._call import Progress
from .._networks import layer_of
from .._random import philox_key
from ._kernels import empirical_kernel_fn


def monte_carlo_kernel_fn(
    init_fn: Any,
    apply_fn: Any,
    key: Any,
    n_samples: int | Iterable[int],
    trace_axes: int | Sequence[int] = (-1,),
    diagonal_axes: int | Sequence[int] = (),
    *,
    distribution: str = "gaussian",
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **ignored: Any,
) -> Callable[..., Any]:
    """Means of the empirical kernels over random networks (Novak et al., arXiv:1810.05148).

    Parameters
    ----------
    init_fn, apply_fn
        Of one network of `stax`.
    key
        Seed.
    n_samples : int or iterable of int
        Number of networks; an iterable makes the kernel function a generator of running means at these numbers.
    trace_axes, diagonal_axes
        As in `empirical_ntk_fn`.
    distribution : {"gaussian", "rademacher", "orthogonal"}
        Of the weights; see `init_fn`.
    **ignored
        `batch_size`, `device_count`, `store_on_device`, `vmap_axes`, `implementation` of neural-tangents: accepted, and
        without effect.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    callable
        ``kernel_fn(x1, x2=None, get=None)``: an array for "nngp" or "ntk", a namedtuple for None or a tuple of both.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical, stax
    >>> init_fn, apply_fn, kernel_fn = stax.serial(stax.Dense(256), stax.Erf(), stax.Dense(1))
    >>> x = np.eye(3)
    >>> sampled = empirical.monte_carlo_kernel_fn(init_fn, apply_fn, 0, 64)(x, None, "ntk")
    >>> bool(abs(sampled - kernel_fn(x, None, "ntk")).max() < 0.1)
    True
    """
    op = "monte_carlo_kernel_fn"
    layer = layer_of(apply_fn, op)
    if layer_of(init_fn, op) != layer:
        raise ValueError(f"[{op}] init_fn and apply_fn must be of the same network. Received two networks.")
    known = {"batch_size", "device_count", "store_on_device", "vmap_axes", "implementation"}
    if set(ignored) - known:
        raise TypeError(f"[{op}] unknown argument {sorted(set(ignored) - known)[0]!r}.")
    given = list(n_samples) if isinstance(n_samples, Iterable) else [n_samples]
    counts = [int(n) for n in given if isinstance(n, numbers.Integral) and not isinstance(n, bool) and int(n) >= 1]
    if not counts or len(counts) < len(given):
        raise ValueError(f"[{op}] n_samples must be a positive integer, or several. Received {n_samples!r}.")
    one = empirical_kernel_fn(layer, trace_axes, diagonal_axes, memory_limit=memory_limit)

    def means(x1: Any, x2: Any, get: Any) -> Iterator[Any]:
        # Each call starts the seed's stream afresh: the same networks for every pair of inputs.
        rng = np.random.Generator(np.random.Philox(words))
        names = ("nngp", "ntk") if get is None else (get,) if isinstance(get, str) else tuple(get)
        totals: list[np.ndarray] = []
        for n in range(1, max(counts) + 1):
            _, params = layer.init_fn(rng, np.shape(x1), distribution=distribution)
            seed = int(rng.integers(2**63)) if layer._trains_with_dropout() else None
            kernels = one(x1, x2, names, params, rng=seed)
            totals = [k if n == 1 else total + k for total, k in zip(totals or kernels, kernels, strict=True)]
            if progress is not None:
                progress(n / max(counts))
            if n in counts:
                found = [total / n for total in totals]
                yield found[0] if isinstance(get, str) else namedtuple("Kernels", names)(*found)  # type: ignore[misc]

    words = [int(word) for word in philox_key(key, op=op)]

    def kernel_fn(x1: Any, x2: Any = None, get: Any = None) -> Any:
        results = means(x1, x2, get)
        return next(results) if isinstance(n_samples, numbers.Integral) else results

    return kernel_fn
