"""Ends while daemon threads compute: nothing may be printed, and the process ends at once with status 0."""

import sys
import threading
import time

import numpy as np

from ntkswift import empirical, predict, stax

x = np.random.default_rng(0).standard_normal((1500, 10))
network = stax.serial(stax.repeat(stax.serial(stax.Dense(64), stax.Tanh()), 5), stax.Dense(1))
params = network.init_fn(0, (-1, 10))[1]
user = stax.serial(stax.Dense(1), stax.ElementwiseNumerical(np.tanh, deg=30), stax.Dense(1))


def loss(f, y):
    return 0.5 * np.mean((f - y) ** 2)


CALLS = [
    lambda: network.kernel_fn(x, None, ("nngp", "ntk")),
    lambda: network.kernel_fn(x[:20], None, "ntk"),
    lambda: empirical.loss_and_gradient(network, params, x, np.ones((1500, 1))),
    lambda: user.kernel_fn(x[:200], None, "nngp"),
    lambda: predict.gradient_descent(loss, np.eye(50), np.ones((50, 1)))(1e9),
]


def forever(call):
    while True:
        call()


for call in CALLS:
    threading.Thread(target=forever, args=(call,), daemon=True).start()
time.sleep(float(sys.argv[1]))
