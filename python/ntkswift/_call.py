"""The one way into the core: threads, memory limit, progress and Ctrl-C of a call.

Every function that computes hands its work to :class:`Resources` or to :func:`call`, and says nothing of threads and bytes
where its caller said nothing: then the context decides (`ntkswift.num_threads`, `ntkswift.memory_limit`), and a bar appears
where somebody watches. The core looks for Ctrl-C in every such call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core
from ._config import call_settings
from ._progress import progress_bar

__all__ = ["Resources", "call", "call_settings", "double", "factor", "multiply", "warn_of_jitter"]


@dataclass(frozen=True)
class Resources:
    """Threads, bytes and a progress function of one call; None: as the context says, and a bar where somebody watches."""

    threads: int | None = None
    memory_limit: int | None = None
    progress: Callable[[float], None] | None = None

    @property
    def settings(self) -> dict[str, int]:
        """Threads and bytes as the core takes them, for calls too short for a progress bar."""
        return call_settings(self.threads, self.memory_limit)

    def run(self, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``_core.<name>(*arguments, **keywords)``; `description` stands beside the progress bar."""
        return self.run_method(_core, name, description, *arguments, **keywords)

    def run_method(self, owner: Any, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``owner.<name>(*arguments, **keywords)`` for an object of the core."""
        function = getattr(owner, name)
        if self.progress is not None:
            return function(*arguments, **keywords, **self.settings, progress=self.progress)
        with progress_bar(description) as progress:
            return function(*arguments, **keywords, **self.settings, progress=progress)


_CONTEXT = Resources()


def call(name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
    """``_core.<name>`` with the settings of this context."""
    return _CONTEXT.run(name, description, *arguments, **keywords)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two float64 matrices, with the same bits for any number of threads."""
    return _core.multiply(a, b, **call_settings())


def factor(kernel: np.ndarray, diag_reg: float, absolute: bool, op: str) -> np.ndarray:
    """Cholesky factor of a two-dimensional kernel with its regulariser; warns where jitter was needed."""
    result, _, jitter, _ = call("cholesky", "Cholesky factorisation", kernel, diag_reg, not absolute)
    warn_of_jitter(jitter, op)
    return result


def warn_of_jitter(jitter: float, op: str, stacklevel: int = 4) -> None:
    """RuntimeWarning where a factorisation needed jitter."""
    if jitter > 0:
        warnings.warn(
            f"[{op}] the kernel is singular to working precision. {jitter:.3g} was added to its diagonal; "
            "set diag_reg to choose the regularisation yourself.",
            RuntimeWarning,
            stacklevel=stacklevel,
        )


def double(array: np.ndarray) -> np.ndarray:
    """`array` as contiguous float64, so that every layout gives the same bits; copied only if it is not."""
    return np.ascontiguousarray(array, np.float64)
