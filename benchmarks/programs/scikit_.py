"""scikit-learn's and scikit-ntk's part in regression."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge
from skntk import NeuralTangentKernel

from . import inputs


def rbf_ridge(n: int, d: int) -> Callable[[], np.ndarray]:
    """KernelRidge with the RBF kernel."""
    X, y, X_test = inputs.regression(n, d)
    return lambda: KernelRidge(alpha=1e-2, kernel="rbf", gamma=1 / d).fit(X, y).predict(X_test)


def ntk_ridge(n: int, d: int) -> Callable[[], np.ndarray]:
    """scikit-ntk's kernel of three hidden layers with the leanest fit there is: KernelRidge on the kernel matrix."""
    X, y, X_test = inputs.regression(n, d)
    kernel = NeuralTangentKernel(depth=3, bias=0.1, bias_bounds="fixed")

    def run() -> np.ndarray:
        model = KernelRidge(alpha=1e-2, kernel="precomputed").fit(kernel(X), y)
        return model.predict(kernel(X_test, X))

    return run


def gaussian_process(n: int, d: int) -> Callable[[], np.ndarray]:
    """GaussianProcessRegressor with a fixed RBF kernel: mean and standard deviation."""
    X, y, X_test = inputs.regression(n, d)

    def run() -> np.ndarray:
        model = GaussianProcessRegressor(RBF((d / 2) ** 0.5, "fixed"), alpha=1e-2, optimizer=None).fit(X, y)
        return np.stack(model.predict(X_test, return_std=True))

    return run


TASKS = {"rbf_ridge": rbf_ridge, "ntk_ridge": ntk_ridge, "gaussian_process": gaussian_process}


def versions() -> dict[str, str]:
    """Versions of both."""
    return {"scikit-learn": version("scikit-learn"), "scikit-ntk": version("scikit-ntk")}
