"""The one way into the core: threads, memory limit, progress and Ctrl-C of a call.

Every function that computes hands its work to :class:`Resources` or to :func:`call`, and says nothing of threads and bytes
where its caller said nothing: then the context decides (`ntkswift.num_threads`, `ntkswift.memory_limit`), and a bar appears
where somebody watches. The core looks for Ctrl-C in every such call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from . import _core
from ._config import call_settings
from ._progress import progress_bar

__all__ = [
    "Progress",
    "Resources",
    "allowed",
    "allowing",
    "call",
    "double",
    "keeps_resources",
    "multiply",
    "takes_resources",
]

P = ParamSpec("P")
R = TypeVar("R")
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Resources:
    """Threads, bytes and a progress function of one call; None: as the context says, and a bar where somebody watches."""

    threads: int | None = None
    memory_limit: int | None = None
    progress: Progress | None = None

    @property
    def settings(self) -> dict[str, int]:
        """Threads and bytes as the core takes them, for calls too short for a progress bar."""
        own = self.over(_allowed.get())
        return call_settings(own.threads, own.memory_limit)

    def over(self, outer: Resources) -> Resources:
        """These, and those of `outer` where nothing is said here."""
        return Resources(
            outer.threads if self.threads is None else self.threads,
            outer.memory_limit if self.memory_limit is None else self.memory_limit,
            self.progress or outer.progress,
        )

    def run(self, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``_core.<name>(*arguments, **keywords)``; `description` stands beside the progress bar."""
        return self.run_method(_core, name, description, *arguments, **keywords)

    def run_method(self, owner: Any, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``owner.<name>(*arguments, **keywords)`` for an object of the core."""
        function = getattr(owner, name)
        progress = self.over(_allowed.get()).progress
        if progress is not None:
            if isinstance(progress, _Phases):
                progress.begin()
            return function(*arguments, **keywords, **self.settings, progress=progress)
        with progress_bar(description) as bar:
            return function(*arguments, **keywords, **self.settings, progress=bar)


_NOTHING = Resources()
_allowed: ContextVar[Resources] = ContextVar("ntkswift_resources", default=_NOTHING)


def allowed() -> Resources:
    """What the function that runs now was given by its caller, for results that compute later."""
    given = _allowed.get()
    return replace(given, progress=given.progress.report) if isinstance(given.progress, _Phases) else given


@contextmanager
def allowing(resources: Resources, phases: int = 1) -> Iterator[None]:
    """Inside, calls of the core that say nothing of bytes and progress have these; `phases` long ones share the fraction."""
    shown = None if resources.progress is None else _Phases(resources.progress, phases)
    token = _allowed.set(replace(resources, progress=shown).over(_allowed.get()))
    try:
        yield
    finally:
        _allowed.reset(token)
    if shown is not None:
        shown.end()


def takes_resources(phases: int = 1) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for functions with the arguments `memory_limit` and `progress`, which their calls of the core then have.

    The functions themselves do not look at the two. `phases`: how many calls of the core take long.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*arguments: P.args, **keywords: P.kwargs) -> R:
            limit: Any = keywords.pop("memory_limit", None)
            progress: Any = keywords.pop("progress", None)
            if limit is None and progress is None:
                return function(*arguments, **keywords)
            if progress is not None and not callable(progress):
                raise TypeError(
                    f"[{function.__name__}] progress must be a function of the fraction done. Received {progress!r}."
                )
            with allowing(Resources(memory_limit=limit, progress=progress), phases):
                return function(*arguments, **keywords)

        return run

    return decorate


def keeps_resources(method: Callable[P, R]) -> Callable[P, R]:
    """A decorator for methods of results that compute later: with what `allowed` gave to their attribute `_resources`."""

    @functools.wraps(method)
    def run(*arguments: P.args, **keywords: P.kwargs) -> R:
        with allowing(arguments[0]._resources):  # type: ignore[attr-defined]
            return method(*arguments, **keywords)

    return run


class _Phases:
    """The fractions of several calls as one that grows from 0 to 1."""

    def __init__(self, report: Progress, count: int) -> None:
        self.report, self._count, self._begun, self._last = report, count, 0, 0.0

    def begin(self) -> None:
        """Another call begins."""
        self._begun += 1

    def __call__(self, fraction: float) -> None:
        at = min(1.0, (max(self._begun, 1) - 1 + fraction) / self._count)
        self._last = max(self._last, at)
        self.report(self._last)

    def end(self) -> None:
        """All calls are over."""
        if self._last < 1:
            self(float(self._count))


def call(name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
    """``_core.<name>`` with the settings of this context."""
    return _NOTHING.run(name, description, *arguments, **keywords)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two float64 matrices, with the same bits for any number of threads."""
    return _core.multiply(a, b, **_NOTHING.settings)


def double(array: np.ndarray) -> np.ndarray:
    """`array` as contiguous float64, so that every layout gives the same bits; copied only if it is not."""
    return np.ascontiguousarray(array, np.float64)
