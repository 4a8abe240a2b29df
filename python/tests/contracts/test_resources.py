"""Every public function that computes takes `memory_limit` and `progress`, by keyword, and both have their effect."""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest

import ntkswift
from ntkswift import curvature, empirical, hierarchy, operators, predict, regimes, solvers, spectra, stax, train
from ntkswift.training import Flow

ARGUMENTS = ("memory_limit", "progress")

# What does not compute, by module; what is named here must lack the arguments, so that the list stays true.
DESCRIBE = {
    "ntkswift": ["linearize", "taylor_expand"],  # what they return computes
    "operators": ["as_operator"],
    "curvature": ["hessian", "gauss_newton", "empirical_fisher"],  # their products compute
    "parametrizations": ["maximal_update", "mean_field", "ntk", "standard"],
    "regimes": ["two_layer", "lazy_training_target"],
    "spectra": ["fully_connected", "gaussian", "laplace"],
    "training": ["interrupts_raise"],
    "reproduce": ["names"],
}
FORMULAS = {  # closed forms of a few numbers
    "curvature": ["break_even", "stability_factor"],
    "regimes": ["asymptotic_risk", "mean_tangent_risk", "time_to_threshold"],
    "spectra": ["effective_dimension", "harmonic_decay_constant", "learning_curve", "multiplicity"],
    "hierarchy": ["balance"],
}
SETTINGS = {
    "ntkswift": [
        "get_memory_limit",
        "get_num_threads",
        "memory_limit",
        "num_threads",
        "set_memory_limit",
        "set_num_threads",
        "show_config",
    ]
}
# A wrapper hands on what the wrapped kernel function takes; a report has a bar, and the memory of its many calls is theirs.
OTHERS = {"ntkswift": ["batch", "resntk"], "reproduce": ["run"]}
METHODS = [
    (hierarchy.AdaptiveKernel, ("__call__", "features", "regression", "residual_parts")),
    (hierarchy.KernelRegression, ("__call__",)),
    (hierarchy.TangentHierarchy, ("predict",)),
    (empirical.Expansion, ("__call__",)),
    (operators.SymmetricOperator, ("matvec", "matmat", "rmatvec", "rmatmat", "rows", "diagonal")),
    (type(stax.Dense(1).kernel_fn), ("__call__", "plan", "diagonal")),
    (type(stax.Dense(1).apply_fn), ("__call__",)),
    (regimes.Autoencoder, ("fit", "kernel")),
    (regimes.Bottleneck, ("fit",)),
    (regimes.LinearBottleneck, ("fit",)),
    (regimes.RandomFeatures, ("fit", "fit_population", "train", "risk")),
    (regimes.FullyTrained, ("fit", "train")),
]


def functions():
    """Public functions by module and name, each once, where it is defined."""
    modules = [getattr(ntkswift, name) for name in ntkswift.__all__ if inspect.ismodule(getattr(ntkswift, name))]
    found = {}
    for module in (ntkswift, *modules):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) and value not in found.values():
                found[module.__name__.split(".")[-1], name] = value
    return {key: value for key, value in found.items() if key[0] not in ("stax", "plotting")}


EXEMPT = {
    (module, name)
    for group in (DESCRIBE, FORMULAS, SETTINGS, OTHERS)
    for module, names in group.items()
    for name in names
}


def arguments(function):
    return {name: p for name, p in inspect.signature(function).parameters.items() if name in ARGUMENTS}


@pytest.mark.parametrize(("module", "name"), sorted(set(functions()) - EXEMPT))
def test_functions_take_both_by_keyword(module, name):
    given = arguments(functions()[module, name])
    assert set(given) == set(ARGUMENTS)
    assert all(p.kind is p.KEYWORD_ONLY and p.default is None for p in given.values())


@pytest.mark.parametrize(("kind", "names"), METHODS, ids=[kind.__name__ for kind, _ in METHODS])
def test_methods_take_both_by_keyword(kind, names):
    for name in names:
        given = arguments(getattr(kind, name))
        assert set(given) == set(ARGUMENTS), name
        assert all(p.kind is p.KEYWORD_ONLY and p.default is None for p in given.values())


def test_the_list_of_exceptions_is_true():
    for module, name in EXEMPT:
        value = getattr(ntkswift if module == "ntkswift" else importlib.import_module(f"ntkswift.{module}"), name)
        assert set(arguments(value)) < set(ARGUMENTS), f"{module}.{name} takes both"


# MARK: both have their effect

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((300, 4)), RNG.standard_normal((5, 4))
Y = np.sin(X).sum(axis=1, keepdims=True)
NETWORK = stax.serial(stax.Dense(16), stax.Erf(), stax.Dense(1))
PARAMS = NETWORK.init_fn(0, X.shape)[1]
DIRECTION = RNG.standard_normal(16 * 4 + 16)
KERNEL = NETWORK.kernel_fn(X, None, "ntk")
BOTH = NETWORK.kernel_fn(X, None, ("nngp", "ntk"))
CROSS = NETWORK.kernel_fn(Z, X, ("nngp", "ntk"))
LARGE = NETWORK.kernel_fn(np.tile(X, (2, 1)) + RNG.standard_normal((600, 4)), None, "ntk")
POINTS = X / np.linalg.norm(X, axis=1, keepdims=True)
TARGET = regimes.lazy_training_target(60)


def adaptive():
    return hierarchy.AdaptiveKernel(NETWORK, PARAMS)


CALLS = {
    "kernel_fn": lambda **k: NETWORK.kernel_fn(X, None, "ntk", **k),
    "apply_fn": lambda **k: NETWORK.apply_fn(PARAMS, X, **k),
    "gp_inference": lambda **k: predict.gp_inference(BOTH, Y, 1e-3, **k)("nngp", CROSS),
    "gradient_descent_mse": lambda **k: predict.gradient_descent_mse(KERNEL, Y, **k)(3.0),
    "gradient_descent": lambda **k: predict.gradient_descent("mse", KERNEL, Y, **k)(3.0),
    "gradient_descent_mse_ensemble": lambda **k: predict.gradient_descent_mse_ensemble(NETWORK.kernel_fn, X, Y, **k)(
        3.0
    ),
    "log_marginal_likelihood": lambda **k: predict.log_marginal_likelihood(NETWORK, X, Y, 0.1, eval_gradient=True, **k),
    "max_learning_rate": lambda **k: predict.max_learning_rate(LARGE, **k),
    "sample_posterior": lambda **k: predict.sample_posterior(predict.Gaussian(Y, np.eye(300)), seed=0, **k),
    "empirical_ntk_fn": lambda **k: empirical.empirical_ntk_fn(NETWORK, **k)(X, None, PARAMS),
    "empirical_nngp_fn": lambda **k: empirical.empirical_nngp_fn(NETWORK, **k)(X, None, PARAMS),
    "empirical_kernel_fn": lambda **k: empirical.empirical_kernel_fn(NETWORK, **k)(X, None, "ntk", PARAMS),
    "empirical_ntk_vp_fn": lambda **k: empirical.empirical_ntk_vp_fn(NETWORK, X, None, PARAMS, **k)(Y),
    "monte_carlo_kernel_fn": lambda **k: empirical.monte_carlo_kernel_fn(*NETWORK[:2], 0, 2, **k)(X, None, "ntk"),
    "loss_and_gradient": lambda **k: empirical.loss_and_gradient(NETWORK, PARAMS, X, Y, **k),
    "curvature_vector_product": lambda **k: empirical.curvature_vector_product(NETWORK, PARAMS, X, Y, DIRECTION, **k),
    "gradient_gram": lambda **k: empirical.gradient_gram(NETWORK, PARAMS, X, Y, **k),
    "linearize": lambda **k: empirical.linearize(NETWORK, PARAMS)(PARAMS, X, **k),
    "tangent_hierarchy": lambda **k: hierarchy.tangent_hierarchy(NETWORK, PARAMS, X[:20], **k),
    "kernel_velocity": lambda **k: hierarchy.kernel_velocity(NETWORK, PARAMS, X, DIRECTION, **k),
    "loss_kernel_velocity": lambda **k: hierarchy.loss_kernel_velocity(NETWORK, PARAMS, X, Y, **k),
    "gradient_flow": lambda **k: hierarchy.gradient_flow(NETWORK, PARAMS, X, Y, [0.1, 0.2], **k),
    "truncated_hierarchy": lambda **k: hierarchy.truncated_hierarchy(Y[:, 0], Y, [KERNEL], [0.1], **k),
    "AdaptiveKernel": lambda **k: adaptive()(X, **k),
    "AdaptiveKernel.regression": lambda **k: adaptive().regression(X, Y, 0.1, **k),
    "AdaptiveKernel.residual_parts": lambda **k: adaptive().residual_parts(X, Y, **k),
    "eigenvalues": lambda **k: curvature.eigenvalues(curvature.hessian(NETWORK, PARAMS, X, Y), **k),
    "trace": lambda **k: curvature.trace(curvature.hessian(NETWORK, PARAMS, X, Y), **k),
    "spectral_density": lambda **k: curvature.spectral_density(curvature.hessian(NETWORK, PARAMS, X, Y), **k),
    "gradient_covariance": lambda **k: curvature.gradient_covariance(NETWORK, PARAMS, X, Y, batch=2, **k),
    "sample_curvatures": lambda **k: curvature.sample_curvatures(NETWORK, PARAMS, X, Y, DIRECTION, **k),
    "step_to_raise": lambda **k: curvature.step_to_raise(NETWORK, PARAMS, X, Y, DIRECTION, **k),
    "solve": lambda **k: solvers.solve(operators.KernelOperator(NETWORK, X, ridge=1.0), Y, **k),
    "gram_eigenvalues": lambda **k: spectra.gram_eigenvalues(NETWORK, X, 3, **k),
    "frequency_energies": lambda **k: spectra.frequency_energies(POINTS, Y[:, 0], 5, **k),
    "interpolant_norm": lambda **k: spectra.interpolant_norm(NETWORK, X, Y[:, 0], ridge=0.1, **k),
    "sphere_spectrum": lambda **k: spectra.sphere_spectrum(NETWORK, 4, 50, **k),
    "compare": lambda **k: spectra.compare(NETWORK, max_frequency=40, **k),
    "input_gradient": lambda **k: regimes.input_gradient(NETWORK, X, Z, **k),
    "train": lambda **k: train(NETWORK, PARAMS, X, Y, steps=3, **k),
    "train by flow": lambda **k: train(NETWORK, PARAMS, X, Y, optimizer=Flow(), time=0.1, **k),
    "RandomFeatures.fit": lambda **k: regimes.RandomFeatures(20, "tanh", random_state=0).fit(X, Y[:, 0], **k),
    "RandomFeatures.fit_population": lambda **k: regimes.RandomFeatures(20, random_state=0).fit_population(TARGET, **k),
    "FullyTrained.fit": lambda **k: regimes.FullyTrained(20, steps=50, random_state=0).fit(X, Y[:, 0], **k),
    "Autoencoder.fit": lambda **k: regimes.Autoencoder(30, steps=3, random_state=0).fit(POINTS, **k),
}
# What these take beside their results fits into the kilobyte of the test, or belongs to NumPy.
SMALL = {"sphere_spectrum", "compare"}


@pytest.mark.parametrize("name", CALLS)
def test_progress_grows_to_one(name):
    fractions = []
    CALLS[name](progress=fractions.append)
    assert fractions
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    with pytest.raises(TypeError):
        CALLS[name](progress="a bar")


@pytest.mark.parametrize("name", sorted(set(CALLS) - SMALL))
def test_the_memory_limit_counts(name):
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        CALLS[name](memory_limit=1000)
    with pytest.raises((TypeError, ValueError), match="memory_limit"):
        CALLS[name](memory_limit="much")
