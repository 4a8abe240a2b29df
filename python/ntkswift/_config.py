"""How much of the machine ntkswift may use: threads and memory, per context, without global state.

A setting holds for the current thread or asyncio task (a `contextvars` variable). Where nothing is set, the environment
variable `NTKSWIFT_NUM_THREADS` counts, and then every CPU that this process may use.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import SupportsIndex

from . import _core

__all__ = [
    "call_settings",
    "get_memory_limit",
    "get_num_threads",
    "memory_limit",
    "num_threads",
    "set_memory_limit",
    "set_num_threads",
]

_ENVIRONMENT = "NTKSWIFT_NUM_THREADS"
_threads: ContextVar[int | None] = ContextVar("ntkswift_num_threads", default=None)
_memory: ContextVar[int | None] = ContextVar("ntkswift_memory_limit", default=None)

# What the core's integers hold; beyond both, more makes no difference.
_MOST_THREADS, _MOST_BYTES = 2**31 - 1, 2**63 - 1


def _positive(value: SupportsIndex | None, op: str, name: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"[{op}] {name} must be an integer or None. Received {type(value).__name__}.") from None
    if number < 1:
        raise ValueError(f"[{op}] {name} must be 1 or more. Received {number}.")
    return min(number, _MOST_BYTES if "limit" in name else _MOST_THREADS)


def _environment_threads() -> int | None:
    text = os.environ.get(_ENVIRONMENT, "").strip()
    if not text:
        return _shared_threads()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"[ntkswift] {_ENVIRONMENT} must be a whole number, 1 or more. Received {text!r}.")
    return int(text)


def _shared_threads() -> int | None:
    # joblib tells the processes of GridSearchCV(n_jobs=2) by this variable how many threads are left for each of them.
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(int(text), _core.cpu_count()) if text.isdecimal() and int(text) > 0 else None


def set_num_threads(threads: int | None) -> None:
    """Set how many threads a call may use, in this thread or asyncio task.

    Parameters
    ----------
    threads : int or None
        1 or more. None goes back to `NTKSWIFT_NUM_THREADS` or, without it, one thread per CPU of this process.

    Examples
    --------
    >>> import ntkswift
    >>> ntkswift.set_num_threads(2)
    >>> ntkswift.get_num_threads()
    2
    >>> ntkswift.set_num_threads(None)
    """
    _threads.set(_positive(threads, "set_num_threads", "threads"))


def get_num_threads() -> int:
    """Return how many threads a call uses: what was set, or `NTKSWIFT_NUM_THREADS`, or the CPUs of this process.

    Where only `OMP_NUM_THREADS` is set, as joblib does in its worker processes, it bounds the CPUs.
    """
    return _threads.get() or _environment_threads() or _core.cpu_count()


@contextmanager
def num_threads(threads: int | None) -> Iterator[None]:
    """Use this many threads inside a `with` block.

    Examples
    --------
    >>> import ntkswift
    >>> with ntkswift.num_threads(1):
    ...     ntkswift.get_num_threads()
    1
    """
    token = _threads.set(_positive(threads, "num_threads", "threads"))
    try:
        yield
    finally:
        _threads.reset(token)


def set_memory_limit(limit: int | None) -> None:
    """Set how many bytes a call may allocate, in this thread or asyncio task.

    Parameters
    ----------
    limit : int or None
        Bytes, 1 or more. None means half of the memory that is available when the call starts.
    """
    _memory.set(_positive(limit, "set_memory_limit", "limit"))


def get_memory_limit() -> int:
    """Return how many bytes a call may allocate: what was set, or half of the memory that is available now."""
    return _memory.get() or _core.available_memory() // 2


@contextmanager
def memory_limit(limit: int | None) -> Iterator[None]:
    """Let calls inside a `with` block allocate at most this many bytes each.

    Examples
    --------
    >>> import ntkswift
    >>> with ntkswift.memory_limit(2**30):
    ...     ntkswift.get_memory_limit()
    1073741824
    """
    token = _memory.set(_positive(limit, "memory_limit", "limit"))
    try:
        yield
    finally:
        _memory.reset(token)


def call_settings(threads: int | None = None, limit: int | None = None) -> dict[str, int]:
    """Return `threads` and `memory_limit` as the core takes them; explicit values win over the context."""
    return {
        "threads": _positive(threads, "call", "n_jobs") or get_num_threads(),
        "memory_limit": _positive(limit, "call", "memory_limit") or _memory.get() or 0,
    }
