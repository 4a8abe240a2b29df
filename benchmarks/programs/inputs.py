"""Inputs, the same in every process: made from a seed, or read from a .npy file."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def matrix(n: int = 0, d: int = 0, dtype: str = "float64", seed: int = 0, file: str | None = None) -> np.ndarray:
    """Standard normal rows, or the array in ``file``."""
    if file is not None:
        return np.load(file, allow_pickle=False).astype(dtype)
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def regression(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training inputs, targets of a smooth function with a little noise, and as many test inputs."""
    rng = np.random.default_rng(seed)
    X, X_test = rng.standard_normal((n, d)), rng.standard_normal((n, d))
    direction = rng.standard_normal((d, 3)) / np.sqrt(d)
    y = np.sin(X @ direction).sum(axis=1) + 0.1 * rng.standard_normal(n)
    return X, y, X_test


def mlp(sizes: list[int], n: int) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Inputs, targets of a smooth teacher, and weights of a tanh MLP drawn as PyTorch draws them."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((n, sizes[0]))
    y = np.tanh(x @ rng.standard_normal((sizes[0], sizes[-1])) / np.sqrt(sizes[0]) * 2)
    weights = []
    for a, b in pairwise(sizes):
        bound = 1 / np.sqrt(a)
        weights.append((rng.uniform(-bound, bound, (a, b)), rng.uniform(-bound, bound, b)))
    return x, y, weights


def quadratic_network(d: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal of a quadratic target (Exp(1) over sqrt d), and random weights of a two-layer network (width, d)."""
    rng = np.random.default_rng(seed)
    return rng.exponential(size=d) / np.sqrt(d), rng.standard_normal((width, d)) / np.sqrt(d)


def rate(d: int, width: int, batch: int) -> float:
    """A stable learning rate of the weights of such a network, shared output weight."""
    return 0.05 * width * batch / d**2


def network(n: int, d: int, width: int, outputs: int) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Inputs, standard normal weights of three hidden layers and the last one, and one number per output."""
    rng = np.random.default_rng(0)
    sizes = [d, width, width, width, outputs]
    weights = [rng.standard_normal(shape) for shape in pairwise(sizes)]
    return rng.standard_normal((n, d)), weights, rng.standard_normal((n, outputs))
