"""Computes with little address space left: prints MemoryError or done for each call; any other end is a fault."""

import resource
import sys

import numpy as np

import ntkswift
from ntkswift import curvature, empirical, predict, stax, train
from ntkswift.estimators import NTKRegressor

spare = int(sys.argv[1]) << 20
ntkswift.set_num_threads(int(sys.argv[2]))
x = np.random.default_rng(0).standard_normal((1200, 16))
y = np.sin(x).sum(axis=1)[:, None]
network = stax.serial(stax.Dense(256), stax.Tanh(), stax.Dense(256), stax.Tanh(), stax.Dense(1))
params = network.init_fn(0, x.shape)[1]

CALLS = {
    "kernel": lambda: network.kernel_fn(x, None, "ntk"),
    "train": lambda: train(network, params, x, y, optimizer="adam", steps=3),
    "fit": lambda: NTKRegressor(network).fit(x, y[:, 0]),
    "empirical": lambda: empirical.empirical_ntk_fn(network)(x, None, params),
    "hessian": lambda: curvature.eigenvalues(curvature.hessian(network, params, x, y), 2),
    "flow": lambda: predict.gradient_descent_mse(np.eye(600), np.ones((600, 1)))(1.0),
}

with open("/proc/self/statm", encoding="ascii") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + spare, resource.RLIM_INFINITY))
for name in sys.argv[3:]:
    try:
        CALLS[name]()
        print(name, "done")
    except MemoryError:
        print(name, "MemoryError")
