"""The kernel of a network in training: formulas, the identity at stationarity, residuals, balance."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import stax, train
from ntkswift.hierarchy import AdaptiveKernel, balance
from ntkswift.training import SGD


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 3))
    return x, np.sin(2 * x[:, 0]) + x[:, 1], rng.standard_normal((10, 3))


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
@pytest.mark.parametrize("bias", [None, 0.5])
def test_kernels_are_those_of_the_formulas(data, parameterization, bias):
    x, _, query = data
    options = {"parameterization": parameterization, "b_std": bias}
    network = stax.serial(stax.Dense(20, **options), stax.Relu(), stax.Dense(1, W_std=1.4, **options))
    _, params = network.init_fn(0, x.shape)
    kernel = AdaptiveKernel(network, params)
    (u, b), _, (w, _) = params
    first, last = (1.0, 1.0) if parameterization == "standard" else (3**-0.5, 1.4 * 20**-0.5)
    shift = 0 if b is None else (b if parameterization == "standard" else bias * b)
    hidden = lambda z: first * z @ u + shift  # noqa: E731
    constant = 0 if b is None else (1 if parameterization == "standard" else bias**2)
    expected = last**2 * np.maximum(hidden(query), 0) @ np.maximum(hidden(x), 0).T + constant
    np.testing.assert_allclose(kernel(query, x), expected, rtol=1e-12)
    inner = last**2 * ((hidden(query) > 0) * w[:, 0] ** 2) @ (hidden(x) > 0).T * (first**2 * query @ x.T + constant)
    np.testing.assert_allclose(kernel(query, x, "full"), expected + inner, rtol=1e-11)


def test_network_is_kernel_regression_where_the_last_layer_is_stationary(data):
    x, y, query = data
    ridge = 0.01
    network = stax.serial(stax.Dense(15), stax.Relu(), stax.serial(stax.Dense(15), stax.Tanh(), stax.Dense(1)))
    _, params = network.init_fn(0, x.shape)
    features = train(network, params, x, y, optimizer=SGD(0.5, momentum=0.9), steps=300).params
    before = AdaptiveKernel(network, features).regression(x, y, ridge)(query)
    assert np.abs(before - network.apply_fn(features, query)).max() > 1e-3
    trained = train(
        network,
        features,
        x,
        y,
        mode="random_features",
        steps=6000,
        optimizer=SGD(0.5, momentum=0.9, weight_decay=ridge),
    ).params
    found = AdaptiveKernel(network, trained).regression(x, y, ridge)
    np.testing.assert_allclose(found(query), network.apply_fn(trained, query), atol=1e-8)
    np.testing.assert_allclose(before, found(query), atol=1e-8)  # the features are the same


def test_residual_is_orthogonal_to_the_features_without_weight_decay(data):
    x, y, _ = data
    network = stax.serial(stax.Dense(5), stax.Relu(), stax.Dense(1))
    _, params = network.init_fn(1, x.shape)
    start = AdaptiveKernel(network, params).residual_parts(x, y)
    assert start.rank == 5
    assert start.inside > 0.1
    trained = train(network, params, x, y, mode="random_features", steps=20000, optimizer=SGD(1.0, momentum=0.9)).params
    parts = AdaptiveKernel(network, trained).residual_parts(x, y)
    assert parts.inside < 1e-7 * parts.outside
    residual = y - network.apply_fn(trained, x)[:, 0]
    assert parts.inside**2 + parts.outside**2 == pytest.approx(residual @ residual, rel=1e-12)
    assert AdaptiveKernel(network, trained).residual_parts(x, y, "full").rank > parts.rank


def test_balance_is_conserved_by_flow_and_shrinks_under_weight_decay(data):
    x, y, _ = data
    network = stax.serial(stax.Dense(8, b_std=0.3), stax.Relu(), stax.Dense(1))
    _, params = network.init_fn(2, x.shape)
    start = balance(network, params)
    drifts = []
    for rate in (0.02, 0.01):
        end = train(network, params, x, y, optimizer=SGD(rate), steps=round(4 / rate)).params
        drifts.append(np.abs(balance(network, end) - start).max())
    assert drifts[0] < 0.02
    assert drifts[1] == pytest.approx(drifts[0] / 2, rel=0.2)
    decayed = train(network, params, x, y, optimizer=SGD(0.01, weight_decay=0.1), steps=400).params
    np.testing.assert_allclose(balance(network, decayed), start * np.exp(-2 * 0.1 * 4), atol=0.01)


def test_bad_input_is_named(data):
    x, y, _ = data
    with pytest.raises(ValueError, match="must end in a trainable Dense"):
        AdaptiveKernel(stax.serial(stax.Dense(3), stax.Relu()), ())
    network = stax.serial(stax.Dense(3), stax.Relu(), stax.Dense(1))
    _, params = network.init_fn(0, x.shape)
    kernel = AdaptiveKernel(network, params)
    with pytest.raises(ValueError, match="which must be"):
        kernel(x, None, "first_layer")
    with pytest.raises(ValueError, match="ridge must be at least 0"):
        kernel.regression(x, y, -1)
    with pytest.raises(ValueError, match="y must have 30 rows"):
        kernel.regression(x, y[:-1], 1)
    with pytest.raises(ValueError, match="serial"):
        balance(stax.Dense(3), params)
