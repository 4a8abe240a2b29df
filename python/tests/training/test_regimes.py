"""Full, lazy and last-layer training against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import empirical, predict, stax, train
from ntkswift.training import GD, Flow


def ntk(problem):
    return empirical.empirical_ntk_fn(problem.network.apply_fn, trace_axes=())(problem.x, None, problem.params)


def test_lazy_flow_is_the_kernel_prediction(problem):
    kernel = ntk(problem)
    start = problem.network.apply_fn(problem.params, problem.x)
    predictor = predict.gradient_descent_mse(kernel, problem.y, trace_axes=())
    history = train(
        problem.network, problem.params, problem.x, problem.y, optimizer=Flow(1e-10), time=25.0, mode="lazy"
    )
    linear = empirical.linearize(problem.network.apply_fn, problem.params)
    expected = predictor(25.0, start)
    np.testing.assert_allclose(linear(history.params, problem.x), expected, rtol=1e-7, atol=1e-8)
    assert history.loss[-1] == pytest.approx(0.5 * np.mean((expected - problem.y) ** 2), rel=1e-7)
    assert history.time[-1] == 25.0


def test_lazy_descent_is_that_of_the_linear_model(problem):
    """f - y after k steps of GD is (I - rate K / count)^k of what it was."""
    count = problem.y.size
    kernel = ntk(problem).transpose(0, 2, 1, 3).reshape(count, count)
    residual = (problem.network.apply_fn(problem.params, problem.x) - problem.y).ravel()
    losses = []
    for _ in range(40):
        losses.append(0.5 * np.mean(residual**2))
        residual = residual - 2.0 * kernel @ residual / count
    history = train(problem.network, problem.params, problem.x, problem.y, optimizer=GD(2.0), steps=40, mode="lazy")
    np.testing.assert_allclose(history.loss, losses, rtol=1e-11)


def test_validation_of_the_linearised_network(problem):
    x_test, y_test = problem.x[:7] + 0.1, problem.y[:7]
    history = train(
        problem.network, problem.params, problem.x, problem.y, optimizer=GD(2.0), steps=30, mode="lazy",
        x_test=x_test, y_test=y_test,
    )  # fmt: skip
    linear = empirical.linearize(problem.network.apply_fn, problem.params)
    outputs = linear(history.params, x_test)
    assert history.validation_loss[-1] == pytest.approx(0.5 * np.mean((outputs - y_test) ** 2), rel=1e-10)
    right = np.mean(outputs.argmax(1) == y_test.argmax(1))
    assert history.validation_accuracy[-1] == pytest.approx(right)


def test_random_features_reach_least_squares():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))
    network = stax.serial(
        stax.Dense(40), stax.serial(stax.Relu(), stax.Dense(40), stax.Erf()), stax.serial(stax.Dense(2))
    )
    _, params = network.init_fn(0, x.shape)
    features = stax.serial(stax.Dense(40), stax.Relu(), stax.Dense(40), stax.Erf()).apply_fn(
        (params[0], (), params[1][1], ()), x
    ) / np.sqrt(40)
    start = params[2][0][0]
    # gradient descent moves within the span of the features, so it ends at the interpolator nearest to the start
    nearest = start + np.linalg.pinv(features) @ (y - features @ start)
    history = train(
        network, params, x, y, optimizer=GD(20.0, momentum=0.9), steps=6000, mode="random_features", x_test=x, y_test=y
    )
    np.testing.assert_allclose(history.params[2][0][0], nearest, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(history.params[0][0], params[0][0])
    np.testing.assert_array_equal(history.params[1][1][0], params[1][1][0])
    assert history.validation_loss[-1] < 1e-12


@pytest.mark.parametrize("mode", ["full", "lazy", "random_features"])
def test_flow_of_a_linear_model_in_closed_form(mode):
    """dw/dt = -x^T (x w - y) / n: all modes are the same for one layer."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((9, 4)), rng.standard_normal((9, 1))
    network = stax.serial(stax.Dense(1))
    _, params = network.init_fn(0, x.shape)
    a = x / 2  # W_std / sqrt(4)
    values, vectors = np.linalg.eigh(a.T @ a / 9)
    solution = np.linalg.lstsq(a, y, rcond=None)[0]
    decay = vectors @ np.diag(np.exp(-3.0 * values)) @ vectors.T
    history = train(network, params, x, y, optimizer=Flow(1e-11), time=3.0, mode=mode)
    np.testing.assert_allclose(
        history.params[0][0], solution + decay @ (params[0][0] - solution), rtol=1e-9, atol=1e-10
    )


def test_small_steps_approach_the_flow(problem):
    """Gradient descent differs from gradient flow in proportion to the learning rate."""
    flow = train(problem.network, problem.params, problem.x, problem.y, optimizer=Flow(1e-9), time=4.0)
    apart = []
    for rate in (0.2, 0.1, 0.05):
        steps = round(4.0 / rate)
        descent = train(problem.network, problem.params, problem.x, problem.y, optimizer=GD(rate), steps=steps)
        apart.append(np.abs(problem.flat(descent.params) - problem.flat(flow.params)).max())
    assert apart[0] / apart[1] == pytest.approx(2, rel=0.1)
    assert apart[1] / apart[2] == pytest.approx(2, rel=0.1)


def test_wide_networks_are_lazy():
    """Full and linearised training come closer as width grows, at about 1 / sqrt(width) (Lee et al., arXiv:1902.06720)."""
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((10, 3)), rng.standard_normal((10, 1))
    apart = []
    for width in (64, 1024):
        network = stax.serial(stax.Dense(width), stax.Erf(), stax.Dense(1))
        gaps = []
        for seed in range(3):
            _, params = network.init_fn(seed, x.shape)
            runs = [train(network, params, x, y, optimizer=GD(1.0), steps=200, mode=mode) for mode in ("full", "lazy")]
            lazy = empirical.linearize(network.apply_fn, params)(runs[1].params, x)
            gaps.append(np.abs(network.apply_fn(runs[0].params, x) - lazy).max())
        apart.append(np.mean(gaps))
    assert 2 < apart[0] / apart[1] < 8  # 4 for the limit's rate


def test_images_train():
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((16, 6, 6, 2)), np.arange(16) % 2
    network = stax.serial(stax.Conv(4, (3, 3), padding="SAME"), stax.Relu(), stax.Flatten(), stax.Dense(2))
    _, params = network.init_fn(0, x.shape)
    for mode in ("full", "lazy", "random_features"):
        history = train(
            network, params, x, labels, optimizer="adam", loss="cross_entropy", steps=60, mode=mode, batch_size=8
        )
        assert history.loss[-5:].mean() < history.loss[:5].mean()


def test_frozen_layers_stay():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))
    network = stax.serial(stax.Dense(5, trainable=False), stax.Tanh(), stax.Dense(1))
    _, params = network.init_fn(0, x.shape)
    from ntkswift.training import SGD

    history = train(network, params, x, y, optimizer=SGD(0.1, weight_decay=0.1), steps=5)
    np.testing.assert_array_equal(history.params[0][0], params[0][0])
    assert np.abs(history.params[2][0] - params[2][0]).max() > 0
