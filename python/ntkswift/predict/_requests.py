"""What `get` asks for, and kernels by that name."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np


def names_of(get: str | Sequence[str] | None, allowed: tuple[str, ...], op: str) -> tuple[str, ...]:
    """The names in `get` in lower case; None means the NNGP and the NTK."""
    if get is None:
        return ("nngp", "ntk")
    names = tuple(get) if isinstance(get, (tuple, list)) else (get,)
    lowered = tuple(name.lower() if isinstance(name, str) else "" for name in names)
    if not lowered or len(set(lowered)) != len(lowered) or any(name not in allowed for name in lowered):
        raise ValueError(f"[{op}] get must be None, one of {allowed} or a tuple of them. Received {get!r}.")
    return lowered


def answer(get: str | Sequence[str] | None, results: Mapping[str, Any]) -> Any:
    """The one result that a string asks for, or a namedtuple of several."""
    if isinstance(get, str):
        return results[get.lower()]
    return _gaussians(tuple(results))(*results.values())


@lru_cache(maxsize=32)
def _gaussians(names: tuple[str, ...]) -> Any:
    return namedtuple("Gaussians", names)


def kernel_named(kernels: Any, name: str, argument: str, op: str) -> Any:
    """The kernel `name` of a record or namedtuple; an array is taken for whichever is asked."""
    if kernels is None:
        return None
    if not hasattr(kernels, "nngp") and not hasattr(kernels, "ntk"):
        return kernels
    kernel = getattr(kernels, name, None)
    if kernel is None:
        raise ValueError(f'[{op}] {argument} must hold the kernel "{name}". Received {_contents(kernels)}.')
    return kernel


def has_kernel(kernels: Any, name: str) -> bool:
    """Whether a record or namedtuple holds the kernel `name`."""
    return getattr(kernels, name, None) is not None


def _contents(kernels: Any) -> str:
    if isinstance(kernels, np.ndarray):
        return f"an array of shape {kernels.shape}"
    held = [name for name in ("nngp", "ntk") if has_kernel(kernels, name)]
    return f"{type(kernels).__name__} with {' and '.join(held) or 'neither kernel'}"
