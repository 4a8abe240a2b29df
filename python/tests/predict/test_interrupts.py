"""Ctrl-C during long predictions: KeyboardInterrupt soon, and everything usable afterwards."""

import os
import signal
import threading
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
        time.sleep(0.001)
        return 0.5 * np.mean((f - y) ** 2)

    return lambda: predict.gradient_descent(loss, kernel(100), np.ones((100, 1)))(1e6)


@pytest.mark.parametrize("prepare", [long_descent, long_eigendecomposition, slow_loss])
def test_interrupt(prepare):
    work = prepare()
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, interrupt)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        # 200 ms are promised on a quiet machine.
        assert time.monotonic() - sent[0] < 1.0
    finally:
        timer.cancel()
    assert predict.gradient_descent_mse(np.eye(2), np.ones((2, 1)))(1.0).shape == (2, 1)
