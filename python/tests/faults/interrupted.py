"""Starts a long kernel, interrupts it after a while, and prints how long that took; the estimator must be as it was."""

import os
import signal
import sys
import threading
import time

import numpy as np

from ntkswift import stax
from ntkswift.estimators import NTKRegressor

sent = [0.0]


def interrupt():
    sent[0] = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)


def seconds_to_stop(call):
    timer = threading.Timer(0.5, interrupt)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        return time.monotonic() - sent[0]
    timer.cancel()
    sys.exit("the call ended before the interrupt")


network = stax.serial(stax.repeat(stax.serial(stax.Dense(8, 1.5, 0.1), stax.Erf()), 60), stax.Dense(1))
x = np.random.default_rng(0).standard_normal((5000, 20))
y = x.sum(axis=1)
delays = [seconds_to_stop(lambda: network.kernel_fn(x, None, ("nngp", "ntk")))]

model = NTKRegressor(network).fit(x[:50], y[:50])
before = dict(vars(model))
delays.append(seconds_to_stop(lambda: model.fit(x, y)))
if any(vars(model)[name] is not value for name, value in before.items() if name != "n_features_in_"):
    sys.exit("the interrupted fit changed the estimator")
model.predict(x[:5])
print(max(delays))
