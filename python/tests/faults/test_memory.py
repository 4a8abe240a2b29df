"""Resident memory stays flat over many calls, also over calls that fail."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from ntkswift import curvature, empirical, predict, stax, train

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def _growth(call, count: int) -> int:
    for _ in range(count // 10):  # arenas, caches and lazy imports fill up first
        call()
    before = _resident_bytes()
    for _ in range(count):
        call()
    return _resident_bytes() - before


def test_ten_thousand_calls():
    kernel_fn = stax.serial(stax.Dense(8, b_std=0.1), stax.Relu(), stax.Dense(8), stax.Tanh(), stax.Dense(1)).kernel_fn
    x = np.random.default_rng(0).normal(size=(6, 3))
    y = x[:, :1]

    def call():
        predict.gp_inference(kernel_fn(x, None, ("nngp", "ntk")), y)(get="ntk")

    assert _growth(call, 10_000) < 4 << 20


def test_a_thousand_new_networks():
    x = np.ones((3, 2))

    def call():
        identity = stax.Elementwise(None, lambda cov, var1, var2: cov, lambda cov, var1, var2: np.ones_like(cov))
        stax.serial(stax.Dense(4), identity, stax.Dense(1)).kernel_fn(x, None, "ntk")

    assert _growth(call, 1000) < 4 << 20


def test_a_thousand_failing_calls():
    kernel_fn = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(1)).kernel_fn
    bad = np.array([[1.0, np.nan], [0.0, 1.0]])

    def call():
        with pytest.raises(ValueError, match="finite"):
            kernel_fn(bad)
        with pytest.raises(OverflowError, match="finite"):
            kernel_fn(np.full((2, 2), 1e200))

    assert _growth(call, 1000) < 4 << 20


def test_training_leaves_nothing_to_the_garbage_collector():
    # A wide network's parameters, in a cycle, would stay until the next collection: gigabytes, after a few runs.
    network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    x, y = np.random.default_rng(0).standard_normal((6, 3)), np.ones((6, 1))
    _, params = network.init_fn(0, x.shape)
    tracker = curvature.Tracker(samples=6, batch=2, every=1)
    calls = (
        lambda: train(
            network, params, x, y, steps=3, callback=lambda snapshot: network.apply_fn(snapshot.params, x) is None
        ),
        lambda: train(network, params, x, y, steps=3, callback=tracker),
        lambda: empirical.loss_and_gradient(network, params, x, y),
        lambda: empirical.empirical_ntk_fn(network)(x, None, params),
        lambda: network.init_fn(0, x.shape),
    )
    for call in calls:
        call()
    gc.collect()
    gc.disable()
    try:
        for call in calls:
            call()
        assert gc.collect() == 0
    finally:
        gc.enable()
