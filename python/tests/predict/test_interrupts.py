"""Ctrl-C during long predictions: KeyboardInterrupt soon, and everything usable afterwards."""

import time

import numpy as np
import pytest

from ntkswift import predict


def kernel(n):
    x = np.random.default_rng(0).normal(size=(n, 40))
    return x @ x.T / 40 + np.eye(n)


def long_descent():
    k = kernel(200)
    return lambda: predict.gradient_descent("mse", k, np.ones((200, 1)))([1e9, 1e12])


def long_eigendecomposition():
    predict_fn = predict.gradient_descent_mse(kernel(2500), np.ones((2500, 1)))
    return lambda: predict_fn(1.0)


def slow_loss():
    def loss(f, y):
        end = time.process_time() + 0.001
        while time.process_time() < end:
            pass
        return 0.5 * np.mean((f - y) ** 2)

    return lambda: predict.gradient_descent(loss, kernel(100), np.ones((100, 1)))(1e6)


@pytest.mark.parametrize("prepare", [long_descent, long_eigendecomposition, slow_loss])
def test_interrupt(prepare, cpu_delay):
    assert any(cpu_delay(prepare()) < 0.2 for _ in range(3))
    assert predict.gradient_descent_mse(np.eye(2), np.ones((2, 1)))(1.0).shape == (2, 1)
