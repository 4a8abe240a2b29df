"""A small problem, and the gradient of its network written out in NumPy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ntkswift import stax


def reference_loss(theta, x, y, loss="mse"):
    """Loss and gradient of ``Dense(6, b_std=0.3), Tanh, Dense(k, b_std=0.1)`` in the "ntk" parameterization."""
    d, k = x.shape[1], y.shape[1]
    sizes = np.cumsum([d * 6, 6, 6 * k, k])
    w1, b1, w2, b2 = np.split(theta, sizes[:-1])
    w1, w2 = w1.reshape(d, 6), w2.reshape(6, k)
    h = np.tanh(x @ w1 / d**0.5 + 0.3 * b1)
    f = h @ w2 / 6**0.5 + 0.1 * b2
    if loss == "mse":
        value, c = 0.5 * np.mean((f - y) ** 2), (f - y) / f.size
    else:
        softmax = np.exp(f - f.max(1, keepdims=True))
        softmax /= softmax.sum(1, keepdims=True)
        value, c = -np.mean(np.sum(y * np.log(softmax), 1)), (softmax - y) / len(f)
    back = c @ w2.T / 6**0.5 * (1 - h**2)
    parts = (x.T @ back / d**0.5, 0.3 * back.sum(0), h.T @ c / 6**0.5, 0.1 * c.sum(0))
    return value, np.concatenate([part.ravel() for part in parts])


def flat(params):
    """Nested parameters as one vector."""
    if params is None:
        return np.zeros(0)
    if isinstance(params, (tuple, list)):
        return np.concatenate([flat(part) for part in params]) if params else np.zeros(0)
    return np.asarray(params).ravel()


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    network = stax.serial(stax.Dense(6, b_std=0.3), stax.Tanh(), stax.Dense(3, b_std=0.1))
    x, y = rng.standard_normal((20, 4)), rng.standard_normal((20, 3))
    return SimpleNamespace(
        network=network, x=x, y=y, labels=rng.integers(0, 3, 20), params=network.init_fn(1, x.shape)[1],
        loss=reference_loss, flat=flat,
    )  # fmt: skip
