"""Floors in plain NumPy: the product X X^T, and the Cholesky factorisation alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import inputs


def product(data: dict[str, Any]) -> Callable[[], np.ndarray]:
    """X X^T, one new matrix per call."""
    X = inputs.matrix(**data)
    return lambda: X @ X.T


def cholesky(n: int, d: int) -> Callable[[], np.ndarray]:
    """The Cholesky factor of a kernel matrix of the size of the regression case."""
    X = inputs.regression(n, d)[0]
    K = np.exp(X @ X.T / d) + np.eye(n)
    return lambda: np.linalg.cholesky(K)


TASKS = {"product": product, "cholesky": cholesky}


def versions() -> dict[str, str]:
    """Nothing beyond NumPy."""
    return {}
