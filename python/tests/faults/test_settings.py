"""Numbers that steer the instruments, the hierarchy, spectra, training and empirical kernels: out of range, of another type, or
more than the memory limit allows. Every error names the argument; what was measured before a failure stays."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

import ntkswift
from ntkswift import ConvergenceError, curvature, empirical, hierarchy, regimes, spectra, stax, train
from ntkswift.training import GD, SGD, Adam, Flow

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((8, 3)), RNG.standard_normal((5, 3))
Y = np.sin(X).sum(axis=1)[:, None]
NETWORK = stax.serial(stax.Dense(6), stax.Tanh(), stax.Dense(1))
PARAMS = NETWORK.init_fn(0, X.shape)[1]
VECTOR = RNG.standard_normal(24)
OPERATOR = aslinearoperator(np.diag([1.0, 2.0, 3.0]))
SPECTRUM = spectra.sphere_spectrum(np.exp, 3, 12)

# What is no positive integer, no positive number, and no number between 0 and 1.
COUNTS = (0, -1, 2.5, float("nan"), "two", True, 2**70)
NUMBERS = (0.0, -1.0, float("nan"), float("inf"), "two")
SHARES = (0.0, 1.0, -0.1, float("nan"), "two")


def tracker(**options):
    of_the_run = {name: options.pop(name) for name in ("learning_rate", "batch_size") if name in options}
    return curvature.Tracker(**{"batch": 2, **options}).watch(NETWORK, X, Y, **of_the_run)


def fit(**options):
    return train(NETWORK, PARAMS, X, Y, **{"steps": 2, **options})


# argument -> a call with a bad value for it, and these values
SETTINGS = {
    "eigenvalues: count": (lambda v: curvature.eigenvalues(OPERATOR, v), (*COUNTS, 4)),
    "eigenvalues: tolerance": (lambda v: curvature.eigenvalues(OPERATOR, tolerance=v), SHARES),
    "eigenvalues: seed": (lambda v: curvature.eigenvalues(OPERATOR, seed=v), (-1, 0.5, None, 2**64)),
    "eigenvalues: end": (lambda v: curvature.eigenvalues(OPERATOR, end=v), ("top", None, 0)),
    "eigenvalues: start": (
        lambda v: curvature.eigenvalues(OPERATOR, start=v),
        (np.ones(2), np.ones((3, 1)), [np.nan] * 3),
    ),
    "trace: probes": (lambda v: curvature.trace(OPERATOR, v), COUNTS),
    "spectral_density: probes": (lambda v: curvature.spectral_density(OPERATOR, v), COUNTS),
    "spectral_density: steps": (lambda v: curvature.spectral_density(OPERATOR, 2, v), COUNTS),
    "gradient_covariance: batch": (
        lambda v: curvature.gradient_covariance(NETWORK, PARAMS, X, Y, batch=v),
        COUNTS,
    ),
    "gradient_covariance: top": (
        lambda v: curvature.gradient_covariance(NETWORK, PARAMS, X, Y, batch=2, top=v),
        COUNTS,
    ),
    "covariance_spectrum: count": (lambda v: curvature.covariance_spectrum(X, count=v), COUNTS),
    "step_to_raise: factor": (
        lambda v: curvature.step_to_raise(NETWORK, PARAMS, X, Y, VECTOR, factor=v),
        (1.0, *NUMBERS),
    ),
    "step_to_raise: most": (lambda v: curvature.step_to_raise(NETWORK, PARAMS, X, Y, VECTOR, most=v), NUMBERS),
    "step_to_raise: update": (
        lambda v: curvature.step_to_raise(NETWORK, PARAMS, X, Y, v),
        (VECTOR * np.nan, VECTOR[1:]),
    ),
    "sample_curvatures: direction": (
        lambda v: curvature.sample_curvatures(NETWORK, PARAMS, X, Y, v),
        (VECTOR * np.nan, VECTOR[1:], VECTOR[:, None]),
    ),
    "break_even: learning_rate": (lambda v: curvature.break_even(v, 1, 9, 0.5), NUMBERS),
    "break_even: batch_size": (lambda v: curvature.break_even(0.1, v, 9, 0.5), (*COUNTS, 10)),
    "break_even: alpha": (lambda v: curvature.break_even(0.1, 1, 9, v), NUMBERS[1:]),
    "break_even: psi": (lambda v: curvature.break_even(0.1, 1, 9, 0.5, v), (0.0, float("nan"), "one")),
    "stability_factor: batch_size": (lambda v: curvature.stability_factor(0.1, v, [1.0, 2.0]), (*COUNTS, 3)),
    "Tracker: every": (lambda v: tracker(every=v), COUNTS),
    "Tracker: samples": (lambda v: tracker(samples=v), (*COUNTS, 9)),
    "Tracker: batch": (lambda v: tracker(batch=v), (*COUNTS, 5)),
    "Tracker: curvature_samples": (lambda v: tracker(curvature_samples=v), (*COUNTS, 9)),
    "Tracker: learning_rate": (lambda v: tracker(learning_rate=v), NUMBERS),
    "Tracker: batch_size": (lambda v: tracker(batch_size=v), (*COUNTS, 9)),
    "Tracker: eigenvalues": (lambda v: tracker(eigenvalues=v), COUNTS),
    "Tracker: tolerance": (lambda v: tracker(tolerance=v), SHARES),
    "Tracker: probes": (lambda v: tracker(probes=v), COUNTS),
    "Tracker: steps": (lambda v: tracker(steps=v), COUNTS),
    "Tracker: seed": (lambda v: tracker(seed=v), (-1, 0.5, None)),
    "Tracker: measure": (lambda v: tracker(measure=v), ("curvature", ("hessian", "sharp"))),
    "tangent_hierarchy: order": (
        lambda v: hierarchy.tangent_hierarchy(NETWORK, PARAMS, X, order=v),
        (1, 5, 2.5, "two", True, None),
    ),
    "predict: order": (
        lambda v: hierarchy.tangent_hierarchy(NETWORK, PARAMS, X, order=2).predict(Y, [1.0], v),
        (1, 3, 2.5, True),
    ),
    "truncated_hierarchy: tolerance": (
        lambda v: hierarchy.truncated_hierarchy([1.0], [0.0], [[[4.0]]], [1.0], tolerance=v),
        SHARES,
    ),
    "truncated_hierarchy: times": (
        lambda v: hierarchy.truncated_hierarchy([1.0], [0.0], [[[4.0]]], v),
        ([1.0, 0.5], [-1.0], [np.nan], [np.inf], [], 1.0),
    ),
    "gradient_flow: tolerance": (lambda v: hierarchy.gradient_flow(NETWORK, PARAMS, X, Y, [0.1], tolerance=v), SHARES),
    "gradient_flow: weight_decay": (
        lambda v: hierarchy.gradient_flow(NETWORK, PARAMS, X, Y, [0.1], weight_decay=v),
        NUMBERS[1:],
    ),
    "regression: ridge": (lambda v: hierarchy.AdaptiveKernel(NETWORK, PARAMS).regression(X, Y, v), NUMBERS[1:]),
    "residual_parts: tolerance": (
        lambda v: hierarchy.AdaptiveKernel(NETWORK, PARAMS).residual_parts(X, Y, tolerance=v),
        NUMBERS[1:],
    ),
    "sphere_spectrum: dimension": (lambda v: spectra.sphere_spectrum(np.exp, v), (1, *COUNTS)),
    "sphere_spectrum: max_frequency": (lambda v: spectra.sphere_spectrum(np.exp, 3, v), COUNTS[1:]),
    "compare: max_frequency": (lambda v: spectra.compare(np.exp, max_frequency=v), COUNTS[1:]),
    "frequency_energies: max_frequency": (lambda v: spectra.frequency_energies(X, Y[:, 0], v), COUNTS[1:]),
    "zonal_energies: dimension": (lambda v: spectra.zonal_energies(np.square, v, 3), (1, *COUNTS)),
    "zonal_energies: max_frequency": (lambda v: spectra.zonal_energies(np.square, 3, v), COUNTS[1:]),
    "decay: first": (lambda v: SPECTRUM.decay(v, 11), (0, 11, 12, 2.5, "two")),
    "gram_eigenvalues: k": (lambda v: spectra.gram_eigenvalues(NETWORK, X, v), (*COUNTS, 9)),
    "learning_curve: samples": (lambda v: spectra.learning_curve(SPECTRUM, [1.0], [v]), (0, -1, float("nan"), "two")),
    "effective_dimension: ridge": (lambda v: spectra.effective_dimension([1.0, 2.0], v), NUMBERS),
    "train: steps": (lambda v: fit(steps=v), COUNTS[1:]),
    "train: epochs": (lambda v: fit(steps=None, epochs=v), COUNTS[1:]),
    "train: batch_size": (lambda v: fit(batch_size=v, optimizer="sgd"), (*COUNTS, 9)),
    "train: every": (lambda v: fit(every=v), COUNTS[:-1]),
    "train: learning_rate": (lambda v: fit(optimizer=GD(v)), NUMBERS),
    "train: momentum": (lambda v: fit(optimizer=SGD(0.1, momentum=v)), (1.0, -0.1, float("nan"))),
    "train: weight_decay": (lambda v: fit(optimizer=Adam(0.1, weight_decay=v)), NUMBERS[1:4]),
    "train: time": (lambda v: fit(steps=None, optimizer=Flow(), time=v), NUMBERS[1:4]),
    "taylor_expand: degree": (lambda v: empirical.taylor_expand(NETWORK, PARAMS, v), (-1, 4, 1.5, "two", True)),
    "monte_carlo_kernel_fn: n_samples": (
        lambda v: empirical.monte_carlo_kernel_fn(NETWORK.init_fn, NETWORK.apply_fn, 0, v),
        (0, -1, 2.5, float("nan"), "two", True, None, [], [3, 0]),
    ),
    "batch: batch_size": (lambda v: empirical.batch(empirical.empirical_ntk_fn(NETWORK), v), (-1, 2.5, "two", True)),
    "curvature_vector_product: vector": (
        lambda v: empirical.curvature_vector_product(NETWORK, PARAMS, X, Y, v),
        (VECTOR * np.nan, VECTOR[1:], np.full(24, "a"), np.ones((2, 2, 24))),
    ),
    "curvature_vector_product: kind": (
        lambda v: empirical.curvature_vector_product(NETWORK, PARAMS, X, Y, VECTOR, kind=v),
        ("fisher", None, 0),
    ),
    "LinearBottleneck: learning_rate": (
        lambda v: regimes.LinearBottleneck(2, v, steps=2, dynamics="gd").fit(X, Y[:, 0]),
        NUMBERS,
    ),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_numbers_out_of_range_are_named(setting):
    call, values = SETTINGS[setting]
    name = setting.split(": ")[1]
    for value in values:
        with pytest.raises((ValueError, TypeError), match=rf"^\[.*\b{name}\b") as caught:
            call(value)
        assert "Received" in str(caught.value), value


def not_zonal(x, z):
    """The first coordinates count twice."""
    return (x * [2.0, 1.0, 1.0]) @ z.T


@pytest.mark.parametrize(
    ("kernel", "error"),
    [
        (lambda angle: np.ones(3), ValueError),
        (lambda angle: "one", (ValueError, TypeError)),
        (lambda angle: np.full_like(angle, np.nan), ValueError),
        (stax.serial(stax.Dense(4), stax.LayerNorm(), stax.Dense(1), stax.BatchNorm()), ValueError),
        (not_zonal, (ValueError, TypeError)),
        (3.0, TypeError),
        (None, TypeError),
    ],
    ids=["another shape", "a word", "NaN", "BatchNorm", "not zonal", "a number", "None"],
)
def test_kernels_that_are_not_zonal(kernel, error):
    with pytest.raises(error, match="kernel"):
        spectra.sphere_spectrum(kernel, 3, 8)


# Calls that take much more than the bytes they are given.
X_MANY = RNG.standard_normal((400, 3))
Y_MANY = np.sin(X_MANY).sum(axis=1)[:, None]
LARGE = {
    "hessian": lambda: curvature.eigenvalues(curvature.hessian(NETWORK, PARAMS, X_MANY, Y_MANY)),
    "gradient_covariance": lambda: curvature.gradient_covariance(NETWORK, PARAMS, X_MANY, Y_MANY, batch=None),
    "covariance_spectrum": lambda: curvature.covariance_spectrum(X_MANY),
    "Tracker": lambda: curvature.Tracker(samples=400, batch=2).watch(NETWORK, X_MANY, Y_MANY).record(0, PARAMS),
    "tangent_hierarchy": lambda: hierarchy.tangent_hierarchy(NETWORK, PARAMS, X_MANY),
    "kernel_velocity": lambda: hierarchy.kernel_velocity(NETWORK, PARAMS, X_MANY, VECTOR),
    "truncated_hierarchy": lambda: hierarchy.truncated_hierarchy(Y_MANY[:, 0], Y_MANY, [np.eye(400)] * 1, [1.0]),
    "gram_eigenvalues": lambda: spectra.gram_eigenvalues(NETWORK, X_MANY),
    "frequency_energies": lambda: spectra.frequency_energies(X_MANY, Y_MANY[:, 0], 5),
    "empirical_ntk_fn": lambda: empirical.empirical_ntk_fn(NETWORK)(X_MANY, None, PARAMS),
    "gradient_gram": lambda: empirical.gradient_gram(NETWORK, PARAMS, X_MANY, Y_MANY),
    "train": lambda: train(NETWORK, PARAMS, X_MANY, Y_MANY, steps=1),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_refused_before_it_is_taken(name):
    began = time.monotonic()
    with ntkswift.memory_limit(2000), pytest.raises(MemoryError, match=r"\d+ bytes"):
        LARGE[name]()
    assert time.monotonic() - began < 2
    with ntkswift.memory_limit(2**70):  # beyond every memory: as good as none
        assert ntkswift.get_memory_limit() > 2**60


def test_a_tracked_run_that_breaks_keeps_both_histories():
    """A cubic network with too large a learning rate: the loss is no number after a few steps."""
    network = stax.serial(stax.Dense(6), stax.Polynomial([0.0, 0.0, 1.0]), stax.Dense(1))
    params = network.init_fn(0, X.shape)[1]
    watch = curvature.Tracker(every=1, batch=2, measure=("covariance", "hessian"))
    with pytest.raises((ConvergenceError, FloatingPointError)) as caught, np.errstate(all="ignore"):
        train(network, params, X, Y, steps=200, optimizer=GD(20.0), callback=watch, every=1)
    history = watch.history
    assert len(history["step"]) >= 2
    assert np.isfinite(history["loss"]).all()
    assert all(len(column) == len(history["step"]) for column in history.values())
    assert "history" in str(caught.value)
    with pytest.raises(ConvergenceError) as caught, np.errstate(all="ignore"):
        train(network, params, X, Y, steps=200, optimizer=GD(20.0))
    kept = caught.value.history
    assert len(kept.loss) >= 2
    assert np.isfinite(kept.loss[:-1]).all()
    np.testing.assert_allclose(kept.loss[: len(history["loss"])][:2], history["loss"][:2], rtol=1e-12)
