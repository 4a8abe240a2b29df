"""Weights of samples and classes, noise for each sample and target, and solvers of the estimators: against dense formulas."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier

import ntkswift
from ntkswift import solvers, stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKRegressor

RNG = np.random.default_rng(4)
X, Z = RNG.standard_normal((30, 3)), RNG.standard_normal((8, 3))
Y = np.stack([np.sin(X).sum(axis=1), 3 + np.cos(X).sum(axis=1)], axis=1)
LABELS = np.where(X[:, 0] > 0.4, "c", np.where(X[:, 1] > 0, "a", "b"))
COUNTS = RNG.integers(0, 4, 30)
REPEATED = np.repeat(np.arange(30), COUNTS)
MODELS = {
    "NTKRegressor": (NTKRegressor(ridge=0.1), Y),
    "NNGPRegressor": (NNGPRegressor(ridge=0.1), Y[:, 0]),
    "NTKRegressor by cg": (NTKRegressor(ridge=0.1, solver="cg"), Y),
    "NTKClassifier": (NTKClassifier(ridge=0.1), LABELS),
    "NTKClassifier by minres": (NTKClassifier(ridge=0.1, solver="minres"), LABELS),
    "NTKClassifier, balanced": (NTKClassifier(ridge=0.1, class_weight="balanced"), LABELS),
    "NTKClassifier, dict": (NTKClassifier(ridge=0.1, class_weight={"a": 2.0, "b": 0.5}), LABELS),
    "support vectors": (NTKClassifier(method="svm"), LABELS),
    "support vectors, balanced": (NTKClassifier(method="svm", class_weight="balanced"), LABELS),
}


def outputs(model):
    return model.decision_function(Z) if isinstance(model, NTKClassifier) else model.predict(Z)


@pytest.mark.parametrize("name", MODELS)
def test_a_weight_counts_samples(name):
    """Weights 0, 1, 2, 3 are the sample left out, once, twice, three times."""
    model, y = MODELS[name]
    weighted = clone(model).fit(X, y, sample_weight=COUNTS)
    repeated = clone(model).fit(X[REPEATED], y[REPEATED])
    tolerance = 1e-6 if "support" in name or " by " in name else 1e-9
    np.testing.assert_allclose(outputs(weighted), outputs(repeated), atol=tolerance)
    assert len(weighted.X_fit_) == (COUNTS > 0).sum()
    np.testing.assert_array_equal(
        outputs(clone(model).fit(X, y, sample_weight=np.ones(30))), outputs(clone(model).fit(X, y, sample_weight=1.0))
    )
    np.testing.assert_allclose(
        outputs(clone(model).fit(X, y, np.ones(30))), outputs(clone(model).fit(X, y)), atol=tolerance
    )


def test_standard_deviations_know_the_weights():
    weighted = NNGPRegressor(ridge=0.1).fit(X, Y, sample_weight=COUNTS)
    repeated = NNGPRegressor(ridge=0.1).fit(X[REPEATED], Y[REPEATED])
    for a, b in zip(weighted.predict(Z, return_std=True), repeated.predict(Z, return_std=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


@pytest.mark.parametrize("weight", [np.ones(29), -np.ones(30), np.zeros(30), np.full(30, np.nan), np.ones((30, 1))])
@pytest.mark.parametrize("model", [NTKRegressor(), NTKClassifier()])
def test_weights_that_do_not_fit(model, weight):
    with pytest.raises(ValueError, match="sample_weight must"):
        model.fit(X, LABELS if isinstance(model, NTKClassifier) else Y, sample_weight=weight)


def test_scikit_learns_ensembles():
    x, y = load_iris(return_X_y=True)
    boosted = AdaBoostClassifier(NTKClassifier(depth=1), n_estimators=3).fit(x[::2], y[::2])
    assert boosted.score(x[1::2], y[1::2]) > 0.9
    assert BaggingClassifier(NTKClassifier(depth=1), n_estimators=3).fit(x[::2], y[::2]).score(x[1::2], y[1::2]) > 0.9
    AdaBoostRegressor(NTKRegressor(depth=1), n_estimators=2).fit(X, Y[:, 0])


def test_a_class_without_weight_is_absent():
    weights = np.where(LABELS == "b", 0.0, 1.0)
    assert NTKClassifier().fit(X, LABELS, weights).classes_.tolist() == ["a", "c"]
    with pytest.raises(ValueError, match="at least two classes"):
        NTKClassifier().fit(X, LABELS, np.where(LABELS == "b", 1.0, 0.0))


def dense(noise):
    """Mean and standard deviation of the posterior for each target, by the formula; `noise` of shape (n, targets)."""
    kernel_fn = NNGPRegressor().fit(X, Y).network_.kernel_fn
    K, cross, prior = kernel_fn(X, None, "nngp"), kernel_fn(Z, X, "nngp"), kernel_fn(Z, None, "nngp")
    scaled = (Y - Y.mean(0)) / Y.std(0)
    means, deviations = [], []
    for k in range(2):
        inverse = np.linalg.inv(K + np.diag(noise[:, k] * np.diag(K).mean()))
        means.append(cross @ inverse @ scaled[:, k] * Y.std(0)[k] + Y.mean(0)[k])
        deviations.append(np.sqrt(np.diag(prior - cross @ inverse @ cross.T)) * Y.std(0)[k])
    return np.stack(means, 1), np.stack(deviations, 1)


SAMPLES, TARGETS = RNG.uniform(0.01, 1.0, 30), np.array([[0.02, 0.5]])


@pytest.mark.parametrize(
    ("ridge", "noise"),
    [
        (0.1, np.full((30, 2), 0.1)),
        (SAMPLES, np.stack([SAMPLES, SAMPLES], 1)),
        (TARGETS, np.repeat(TARGETS, 30, axis=0)),
        (SAMPLES[:, None] * TARGETS, SAMPLES[:, None] * TARGETS),
    ],
)
def test_noise_of_samples_and_targets(ridge, noise):
    model = NNGPRegressor(ridge=ridge).fit(X, Y)
    mean, std = model.predict(Z, return_std=True)
    expected_mean, expected_std = dense(noise)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-9)
    np.testing.assert_allclose(std, expected_std, rtol=1e-7)
    _, cov = model.predict(Z, return_cov=True)
    np.testing.assert_allclose(np.sqrt(np.einsum("iik->ik", cov)), std, rtol=1e-8)
    np.testing.assert_allclose(NNGPRegressor(ridge=ridge, solver="cg").fit(X, Y).predict(Z), mean, atol=1e-6)
    draws = model.sample_y(Z, 4000, random_state=1)
    assert draws.shape == (8, 2, 4000)
    assert np.abs((draws.mean(2) - mean) / std).max() < 5 / np.sqrt(4000)
    np.testing.assert_allclose(draws.std(2), std, rtol=6 / np.sqrt(4000))
    between = ((draws - mean[..., None]) / std[..., None]).prod(axis=1).mean(axis=1)  # targets are drawn independently
    assert np.abs(between).max() < 5 / np.sqrt(4000)


@pytest.mark.parametrize("ridge", [np.ones(29), np.ones((2, 30)), np.ones((1, 3)), -np.ones(30), np.ones((30, 2, 1))])
def test_noise_that_does_not_fit(ridge):
    with pytest.raises(ValueError, match="ridge must"):
        NNGPRegressor(ridge=ridge).fit(X, Y)
    with pytest.raises(ValueError, match="ridge must"):
        NTKClassifier(ridge=ridge).fit(X, LABELS)


class TestSolvers:
    @pytest.mark.parametrize("method", sorted(solvers.METHODS))
    def test_every_method(self, method):
        reference = NTKRegressor(ridge=1e-2, solver="cholesky").fit(X, Y)
        model = NTKRegressor(ridge=1e-2, solver=method).fit(X, Y)
        np.testing.assert_allclose(model.predict(Z), reference.predict(Z), atol=1e-6)
        assert model.solver_ == method
        if method != "cholesky":
            assert 0 < model.residual_ <= 1e-8
            assert model.n_iter_ > 0
            assert model.factor_ is None
            assert model.log_marginal_likelihood_value_ is None
            for wanted in ({"return_std": True}, {"return_cov": True}):
                with pytest.raises(ValueError, match='needs the Cholesky factor of a fit with solver="cholesky"'):
                    model.predict(Z, **wanted)
            with pytest.raises(ValueError, match="sample_y needs the Cholesky factor"):
                model.sample_y(Z)

    def test_auto_goes_beyond_the_memory_limit(self):
        """2000 rows: their kernel is 32 MB, of which the limit allows half."""
        x = RNG.standard_normal((2000, 3))
        y = np.sin(x[:, 0])
        model = NTKRegressor(depth=1, ridge=1e-1, memory_limit=30 * 2**20).fit(x, y)
        assert model.solver_ == "cg"
        full = NTKRegressor(depth=1, ridge=1e-1).fit(x, y)
        assert full.solver_ == "cholesky"
        np.testing.assert_allclose(model.predict(Z), full.predict(Z), atol=1e-6)
        with ntkswift.memory_limit(30 * 2**20):
            assert NTKRegressor(depth=1, ridge=1e-1).fit(x, y).solver_ == "cg"

    def test_unknown_ones(self):
        for model, y in ((NTKRegressor(solver="lu"), Y), (NTKClassifier(solver="lu"), LABELS)):
            with pytest.raises(ValueError, match='solver must be "auto", "cholesky"'):
                model.fit(X, y)


def test_ill_conditioned_kernels_warn():
    x = np.linspace(0, 1, 12)[:, None]
    network = stax.serial(stax.Dense(1, 0.5, 1.0), stax.Erf(), stax.Dense(1))
    with pytest.warns(RuntimeWarning, match=r"ill-conditioned \(rcond|singular to working precision"):
        NNGPRegressor(network, ridge=0.0).fit(x, x[:, 0])
