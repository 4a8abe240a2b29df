"""Floors in plain NumPy: the product X X^T, the Cholesky factorisation alone, the products of training an autoencoder."""

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


def _autoencoder(n: int, d: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs and the weights that ntkswift's Autoencoder(random_state=0) starts from."""
    X = inputs.matrix(n, d)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(0)))
    W = random.standard_normal((m, d))
    return X / np.linalg.norm(X, axis=1)[:, None], W, 2.0 * random.integers(0, 2, (m, d)) - 1.0


def autoencoder_products(n: int, d: int, m: int, steps: int, rate: float) -> Callable[[], np.ndarray]:
    """The five matrix products of each step of joint training and nothing else, into memory that is there."""
    X, W, A = _autoencoder(n, d, m)
    hidden, step, output = np.empty((m, n)), np.empty((m, d)), np.empty((n, d))

    def run() -> np.ndarray:
        for _ in range(steps):
            np.matmul(W, X.T, out=hidden)
            np.matmul(hidden.T, A, out=output)
            np.matmul(A, X.T, out=hidden)
            np.matmul(hidden, X, out=step)
            np.matmul(hidden, X, out=step)
        return output

    return run


def autoencoder(n: int, d: int, m: int, steps: int, rate: float) -> Callable[[], np.ndarray]:
    """Joint training as one writes it in NumPy: the losses."""
    X, start_W, start_A = _autoencoder(n, d, m)
    scale = (m * d) ** -0.5

    def run() -> np.ndarray:
        W, A, losses = start_W.copy(), start_A.copy(), np.empty(steps + 1)
        for k in range(steps + 1):
            hidden = np.maximum(W @ X.T, 0)
            residual = scale * hidden.T @ A - X
            losses[k] = 0.5 * np.sum(residual**2)
            if k < steps:
                by_W = scale * ((A @ residual.T) * (hidden > 0)) @ X
                A -= rate * scale * hidden @ residual
                W -= rate * by_W
        return losses

    return run


def quadratic_sgd(d: int, width: int, batch: int, steps: int) -> Callable[[], np.ndarray]:
    """The two matrix products of each step of stochastic gradient descent, float32, into memory that is there."""
    weights = inputs.quadratic_network(d, width)[1].astype(np.float32)
    x = np.random.default_rng(1).standard_normal((batch, d)).astype(np.float32)
    z, change = np.empty((width, batch), np.float32), np.empty((width, d), np.float32)

    def run() -> np.ndarray:
        for _ in range(steps):
            np.matmul(weights, x.T, out=z)
            np.matmul(z, x, out=change)
        return change[:1, :1]

    return run


TASKS = {
    "product": product,
    "cholesky": cholesky,
    "autoencoder": autoencoder,
    "autoencoder_products": autoencoder_products,
    "quadratic_sgd": quadratic_sgd,
}


def versions() -> dict[str, str]:
    """Nothing beyond NumPy."""
    return {}
