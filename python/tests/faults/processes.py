"""Computes a kernel with several threads, then again in other processes started by fork, forkserver, spawn or loky."""

import multiprocessing
import sys

import numpy as np

import ntkswift
from ntkswift import stax

KERNEL_FN = stax.serial(stax.Dense(8, 1.5, 0.1), stax.Relu(), stax.Dense(1)).kernel_fn


def kernel(seed):
    x = np.random.default_rng(seed).standard_normal((700, 10))
    with ntkswift.num_threads(3):
        return KERNEL_FN(x, None, "ntk")


def main(method):
    expected = [kernel(seed) for seed in range(4)]
    if method == "loky":
        from joblib import Parallel, delayed

        results = Parallel(n_jobs=2, backend="loky")(delayed(kernel)(seed) for seed in range(4))
    else:
        with multiprocessing.get_context(method).Pool(2) as pool:
            results = pool.map(kernel, range(4))
    assert all(np.array_equal(a, b) for a, b in zip(expected, results, strict=True))


if __name__ == "__main__":
    main(sys.argv[1])
