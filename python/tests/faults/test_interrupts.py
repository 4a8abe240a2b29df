"""Ctrl-C in everything that takes long: KeyboardInterrupt soon, inputs unchanged, everything usable."""

from __future__ import annotations

import functools
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from ntkswift import (
    curvature,
    empirical,
    hierarchy,
    operators,
    predict,
    regimes,
    reproduce,
    solvers,
    spectra,
    stax,
    train,
)
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKKernel, NTKRegressor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4000, 16))
Y = np.sin(X).sum(axis=1)[:, None]
LABELS = (Y[:, 0] > 0).astype(float)
NETWORK = stax.serial(stax.Dense(64), stax.Tanh(), stax.Dense(64), stax.Tanh(), stax.Dense(1))
PARAMS = NETWORK.init_fn(0, X.shape)[1]
DEEP = stax.serial(stax.repeat(stax.serial(stax.Dense(8, 1.5, 0.1), stax.Erf()), 60), stax.Dense(1))
HALF = stax.serial(stax.Dense(16), stax.Erf(), stax.Dense(1))
SERIES = stax.serial(stax.repeat(stax.serial(stax.Dense(8), stax.Tanh()), 5), stax.Dense(1))
IMAGES_FLAT = stax.serial(stax.Flatten(), stax.repeat(stax.serial(stax.Dense(8), stax.Relu()), 5), stax.Dense(1))
IMAGES = stax.serial(stax.Conv(16, (3, 3), padding="SAME"), stax.Relu(), stax.Flatten(), stax.Dense(1))


@functools.cache
def many():
    """More rows than a second is enough for."""
    return np.random.default_rng(1).standard_normal((100_000, 16))


@functools.cache
def wide():
    """Layers so wide that one matrix product takes long."""
    network = stax.serial(stax.Dense(2500), stax.Tanh(), stax.Dense(2500), stax.Tanh(), stax.Dense(1))
    return network, network.init_fn(0, (-1, 16))[1]


@functools.cache
def direction(count):
    return np.random.default_rng(2).standard_normal(count)


@functools.cache
def jacobian():
    return np.random.default_rng(4).standard_normal((4000, 8000))


@functools.cache
def gram(n):
    """A well-conditioned kernel."""
    x = np.random.default_rng(3).standard_normal((n, 40))
    return x @ x.T / 40 + np.eye(n)


@functools.cache
def fitted(make, n=2000):
    return make().fit(X[:n], LABELS[:n] if make is NTKClassifier else Y[:n, 0])


def size_of(params):
    return sum(np.size(array) for layer in params for array in layer if array is not None)


def loss_hessian():
    return curvature.hessian(NETWORK, PARAMS, X, Y)


def tracked():
    tracker = curvature.Tracker(samples=4000, batch=4, eigenvalues=40, tolerance=1e-12).watch(NETWORK, X, Y)
    try:
        tracker.record(0, PARAMS)
    finally:
        assert {len(column) for column in tracker.history.values()} == {0}


def bottleneck(**options):
    outer = stax.serial(stax.Dense(16, 1.4, 0.1), stax.Erf(), stax.Dense(1))
    return regimes.Bottleneck(outer, NETWORK, 2, 0.01, random_state=0, **options)


@functools.cache
def two_layer():
    return regimes.NeuralTangent(1000, ridge=0.1, random_state=0).fit(X[:500], Y[:500, 0])


def user_function(x):
    return np.maximum(x, 0)


KERNELS = {
    "kernel_fn": lambda: DEEP.kernel_fn(X, None, ("nngp", "ntk")),
    "kernel_fn float32": lambda: DEEP.kernel_fn(X.astype(np.float32), None, "ntk"),
    "kernel_fn of many inputs": lambda: NETWORK.kernel_fn(many(), many()[:1], "ntk"),
    "kernel_fn of many inputs (deep)": lambda: DEEP.kernel_fn(many(), many()[:16], "ntk"),
    "kernel_fn.plan": lambda: DEEP.kernel_fn.plan(np.tile(many(), (10, 1)), get="ntk"),
    "kernel_fn.plan of series": lambda: SERIES.kernel_fn.plan(many(), get="ntk"),
    "kernel_fn.diagonal": lambda: DEEP.kernel_fn.diagonal(np.tile(many(), (5, 1)), "ntk"),
    "kernel_fn of images": lambda: IMAGES_FLAT.kernel_fn(np.zeros((4000, 64, 64, 3), np.float32).transpose(0, 3, 1, 2)),
    "kernel_fn by quadrature": lambda: stax.serial(
        stax.Dense(8), stax.ElementwiseNumerical(user_function, deg=100), stax.Dense(1)
    ).kernel_fn(X[:1000], None, "nngp"),
    "NTKKernel": lambda: NTKKernel(depth=30, activation="erf")(X, eval_gradient=False),
    "NTKKernel gradient": lambda: NTKKernel(depth=10, activation="erf")(X, eval_gradient=True),
    "monte_carlo_kernel_fn": lambda: empirical.monte_carlo_kernel_fn(NETWORK.init_fn, NETWORK.apply_fn, 0, 1000)(
        X[:2000], None, "nngp"
    ),
    "batch": lambda: empirical.batch(DEEP.kernel_fn, 500)(X, None, "ntk"),
}

FINITE = {
    "init_fn": lambda: stax.serial(stax.repeat(stax.Dense(2000), 12), stax.Dense(1)).init_fn(0, (-1, 2000)),
    "apply_fn": lambda: NETWORK.apply_fn(PARAMS, np.concatenate([many()] * 6)),
    "apply_fn of wide layers": lambda: wide()[0].apply_fn(wide()[1], X),
    "apply_fn of images": lambda: IMAGES.apply_fn(IMAGES.init_fn(0, (-1, 32, 32, 3))[1], np.ones((8000, 32, 32, 3))),
    "taylor_expand": lambda: empirical.taylor_expand(NETWORK.apply_fn, PARAMS, 2)(
        moved(PARAMS), np.concatenate([many()] * 2)
    ),
    "loss_and_gradient": lambda: empirical.loss_and_gradient(NETWORK, PARAMS, many(), targets()),
    "loss_and_gradient of wide layers": lambda: empirical.loss_and_gradient(*wide(), X, Y),
    "curvature_vector_product": lambda: empirical.curvature_vector_product(
        NETWORK, PARAMS, many(), targets(), direction(size_of(PARAMS))
    ),
    "empirical_ntk_fn": lambda: empirical.empirical_ntk_fn(NETWORK)(np.tile(X, (3, 1)), None, PARAMS),
    "empirical_ntk_fn of images": lambda: empirical.empirical_ntk_fn(IMAGES)(
        np.random.default_rng(0).standard_normal((600, 32, 32, 3)), None, IMAGES.init_fn(0, (-1, 32, 32, 3))[1]
    ),
    "empirical_nngp_fn": lambda: empirical.empirical_nngp_fn(wide()[0])(X, None, wide()[1]),
    "empirical_ntk_vp_fn": lambda: empirical.empirical_ntk_vp_fn(NETWORK, many(), None, PARAMS)(targets()),
    "gradient_gram": lambda: empirical.gradient_gram(NETWORK, PARAMS, np.tile(X, (3, 1)), np.tile(Y, (3, 1))),
    "empirical_ntk_from_jacobians": lambda: empirical.empirical_ntk_from_jacobians([jacobian()[:, None, :]]),
    "train": lambda: train(NETWORK, PARAMS, many(), targets(), optimizer="gd", steps=3, batch_size=None),
    "train of wide layers": lambda: train(*wide(), X, Y, optimizer="adam", steps=10),
    "train(lazy)": lambda: train(NETWORK, PARAMS, many(), targets(), optimizer="gd", steps=3, mode="lazy"),
    "train(flow)": lambda: train(NETWORK, PARAMS, many(), targets(), optimizer="flow", time=1.0),
}

CURVATURE = {
    "hessian @ v": lambda: curvature.hessian(NETWORK, PARAMS, many(), targets()) @ direction(size_of(PARAMS)),
    "gauss_newton @ v": lambda: curvature.gauss_newton(NETWORK, PARAMS, many(), targets()) @ direction(size_of(PARAMS)),
    "empirical_fisher @ v": lambda: (
        curvature.empirical_fisher(NETWORK, PARAMS, many(), targets(), centered=True) @ direction(size_of(PARAMS))
    ),
    "hessian @ block": lambda: loss_hessian() @ np.tile(direction(size_of(PARAMS))[:, None], (1, 300)),
    "eigenvalues": lambda: curvature.eigenvalues(loss_hessian(), 60, tolerance=1e-14),
    "trace": lambda: curvature.trace(loss_hessian(), 100_000),
    "spectral_density": lambda: curvature.spectral_density(loss_hessian(), 1000, 64),
    "gradient_covariance": lambda: curvature.gradient_covariance(NETWORK, PARAMS, X, Y, batch=None),
    "gradient_covariance of batches": lambda: curvature.gradient_covariance(
        NETWORK, PARAMS, many(), targets(), batch=50
    ),
    "covariance_spectrum": lambda: curvature.covariance_spectrum(jacobian()),
    "sample_curvatures": lambda: curvature.sample_curvatures(
        NETWORK, PARAMS, many(), targets(), direction(size_of(PARAMS))
    ),
    "step_to_raise": lambda: curvature.step_to_raise(NETWORK, PARAMS, many(), targets(), direction(size_of(PARAMS))),
    "Tracker": tracked,
    "kernel_velocity": lambda: hierarchy.kernel_velocity(*wide(), np.tile(X, (2, 1)), direction(size_of(wide()[1]))),
    "loss_kernel_velocity": lambda: hierarchy.loss_kernel_velocity(*wide(), X, Y),
    "tangent_hierarchy": lambda: hierarchy.tangent_hierarchy(NETWORK, PARAMS, X[:48]),
    "truncated_hierarchy": lambda: hierarchy.truncated_hierarchy(
        np.zeros(120), np.ones(120), [1e3 * np.eye(120), np.zeros((120,) * 3)], [0.0, 1e4], tolerance=1e-13
    ),
    "gradient_flow": lambda: hierarchy.gradient_flow(NETWORK, PARAMS, X, Y, [1e5]),
    "AdaptiveKernel": lambda: hierarchy.AdaptiveKernel(*wide()).features(np.tile(X, (2, 1))),
}

OPERATORS = {
    "KernelOperator @ v": lambda: operators.KernelOperator(DEEP, X) @ np.ones(4000),
    "KernelOperator @ block": lambda: (
        operators.KernelOperator(NETWORK, np.tile(X, (8, 1)), store=0) @ np.ones((32_000, 2))
    ),
    "KernelOperator.rows": lambda: operators.KernelOperator(DEEP, many()).rows(np.arange(0, 100_000, 1000)),
    "Dense @ block": lambda: operators.Dense(gram(5000)) @ np.tile(Y[:1], (5000, 1500)),
    "GradientCovariance @ block": lambda: operators.GradientCovariance(jacobian()) @ np.ones((8000, 1000)),
    "GradientCovariance.diagonal": lambda: [operators.GradientCovariance(jacobian()).diagonal() for _ in range(100)],
    "kernel_matrix": lambda: operators.kernel_matrix(DEEP, X),
    "solve(cholesky)": lambda: solvers.solve(operators.KernelOperator(NETWORK, np.tile(X, (3, 1))), np.ones(12000)),
    "solve(cg)": lambda: solvers.solve(operators.KernelOperator(NETWORK, X, ridge=1e-9), Y, "cg", tolerance=1e-14),
    "solve(minres)": lambda: solvers.solve(
        operators.KernelOperator(NETWORK, X, ridge=1e-9), Y, "minres", tolerance=1e-14
    ),
    "solve(cg) of many right-hand sides": lambda: solvers.solve(
        operators.Dense(gram(5000)), np.random.default_rng(0).standard_normal((5000, 1000)), "cg", tolerance=1e-12
    ),
}

PREDICTIONS = {
    "gp_inference": lambda: predict.gp_inference(gram(4000), np.ones((4000, 1)))("ntk", gram(4000)),
    "gradient_descent_mse": lambda: predict.gradient_descent_mse(gram(2500), np.ones((2500, 1)))(1.0),
    "gradient_descent": lambda: predict.gradient_descent("mse", gram(200), np.ones((200, 1)))([1e9, 1e12]),
    "gradient_descent_mse_ensemble": lambda: predict.gradient_descent_mse_ensemble(DEEP.kernel_fn, X, Y)(
        None, X[:5], "ntk", True
    ),
    "max_learning_rate": lambda: predict.max_learning_rate(gram(9000)),
    "log_marginal_likelihood": lambda: predict.log_marginal_likelihood(DEEP.kernel_fn, X, Y, 0.1),
    "sample_posterior": lambda: predict.sample_posterior(predict.Gaussian(np.zeros((3000, 1)), gram(3000)), 2000, 0),
    "NTKRegressor.fit": lambda: NTKRegressor(DEEP).fit(X, Y[:, 0]),
    "NTKRegressor.predict": lambda: fitted(NTKRegressor).predict(many()),
    "NNGPRegressor.predict(return_std)": lambda: fitted(NNGPRegressor).predict(many(), return_std=True),
    "NNGPRegressor.sample_y": lambda: fitted(NNGPRegressor, 500).sample_y(many()[:4000], 10, random_state=0),
    "NTKClassifier.fit": lambda: NTKClassifier(DEEP).fit(X, LABELS),
    "NTKClassifier.predict_proba": lambda: fitted(NTKClassifier).predict_proba(many()),
}

SPECTRA = {
    "gram_eigenvalues": lambda: spectra.gram_eigenvalues(gram(3000)),
    "gram_eigenvalues(k)": lambda: spectra.gram_eigenvalues(NETWORK, X, 30, tolerance=1e-13),
    "interpolant_norm": lambda: spectra.interpolant_norm(DEEP, X, Y[:, 0]),
    "kernel_alignment": lambda: [spectra.kernel_alignment(gram(5000), np.arange(5000) % 2) for _ in range(100)],
    "frequency_energies": lambda: spectra.frequency_energies(X, Y[:, 0], 300),
    "sphere_spectrum": lambda: spectra.sphere_spectrum(spectra.laplace(), 5, 4000),
    "asymptotics": lambda: [spectra.asymptotics(spectra.fully_connected(k + 3), 3) for k in range(1000)],
    "compare": lambda: spectra.compare(*(spectra.fully_connected(depth) for depth in range(3, 40)), max_frequency=2000),
    "zonal_energies": lambda: spectra.zonal_energies(np.abs, 5, 4000),
    "learning_curve": lambda: [
        spectra.learning_curve(spectra.sphere_spectrum(spectra.laplace(), 5, 50), np.ones(51), np.arange(1, 10**5))
        for _ in range(100)
    ],
}

REGIMES = {
    "Autoencoder.fit": lambda: regimes.Autoencoder(1000, steps=10**6, normalize=True, random_state=0).fit(X[:50]),
    "Autoencoder.limit_kernel": lambda: regimes.Autoencoder(10, normalize=True, random_state=0).limit_kernel(
        np.tile(X, (4, 1))
    ),
    "Autoencoder.fit(flow)": lambda: regimes.Autoencoder(
        1000, optimizer="flow", steps=10**6, normalize=True, random_state=0
    ).fit(X[:50]),
    "Autoencoder.kernel": lambda: (
        regimes.Autoencoder(4000, steps=1, normalize=True, random_state=0).fit(X[:300]).kernel(X[:300])
    ),
    "Autoencoder.predict_infinite": lambda: (
        regimes.Autoencoder(100, steps=1, normalize=True, random_state=0).fit(X[:1500]).predict_infinite(X[:1500])
    ),
    "Bottleneck.fit": lambda: bottleneck(steps=10**6).fit(X[:50], Y[:50]),
    "Bottleneck.fit of many inputs": lambda: bottleneck(steps=10**6).fit(X[:2000], Y[:2000]),
    "Bottleneck.fit(compressed)": lambda: bottleneck(steps=10**6, history="compressed").fit(X[:500], Y[:500]),
    "Bottleneck.fit(flow)": lambda: bottleneck(time=1e3, dynamics="flow").fit(X[:500], Y[:500]),
    "LinearBottleneck.fit(flow)": lambda: regimes.LinearBottleneck(2, time=1e9, random_state=0).fit(X, Y[:, 0]),
    "NeuralTangent.predict": lambda: two_layer().predict(np.tile(many(), (10, 1))),
    "fit_population": lambda: regimes.RandomFeatures(4000, random_state=0).fit_population(
        regimes.lazy_training_target(200, 0)
    ),
    "LinearBottleneck.fit": lambda: regimes.LinearBottleneck(2, 1e-3, steps=10**7, dynamics="gd", random_state=0).fit(
        X[:500], Y[:500, 0]
    ),
    "RandomFeatures.fit": lambda: regimes.RandomFeatures(3000, ridge=0.1, random_state=0).fit(X, Y[:, 0]),
    "NeuralTangent.fit": lambda: regimes.NeuralTangent(3000, ridge=0.1, random_state=0).fit(X, Y[:, 0]),
    "FullyTrained.fit": lambda: regimes.FullyTrained(300, steps=10**7, random_state=0).fit(X, Y[:, 0]),
    "train_finite_bottleneck": lambda: regimes.train_finite_bottleneck(
        HALF, HALF, 2, 500, X[:500], Y[:500], steps=10**6
    ),
    "input_gradient": lambda: regimes.input_gradient(NETWORK, X, None),
}


@functools.cache
def targets():
    return np.sin(many()).sum(axis=1)[:, None]


def moved(params):
    return tuple(tuple(None if array is None else array + 0.01 for array in layer) for layer in params)


RUNS = {f"reproduce.run({name})": functools.partial(reproduce.run, name, progress=False) for name in reproduce.names()}

LONG = KERNELS | FINITE | CURVATURE | OPERATORS | PREDICTIONS | SPECTRA | REGIMES | RUNS


def small():
    """What must work after every interrupt."""
    found = hierarchy.tangent_hierarchy(NETWORK, PARAMS, X[:3])
    velocity = hierarchy.loss_kernel_velocity(NETWORK, PARAMS, X[:3], Y[:3])
    np.testing.assert_allclose(velocity, -found.k3 @ (found.outputs - Y[:3, 0]) / 3, atol=1e-10)


@pytest.fixture(scope="module", autouse=True)
def prepared():
    """What the calls share is made before the clock runs."""
    for make in (many, wide, targets, jacobian):
        make()
    for n in (200, 2500, 3000, 4000, 5000, 9000):
        gram(n)


@pytest.mark.parametrize("name", LONG)
def test_interrupts_come_through_quickly(name, cpu_delay):
    before = (X.copy(), Y.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The signal may come while NumPy copies an argument, or while others have the processor's caches: the best of three.
        assert any(cpu_delay(LONG[name]) < 0.2 for _ in range(3))
    assert np.array_equal(X, before[0])
    assert np.array_equal(Y, before[1])
    small()


def test_an_interrupted_fit_changes_nothing(cpu_delay):
    model = NTKRegressor(DEEP).fit(X[:50], Y[:50, 0])
    before, predicted = dict(vars(model)), model.predict(X[:5])
    cpu_delay(lambda: model.fit(X, Y[:, 0]))
    assert all(vars(model)[name] is value for name, value in before.items() if name != "n_features_in_")
    assert np.array_equal(model.predict(X[:5]), predicted)


@pytest.mark.slow
def test_ctrl_c_is_tested_where_it_is_ignored_at_the_start():
    """As in a background job of a script."""
    test = Path(__file__).parents[1] / "training" / "test_runs.py"
    command = f"trap '' INT; exec '{sys.executable}' -m pytest -q -p no:cacheprovider '{test}' -k ctrl_c"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
