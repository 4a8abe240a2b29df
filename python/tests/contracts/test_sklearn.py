"""scikit-learn's own checks (RELIABILITY 24), and its tools around ntkswift's estimators and kernels."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from ntkswift import stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKKernel, NTKRegressor


@parametrize_with_checks(
    [
        NTKRegressor(),
        NNGPRegressor(),
        NTKClassifier(),
        NTKClassifier(method="svm"),
        NTKRegressor(stax.serial(stax.Dense(1, b_std=0.1), stax.Erf(), stax.Dense(1)), kernel="nngp"),
    ]
)
def test_estimator_contract(estimator, check):
    check(estimator)


def test_pipeline_and_grid_search():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NTKClassifier())
    grid = {
        "ntkclassifier__depth": [1, 3],
        "ntkclassifier__activation": ["relu", "erf"],
        "ntkclassifier__ridge": [1e-3, 1e-1],
        "ntkclassifier__method": ["regression", "svm"],
    }
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.93


def test_regression_on_diabetes():
    X, y = load_diabetes(return_X_y=True)
    grid = {"nngpregressor__ridge": [0.1, 1.0, 10.0]}
    model = GridSearchCV(make_pipeline(StandardScaler(), NNGPRegressor()), grid, cv=3)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.45


def test_precomputed_kernels():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    kernel_fn = stax.serial(stax.Dense(1, 1.4, 0.1), stax.Relu(), stax.Dense(1)).kernel_fn
    train, test = kernel_fn(X[::2], "ntk"), kernel_fn(X[1::2], X[::2], "ntk")
    assert SVC(kernel="precomputed").fit(train, y[::2]).score(test, y[1::2]) > 0.95
    assert KernelRidge(kernel="precomputed", alpha=0.1).fit(train, y[::2]).score(test, y[1::2]) > 0.6
    own = NTKClassifier(depth=1, W_std=1.4, b_std=0.1, method="svm").fit(X[::2], y[::2])
    assert own.score(X[1::2], y[1::2]) > 0.95


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
@pytest.mark.parametrize("activation", ["relu", "erf", "tanh"])
def test_kernel_gradient(kernel, activation):
    X = np.random.default_rng(0).standard_normal((6, 3))
    covariance = NTKKernel(W_std=1.3, b_std=0.4, depth=2, activation=activation, kernel=kernel)
    K, gradient = covariance(X, eval_gradient=True)
    assert np.array_equal(K, covariance(X))
    assert gradient.shape == (6, 6, 2)
    step = 1e-5
    for i in range(2):
        up, down = covariance.theta.copy(), covariance.theta.copy()
        up[i] += step
        down[i] -= step
        numeric = (covariance.clone_with_theta(up)(X) - covariance.clone_with_theta(down)(X)) / (2 * step)
        np.testing.assert_allclose(gradient[..., i], numeric, rtol=0, atol=2e-7 * np.abs(K).max())


def test_kernel_is_a_kernel_of_sklearn():
    rng = np.random.default_rng(0)
    X, Z = rng.standard_normal((7, 3)), rng.standard_normal((4, 3))
    for kernel in (NTKKernel(), NTKKernel(kernel="ntk", activation="erf")):
        np.testing.assert_allclose(kernel.diag(X), np.diag(kernel(X)), rtol=1e-13)
        assert kernel(X, Z).shape == (7, 4)
        assert kernel.n_dims == 2
        assert not kernel.is_stationary()
        np.testing.assert_allclose((ConstantKernel(2.0) * kernel)(X), 2 * kernel(X))
    fixed = NTKKernel(W_std_bounds="fixed")
    assert fixed.n_dims == 1
    assert fixed(X, eval_gradient=True)[1].shape == (7, 7, 1)
    whole = NTKKernel(network=stax.serial(stax.Dense(3), stax.Relu(), stax.Dense(1)))
    assert whole.n_dims == 0
    assert whole(X, eval_gradient=True)[1].shape == (7, 7, 0)
    with pytest.raises(ValueError, match="Y"):
        NTKKernel()(X, Z, eval_gradient=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_hyperparameters_are_learnt():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (40, 1))
    y = np.sin(3 * X[:, 0]) + 0.05 * rng.standard_normal(40)
    start = NTKKernel(depth=1, activation="erf") + WhiteKernel(0.1)
    model = GaussianProcessRegressor(start).fit(X, y)
    assert (
        model.log_marginal_likelihood_value_
        > GaussianProcessRegressor(start, optimizer=None).fit(X, y).log_marginal_likelihood_value_ + 5
    )
    assert model.score(X, y) > 0.9
    labels = y > 0
    assert GaussianProcessClassifier(NTKKernel(depth=1)).fit(X, labels).score(X, labels) > 0.9


def test_posterior_equals_that_of_sklearn():
    rng = np.random.default_rng(1)
    X, Z = rng.standard_normal((30, 3)), rng.standard_normal((10, 3))
    y = np.sin(X).sum(axis=1)
    own = NNGPRegressor(depth=2, W_std=1.5, b_std=0.2, ridge=1e-2).fit(X, y)
    kernel = NTKKernel(W_std=1.5, b_std=0.2, depth=2)
    noise = 1e-2 * np.diag(kernel(X)).mean()
    peer = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None, normalize_y=True).fit(X, y)
    for a, b in zip(own.predict(Z, return_std=True), peer.predict(Z, return_std=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)
    np.testing.assert_allclose(
        own.predict(Z, return_cov=True)[1], peer.predict(Z, return_cov=True)[1], rtol=0, atol=1e-8
    )
    np.testing.assert_allclose(own.log_marginal_likelihood_value_, peer.log_marginal_likelihood_value_, rtol=1e-10)
