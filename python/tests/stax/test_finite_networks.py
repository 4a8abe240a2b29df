"""Forward passes against NumPy, and kernels against averages over random networks."""

import numpy as np
import pytest

from ntkswift import stax

RNG = np.random.default_rng(2)
X = RNG.standard_normal((7, 4))


def test_dense_and_bias():
    layer = stax.Dense(5, 1.5, 0.3)
    _, (W, b) = layer.init_fn(0, (-1, 4))
    np.testing.assert_allclose(layer.apply_fn((W, b), X), 1.5 / 2 * X @ W + 0.3 * b, rtol=1e-13)
    standard = stax.Dense(5, 1.5, 0.3, parameterization="standard", s=(4, 1))
    np.testing.assert_allclose(standard.apply_fn([W, b], X), X @ W / 2 + b, rtol=1e-13)


def test_a_deep_network():
    network = stax.serial(
        stax.Dense(6),
        stax.FanOut(2),
        stax.parallel(stax.serial(stax.Relu(), stax.Dense(6)), stax.Identity()),
        stax.FanInSum(),
        stax.LayerNorm(),
        stax.Gelu(),
        stax.Dense(2, b_std=0.5),
    )
    _, params = network.init_fn(3, (-1, 4))
    h = X @ params[0][0] / 2
    h = h + np.maximum(h, 0) @ params[2][0][1][0] / np.sqrt(6)
    h = (h - h.mean(1, keepdims=True)) / np.sqrt(1e-12 + h.var(1, keepdims=True))
    from math import erf

    h = h * (1 + np.vectorize(erf)(h / np.sqrt(2))) / 2
    np.testing.assert_allclose(
        network.apply_fn(params, X), h @ params[6][0] / np.sqrt(6) + 0.5 * params[6][1], rtol=1e-12
    )


def test_repeat_has_weights_per_step():
    network = stax.repeat(stax.serial(stax.Dense(4), stax.Erf()), 3)
    _, params = network.init_fn(0, (-1, 4))
    step = network.layer.apply_fn
    np.testing.assert_allclose(
        network.apply_fn(params, X), step(params[2], step(params[1], step(params[0], X))), rtol=1e-13
    )


def test_float32_in_float32_out():
    layer = stax.Dense(3)
    params = layer.init_fn(0, (-1, 4))[1]
    assert layer.apply_fn(params, X.astype(np.float32)).dtype == np.float32


def test_dropout():
    network = stax.serial(stax.Dense(200), stax.Dropout(0.8))
    params = network.init_fn(0, (-1, 4))[1]
    full = network.layers[0].apply_fn(params[0], X)
    out = network.apply_fn(params, X, rng=5)
    kept = out != 0
    np.testing.assert_allclose(out[kept], full[kept] / 0.8, rtol=1e-14)
    assert abs(kept.mean() - 0.8) < 0.05
    assert np.array_equal(out, network.apply_fn(params, X, rng=np.random.SeedSequence(5)))
    assert not np.array_equal(out, network.apply_fn(params, X, rng=6))
    with pytest.raises(ValueError, match="rng"):
        network.apply_fn(params, X)


def test_wrong_parameters_are_named():
    network = stax.serial(stax.Dense(3, b_std=1), stax.Relu(), stax.Dense(2))
    good = network.init_fn(0, (-1, 4))[1]
    (W, b), _, (V, _) = good
    for params, where in [
        (good[:2], "params must hold"),
        (((W, None), (), (V, None)), r"params\[0\]\[1\]"),
        (((W[:, :2], b), (), (V, None)), r"params\[0\]"),
        (((W, b), (1,), (V, None)), r"params\[1\]"),
        (((W, b), (), V), r"params\[2\]"),
        (((W * np.nan, b), (), (V, None)), r"params\[0\]\[0\]"),
        (((W[:3], b), (), (V, None)), r"params\[0\]\[0\]"),
    ]:
        with pytest.raises(ValueError, match=where):
            network.apply_fn(params, X)


def test_exp_normalized_has_no_network():
    network = stax.serial(stax.Dense(3), stax.ExpNormalized())
    with pytest.raises(ValueError, match="ExpNormalized"):
        network.apply_fn(network.init_fn(0, (-1, 4))[1], X)


LAYERS = [
    stax.Relu(),
    stax.LeakyRelu(0.2),
    stax.Erf(0.7, 1.3, 0.4),
    stax.Gelu(),
    stax.Sin(c=0.4),
    stax.Rbf(0.5),
    stax.Sign(),
    stax.Step(),
    stax.Exp(b=0.5),
    stax.Gaussian(b=-0.5),
    stax.Gabor(),
    stax.Polynomial([0.1, 0.5, -0.2]),
    stax.RectifiedMonomial(1),
    stax.Tanh(),
    stax.Sigmoid(),
    stax.Softplus(),
    stax.Swish(),
    stax.Elu(),
    stax.Selu(),
    stax.serial(stax.LayerNorm(), stax.Hermite(3)),
]


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_kernels_are_averages_over_random_networks(layer):
    """Mean over 40 networks of 4096 units; a difference of 5 standard errors (or 2 % of the largest entry) would be noticed."""
    x = X[:4]
    network = stax.serial(stax.Dense(4096, 1.2, 0.1), layer)
    averages = []
    for seed in range(40):
        out = network.apply_fn(network.init_fn(seed, (-1, 4))[1], x)
        averages.append(out @ out.T / out.shape[1])
    mean, error = np.mean(averages, 0), np.std(averages, 0) / np.sqrt(39)
    exact = network.kernel_fn(x, None, "nngp")
    assert np.abs(mean - exact).max() < np.maximum(5 * error.max(), 0.005 * np.abs(exact).max())


@pytest.mark.slow
def test_ntk_is_the_mean_inner_product_of_gradients():
    """One hidden layer of 20,000 units, gradients by hand: within 5 standard errors."""
    x, units = X[:4], 20_000
    network = stax.serial(stax.Dense(units, 1.3, 0.2), stax.Erf(), stax.Dense(1, 1.1, 0.3))
    values = []
    for seed in range(10):
        (W, b), _, (V, _) = network.init_fn(seed, (-1, 4))[1]
        z = 1.3 / 2 * x @ W + 0.2 * b
        h = network.layers[1].apply_fn((), z)
        slope = 2 / np.sqrt(np.pi) * np.exp(-(z**2)) * V[:, 0]
        last = 1.1**2 * h @ h.T / units + 0.3**2
        first = (1.3**2 * x @ x.T / 4 + 0.2**2) * (1.1**2 * slope @ slope.T / units)
        values.append(last + first)
    mean, error = np.mean(values, 0), np.std(values, 0) / 3
    assert np.abs(mean - network.kernel_fn(x, None, "ntk")).max() < 5 * error.max() + 1e-3
