"""ntkswift's part: kernels of fully connected networks and regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import ntkswift
from ntkswift import stax

from . import inputs


def kernel_function(activation: str, depth: int, W_std: float, b_std: float | None) -> Any:
    """kernel_fn of ``depth`` hidden layers; zero layers leave the product and one store of the result: the limit."""
    layers = []
    for _ in range(depth):
        layers += [stax.Dense(512, W_std, b_std), getattr(stax, activation)()]
    return stax.serial(*layers, stax.Dense(1, W_std, b_std))[2]


def kernel(
    data: dict[str, Any],
    activation: str = "Relu",
    depth: int = 3,
    W_std: float = 1.0,
    b_std: float | None = None,
    get: str = "ntk",
) -> Callable[[], Any]:
    """The kernel of all pairs of rows."""
    X = inputs.matrix(**data)
    kernel_fn = kernel_function(activation, depth, W_std, b_std)
    return lambda: kernel_fn(X, None, get)


def regression(n: int, d: int, std: bool = False) -> Callable[[], Any]:
    """Kernel, fit and predict: NTKRegressor for the mean, NNGPRegressor for mean and standard deviation."""
    from ntkswift.estimators import NNGPRegressor, NTKRegressor

    X, y, X_test = inputs.regression(n, d)

    def mean() -> np.ndarray:
        return NTKRegressor(depth=3, ridge=1e-2).fit(X, y).predict(X_test)

    def mean_and_std() -> np.ndarray:
        return np.stack(NNGPRegressor(depth=3, ridge=1e-2).fit(X, y).predict(X_test, return_std=True))

    return mean_and_std if std else mean


def autoencoder(n: int, d: int, m: int, steps: int, rate: float) -> Callable[[], Any]:
    """Joint training, from drawing the weights to the movements at the end: the losses."""
    from ntkswift.regimes import Autoencoder

    X = inputs.matrix(n, d)
    model = Autoencoder(m, steps=steps, learning_rate=rate, record=1, normalize=True, random_state=0)
    return lambda: model.fit(X).history_.loss


def mlp(sizes: list[int], n: int) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """The network of `inputs.mlp` with its weights, inputs and targets."""
    x, y, weights = inputs.mlp(sizes, n)
    layers, params = [], []
    for units, (W, b) in zip(sizes[1:], weights):
        layers += [stax.Dense(units, 1.0, 1.0, parameterization="standard"), stax.Tanh()]
        params += [(W, b[None]), ()]
    return stax.serial(*layers[:-1]), tuple(params[:-1]), x, y


def hessian_top(sizes: list[int], n: int) -> Callable[[], Any]:
    """The largest eigenvalue of the Hessian to 1e-6."""
    from ntkswift import curvature

    network, params, x, y = mlp(sizes, n)
    return lambda: curvature.eigenvalues(curvature.hessian(network, params, x, y), tolerance=1e-6).values


def gradient_covariance(sizes: list[int], n: int, count: int | None) -> Callable[[], Any]:
    """The spectrum of the covariance of the gradients of single inputs: its five largest eigenvalues."""
    from ntkswift import curvature

    network, params, x, y = mlp(sizes, n)
    return lambda: curvature.gradient_covariance(network, params, x, y, batch=None, count=count).eigenvalues[:5]


def quadratic_sgd(d: int, width: int, batch: int, steps: int) -> Callable[[], Any]:
    """Stochastic gradient descent of a two-layer network of squares on fresh samples: `FullyTrained.train` from the draw on."""
    from ntkswift.regimes import FullyTrained, QuadraticTarget

    target = QuadraticTarget(np.diag(inputs.quadratic_network(d, width)[0]))
    network = FullyTrained(width, outputs="shared", steps=steps, batch_size=batch, learning_rate=0.05, random_state=0)
    return lambda: network.train(target, record_every=steps).history_.loss[:, None]


def _finite(n: int, d: int, width: int, outputs: int) -> tuple[stax.Layer, Any, np.ndarray, np.ndarray]:
    x, weights, combination = inputs.network(n, d, width, outputs)
    hidden = [stax.Dense(width), stax.Relu()]
    params = [(weights[0], None), (), (weights[1], None), (), (weights[2], None), (), (weights[3], None)]
    return stax.serial(*hidden * 3, stax.Dense(outputs)), tuple(params), x, combination


def empirical_ntk(n: int, d: int, width: int, outputs: int) -> Callable[[], np.ndarray]:
    """The NTK of a finite network, averaged over its outputs."""
    network, params, x, _ = _finite(n, d, width, outputs)
    ntk_fn = ntkswift.empirical.empirical_ntk_fn(network)
    return lambda: ntk_fn(x, None, params)


def gradient_gram(n: int, d: int, width: int, outputs: int) -> Callable[[], np.ndarray]:
    """Products of the gradients of one combination of outputs per input."""
    network, params, x, combination = _finite(n, d, width, outputs)
    return lambda: ntkswift.empirical.gradient_gram(network, params, x, combination)


TASKS = {
    "empirical_ntk": empirical_ntk,
    "gradient_gram": gradient_gram,
    "kernel": kernel,
    "regression": regression,
    "autoencoder": autoencoder,
    "hessian_top": hessian_top,
    "gradient_covariance": gradient_covariance,
    "quadratic_sgd": quadratic_sgd,
}


def versions() -> dict[str, str]:
    """The version of ntkswift and the CPU level it runs at."""
    from ntkswift import _core

    return {"ntkswift": ntkswift.__version__, "cpu_level": str(_core.cpu_level())}
