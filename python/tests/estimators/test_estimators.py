"""What the estimators promise beyond scikit-learn's contract."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import ntkswift
from ntkswift import stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKRegressor
from ntkswift.estimators._network import network_of, threads

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((40, 3)), RNG.standard_normal((15, 3))
Y = np.stack([np.sin(X).sum(axis=1), 3 + np.cos(X).sum(axis=1)], axis=1)


def test_the_default_network():
    model = NTKRegressor().fit(X, Y[:, 0])
    hidden = stax.serial(stax.Dense(512, 2**0.5, 0.1), stax.Relu())
    assert model.network_ == stax.serial(stax.repeat(hidden, 3), stax.Dense(1, 2**0.5, 0.1))
    assert network_of(None, 0, "relu", 1.0, 0.0, owner="test") == stax.serial(
        stax.repeat(stax.serial(stax.Dense(512), stax.Relu()), 0), stax.Dense(1)
    )


@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_prediction_is_kernel_regression(kernel):
    model = NTKRegressor(kernel=kernel, activation="erf", ridge=1e-2).fit(X, Y)
    kernel_fn = model.network_.kernel_fn
    K = kernel_fn(X, None, kernel)
    scaled = (Y - Y.mean(0)) / Y.std(0)
    weights = np.linalg.solve(K + 1e-2 * np.diag(K).mean() * np.eye(len(X)), scaled)
    np.testing.assert_allclose(model.dual_coef_, weights, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.predict(Z), kernel_fn(Z, X, kernel) @ weights * Y.std(0) + Y.mean(0), rtol=1e-8)


def test_several_targets_are_fitted_one_by_one():
    both = NNGPRegressor().fit(X, Y)
    mean, std = both.predict(Z, return_std=True)
    _, cov = both.predict(Z, return_cov=True)
    assert mean.shape == std.shape == (15, 2)
    assert cov.shape == (15, 15, 2)
    assert both.sample_y(Z, 4).shape == (15, 2, 4)
    for k in range(2):
        single = NNGPRegressor().fit(X, Y[:, k])
        for a, b in zip(single.predict(Z, return_std=True), (mean[:, k], std[:, k]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)
        np.testing.assert_allclose(single.predict(Z, return_cov=True)[1], cov[..., k], rtol=1e-8, atol=1e-12)
        assert single.sample_y(Z, 4).shape == (15, 4)


def test_samples_have_the_posterior_as_their_law():
    model = NNGPRegressor(ridge=1e-2).fit(X, Y[:, 0])
    mean, cov = model.predict(Z, return_cov=True)
    draws = model.sample_y(Z, 20_000, random_state=0)
    scale = np.sqrt(np.diag(cov))
    assert np.abs((draws.mean(1) - mean) / scale).max() < 5 / np.sqrt(20_000)
    assert np.abs((np.cov(draws) - cov) / np.outer(scale, scale)).max() < 8 / np.sqrt(20_000)


def test_std_and_cov_together_are_refused():
    with pytest.raises(ValueError, match="std or cov"):
        NNGPRegressor().fit(X, Y).predict(Z, return_std=True, return_cov=True)


@pytest.mark.parametrize("method", ["regression", "svm"])
def test_probabilities(method):
    features, labels = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[labels]
    model = NTKClassifier(method=method).fit(features[::2], names[::2])
    proba = model.predict_proba(features)
    np.testing.assert_allclose(proba.sum(1), 1)
    assert (proba >= 0).all()
    assert np.array_equal(model.classes_[proba.argmax(1)], model.predict(features))
    assert model.decision_function(features).shape == (150, 3)
    two = NTKClassifier(method=method).fit(features[labels < 2], names[labels < 2])
    assert two.decision_function(features).shape == (150,)
    assert np.array_equal(two.predict_proba(features)[:, 1] > 0.5, two.predict(features) == "versicolor")


def test_refitting_with_the_other_method():
    labels = Y[:, 0] > 0
    model = NTKClassifier(method="svm").fit(X, labels)
    model.set_params(method="regression").fit(X, labels)
    assert not hasattr(model, "svc_")
    assert np.array_equal(model.predict(Z), NTKClassifier().fit(X, labels).predict(Z))


WRONG = [
    ({"depth": -1}, ValueError, "depth"),
    ({"depth": 1.5}, TypeError, "depth"),
    ({"activation": "rely"}, ValueError, "relu"),
    ({"W_std": -1.0}, ValueError, "W_std"),
    ({"ridge": float("nan")}, ValueError, "ridge"),
    ({"kernel": "rbf"}, ValueError, "kernel"),
    ({"network": 3}, TypeError, "network must be a network"),
    ({"network": stax.Relu()}, ValueError, "Gaussian"),
    ({"n_jobs": 0}, ValueError, "n_jobs"),
    ({"memory_limit": 0}, ValueError, "memory_limit"),
]


@pytest.mark.parametrize(("params", "error", "message"), WRONG, ids=[str(params) for params, _, _ in WRONG])
@pytest.mark.parametrize("make", [NTKRegressor, NTKClassifier])
def test_wrong_parameters_are_found_when_fitting(make, params, error, message):
    with pytest.raises(error, match=message):
        make(**params).fit(X, Y[:, 0] > 0)


def test_a_network_must_give_one_output_per_input():
    branches = stax.parallel(stax.Dense(2), stax.Dense(2))
    with pytest.raises(ValueError, match="one output per input"):
        NTKRegressor(stax.serial(stax.FanOut(2), branches, stax.FanInConcat(0))).fit(X, Y)


def test_threads():
    assert threads(3, "test") == 3
    assert threads(-1, "test") >= 1
    with ntkswift.num_threads(5):
        assert threads(None, "test") == 5


def test_predictions_do_not_depend_on_blocks(monkeypatch):
    from ntkswift.estimators import _solver

    model = NNGPRegressor().fit(X, Y)
    whole = model.predict(Z, return_std=True)
    monkeypatch.setattr(_solver, "_BLOCK_BYTES", 8 * 40 * 4)
    for a, b in zip(model.predict(Z, return_std=True), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
