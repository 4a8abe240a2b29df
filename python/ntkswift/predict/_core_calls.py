"""Calls into the core with the thread and memory settings of the caller, a progress bar, and warnings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _core
from .._config import _call_arguments
from .._progress import progress_bar


def call(name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
    """`_core.<name>` with the settings of this context; `description` is shown beside the bar where somebody watches."""
    with progress_bar(description) as progress:
        return getattr(_core, name)(*arguments, **keywords, **_call_arguments(), progress=progress)


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
