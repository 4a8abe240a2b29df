"""log_marginal_likelihood with its gradients, and sample_posterior."""

import numpy as np
import pytest

from ntkswift import NotPositiveDefiniteError, predict, stax


def network(W=(1.4, 1.3, 1.2), b=(0.3, 0.2, 0.1), activation=stax.Erf):
    dense = [stax.Dense(8, W_std=w, b_std=c) for w, c in zip(W, b, strict=True)]
    return stax.serial(dense[0], activation(), dense[1], activation(), dense[2])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(15, 4)), rng.normal(size=(15, 2))


@pytest.mark.parametrize("get", ["nngp", "ntk"])
def test_value_is_the_density(data, get):
    x, y = data
    k = network().kernel_fn(x, None, get) + 0.1 * np.eye(15)
    expected = -0.5 * np.sum(y * np.linalg.solve(k, y)) - np.linalg.slogdet(k)[1] - 15 * np.log(2 * np.pi)
    value = predict.log_marginal_likelihood(network(), x, y, 0.1, get)
    assert value == pytest.approx(expected, rel=1e-10)
    assert predict.log_marginal_likelihood(network().kernel_fn, x, y, 0.1, get) == value
    one = predict.log_marginal_likelihood(network(), x, y[:, 0], 0.1, get)
    assert one == predict.log_marginal_likelihood(network(), x, y[:, :1], 0.1, get)
    assert predict.log_marginal_likelihood(lambda a, b, c: network().kernel_fn(a, b, c), x, y, 0.1, get) == value


@pytest.mark.parametrize("get", ["nngp", "ntk"])
@pytest.mark.parametrize("activation", [stax.Erf, stax.Relu, stax.Gelu, stax.Sin])
def test_gradients_are_those_of_differences(data, get, activation):
    x, y = data
    W, b, noise, h = np.array([1.4, 1.3, 1.2]), np.array([0.3, 0.2, 0.1]), 0.1, 1e-5

    def value(dW=0.0, db=0.0, dn=0.0):
        return predict.log_marginal_likelihood(network(W + dW, b + db, activation), x, y, noise + dn, get)

    def slope(**directions):
        plus = value(**directions)
        minus = value(**{name: -np.asarray(step) for name, step in directions.items()})
        return (plus - minus) / (2 * h)

    got_value, shared = predict.log_marginal_likelihood(network(W, b, activation), x, y, noise, get, eval_gradient=True)
    assert got_value == value()
    tolerance = {"rel": 1e-5, "abs": 1e-6}
    assert shared.W_std == pytest.approx(slope(dW=h), **tolerance)
    assert shared.b_std == pytest.approx(slope(db=h), **tolerance)
    assert shared.noise == pytest.approx(slope(dn=h), **tolerance)
    _, each = predict.log_marginal_likelihood(
        network(W, b, activation), x, y, noise, get, eval_gradient=True, per_layer=True
    )
    for layer in range(3):
        step = h * np.eye(3)[layer]
        assert each.W_std[layer] == pytest.approx(slope(dW=step), **tolerance)
        assert each.b_std[layer] == pytest.approx(slope(db=step), **tolerance)
    assert each.W_std.sum() == pytest.approx(shared.W_std, rel=1e-9)


def test_layers_without_bias_have_no_slope(data):
    x, y = data
    plain = network(b=(None, None, None))
    _, gradient = predict.log_marginal_likelihood(plain, x, y, 0.1, eval_gradient=True)
    assert gradient.b_std == 0.0


def test_likelihood_errors(data):
    x, y = data
    with pytest.raises(ValueError, match="noise must be a finite number >= 0"):
        predict.log_marginal_likelihood(network(), x, y, -1.0)
    with pytest.raises(ValueError, match="same number of rows"):
        predict.log_marginal_likelihood(network(), x, y[:-1])
    with pytest.raises(ValueError, match="needs the network"):
        predict.log_marginal_likelihood(lambda a, b, c: np.eye(15), x, y, 0.1, eval_gradient=True)
    with pytest.raises(ValueError, match="get must be"):
        predict.log_marginal_likelihood(network(), x, y, get=("nngp", "ntk"))
    with pytest.raises(TypeError, match="kernel_fn must be"):
        predict.log_marginal_likelihood(3, x, y)
    with pytest.raises(NotPositiveDefiniteError):
        predict.log_marginal_likelihood(lambda a, b, c: -np.eye(15), x, y)


def test_samples_have_the_posterior_moments():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 3))
    posterior = predict.Gaussian(rng.normal(size=(3, 2)), root @ root.T)
    draws = predict.sample_posterior(posterior, 20_000, seed=1)
    assert draws.shape == (20_000, 3, 2)
    # Five standard errors.
    error = 5 * np.sqrt(np.diag(posterior.covariance) / 20_000)
    assert (np.abs(draws.mean(axis=0) - posterior.mean) < error[:, None]).all()
    deviations = draws - posterior.mean
    for output in range(2):
        covariance = deviations[:, :, output].T @ deviations[:, :, output] / 20_000
        scale = np.sqrt(np.outer(*[np.diag(posterior.covariance)] * 2))
        assert (np.abs(covariance - posterior.covariance) < 5 * np.sqrt(2 / 20_000) * scale).all()
    cross = deviations[:, :, 0].T @ deviations[:, :, 1] / 20_000
    assert (np.abs(cross) < 5 * scale / np.sqrt(20_000)).all()


def test_samples_repeat():
    posterior = predict.Gaussian(np.zeros((4, 2)), np.eye(4) + 0.5)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one = predict.sample_posterior(posterior, 3, seed=5)
    np.testing.assert_array_equal(one, predict.sample_posterior(posterior, 7, seed=5)[:3])
    np.testing.assert_array_equal(one, predict.sample_posterior(posterior, 3, seed=np.random.SeedSequence(5)))
    assert (one != predict.sample_posterior(posterior, 3, seed=6)).all()
    assert (predict.sample_posterior(posterior) != predict.sample_posterior(posterior)).any()
    generator = np.random.default_rng(0)
    first, second = (predict.sample_posterior(posterior, 1, seed=generator) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_sampling_errors():
    posterior = predict.Gaussian(np.zeros((4, 2)), np.eye(4))
    assert predict.sample_posterior(posterior._replace(covariance=np.zeros((4, 4))), 2, seed=0).shape == (2, 4, 2)
    with pytest.raises(ValueError, match="n_samples must be a positive integer"):
        predict.sample_posterior(posterior, 0)
    with pytest.raises(TypeError, match="n_samples must be a positive integer"):
        predict.sample_posterior(posterior, 1.5)
    with pytest.raises(TypeError, match="posterior must be a Gaussian"):
        predict.sample_posterior(3)
    with pytest.raises(ValueError, match=r"posterior\.covariance must have the axes of posterior\.mean"):
        predict.sample_posterior(predict.Gaussian(np.zeros((3, 2)), np.eye(4)))
    with pytest.raises(NotPositiveDefiniteError):
        predict.sample_posterior(predict.Gaussian(np.zeros((2, 1)), np.diag([1.0, -1.0])))
