"""The table of what is fuzzed: every public callable with an example of its arguments, and the methods of what they return.

Arrays and the calls that take them are those of the table in python/tests/faults; here stand the callables whose other
arguments matter. `python/tests/fuzz/test_fuzz.py` fails where a public callable is in neither.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ntkswift
from ntkswift import (
    curvature,
    empirical,
    estimators,
    hierarchy,
    operators,
    parametrizations,
    plotting,
    predict,
    regimes,
    reproduce,
    solvers,
    spectra,
    stax,
    training,
)

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((6, 3)), RNG.standard_normal((4, 3))
Y = np.sin(X).sum(axis=1)
COLUMN, UNIT = Y[:, None], X / np.linalg.norm(X, axis=1, keepdims=True)
LABELS = (np.median(Y) < Y).astype(float)
NET = stax.serial(stax.Dense(4, 1.4, 0.1), stax.Relu(), stax.Dense(1, 1.1, 0.1))
SMOOTH = stax.serial(stax.Dense(4, 1.4, 0.1), stax.Tanh(), stax.Dense(1, 1.1, 0.1))
IMAGE = stax.serial(stax.Conv(2, (3, 3)), stax.Relu(), stax.GlobalAvgPool(), stax.Dense(1))
PARAMS = SMOOTH.init_fn(0, (-1, 3))[1]
GRAM, CROSS = NET.kernel_fn(X, None, "ntk"), NET.kernel_fn(Z, X, "ntk")
MATRIX = GRAM + 0.1 * np.eye(6)
VECTOR = RNG.standard_normal(21)
IMAGES = RNG.standard_normal((3, 4, 4, 1))
# Layers without an infinite-width kernel are applied to images.
FINITE_ONLY = ("AvgPool", "SumPool", "Conv", "BatchNorm", "GlobalAvgPool", "GlobalSumPool")
ANGLES = np.linspace(0.0, 3.0, 5)


@dataclass(frozen=True)
class Entry:
    """`function` with keyword arguments that work; `has_infinities`: infinities or NaN are among its documented values."""

    name: str
    function: Callable[..., Any]
    example: dict[str, Any]
    has_infinities: bool = False

    @property
    def arguments(self) -> list[str]:
        """What may be replaced: the example's arguments, and those with defaults."""
        if self.name.startswith("faults"):
            return list(self.example)
        try:
            parameters = inspect.signature(self.function).parameters.values()
        except ValueError:
            return list(self.example)
        named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        return list(dict.fromkeys([*self.example, *named]))


def entries() -> list[Entry]:
    """All of them."""
    table = [*_networks(), *_predictions(), *_finite(), *_curvatures(), *_hierarchies(), *_spectra(), *_estimators()]
    return [*table, *_regimes(), *_training(), *_plots(), *_rest(), *_array_cases()]


def _array_cases() -> list[Entry]:
    path = Path(__file__).parents[1] / "faults" / "conftest.py"
    spec = importlib.util.spec_from_file_location("ntkswift_fault_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return [Entry(f"faults: {case.name}", case.call, dict(case.values)) for case in module._cases()]


def _networks() -> list[Entry]:
    def kernel_of(make: Callable[..., Any]) -> Callable[..., Any]:
        def compute(**arguments: Any) -> Any:
            layer = make(**arguments)
            if make.__name__ in FINITE_ONLY:
                network = stax.serial(stax.Conv(2, (1, 1)), layer)
                return network.apply_fn(network.init_fn(0, IMAGES.shape)[1], IMAGES)
            if make.__name__ == "FanOut":
                layer = stax.serial(layer, stax.FanInSum())
            elif make.__name__.startswith("FanIn"):
                layer = stax.serial(stax.FanOut(2), stax.parallel(stax.Identity(), stax.Dense(3)), layer, stax.Dense(3))
            return stax.serial(stax.Dense(3), layer, stax.Dense(1)).kernel_fn(X, None, ("nngp", "ntk"))

        compute.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return compute

    examples: dict[str, dict[str, Any]] = {
        "AvgPool": {"window_shape": (2, 2)},
        "Conv": {"out_chan": 3, "filter_shape": (3, 3)},
        "Dense": {"out_dim": 3},
        "Dropout": {"rate": 0.9},
        "Elementwise": {"nngp_fn": lambda cov, var1, var2: cov, "d_nngp_fn": lambda cov, var1, var2: 1 + 0 * cov},
        "ElementwiseNumerical": {"fn": np.tanh, "deg": 25},
        "FanOut": {"num": 2},
        "ResidualBlock": {"alpha": 0.3, "width": 3},
        "SumPool": {"window_shape": (2, 2)},
        "activation": {"name": "relu"},
        "repeat": {"layer": stax.serial(stax.Relu(), stax.Dense(3)), "n": 2},
        "ABRelu": {"a": 0.1, "b": 1.0},
        "Hermite": {"degree": 2},
        "LeakyRelu": {"alpha": 0.1},
        "Monomial": {"degree": 2},
        "Polynomial": {"coef": [0.0, 1.0, 0.5]},
        "RectifiedMonomial": {"degree": 2},
    }
    table = []
    for name in stax.__all__:
        make = getattr(stax, name)
        if name in ("KernelPlan", "Layer", "Nonlinearity") or name.startswith(("serial", "parallel")):
            continue
        table.append(Entry(f"stax.{name}", kernel_of(make), examples.get(name, {})))
    plan = NET.kernel_fn.plan(X, get="ntk")
    return [
        *table,
        Entry("stax.serial", lambda a, b: stax.serial(a, b).kernel_fn(X), {"a": stax.Dense(3), "b": stax.Relu()}),
        Entry("stax.parallel", lambda a, b: stax.parallel(a, b), {"a": stax.Dense(3), "b": stax.Relu()}),
        Entry("stax.KernelPlan", stax.KernelPlan, {"data": bytes(plan)})
        if hasattr(plan, "__bytes__")
        else Entry("stax.KernelPlan", stax.KernelPlan, {"data": b"plan"}),
        Entry("stax: kernel_fn", NET.kernel_fn, {"x1": X, "x2": Z, "get": "ntk"}),
        Entry("stax: kernel_fn.diagonal", NET.kernel_fn.diagonal, {"x": X}),
        Entry("stax: kernel_fn.plan", NET.kernel_fn.plan, {"x1": X}),
        Entry("stax: kernel_fn of a record", lambda record: NET.kernel_fn(record), {"record": NET.kernel_fn(X)}),
        Entry("stax: init_fn", SMOOTH.init_fn, {"rng": 0, "input_shape": (-1, 3)}),
        Entry("stax: apply_fn", SMOOTH.apply_fn, {"params": PARAMS, "inputs": X}),
        Entry(
            "stax: apply_fn of images", IMAGE.apply_fn, {"params": IMAGE.init_fn(0, IMAGES.shape)[1], "inputs": IMAGES}
        ),
        Entry("stax: init_fn of images", IMAGE.init_fn, {"rng": 0, "input_shape": IMAGES.shape}),
        Entry("resntk", lambda depth, **more: ntkswift.resntk(depth, **more).kernel_fn(X), {"depth": 3, "alpha": 0.5}),
        Entry(
            "Kernel.replace",
            lambda nngp, ntk: NET.kernel_fn(X).replace(nngp=nngp, ntk=ntk),
            {"nngp": GRAM, "ntk": GRAM},
        ),
    ]


def _predictions() -> list[Entry]:
    def called(make: Callable[..., Any], *arguments: Any, **keywords: Any) -> Callable[..., Any]:
        def both(**given: Any) -> Any:
            return make(**given)(*arguments, **keywords)

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return both

    data = {"k_train_train": MATRIX, "y_train": COLUMN}
    inference = predict.gp_inference(MATRIX, COLUMN, diag_reg=1e-3)
    flow = predict.gradient_descent_mse(MATRIX, COLUMN)
    descent = predict.gradient_descent("mse", MATRIX, COLUMN)
    ensemble = predict.gradient_descent_mse_ensemble(NET.kernel_fn, X, COLUMN, diag_reg=1e-3)
    posterior = inference("ntk", CROSS)
    gaussian = predict.Gaussian(np.zeros((4, 1)), np.eye(4))
    at = {"t": 1.0, "fx_train_0": 0.0, "fx_test_0": 0.0, "k_test_train": CROSS}
    return [
        Entry("predict.gp_inference", called(predict.gp_inference, "ntk", CROSS), {**data, "diag_reg": 1e-3}),
        Entry("predict.gp_inference: result", inference, {"get": "ntk", "k_test_train": CROSS}),
        Entry("predict.gradient_descent", called(predict.gradient_descent, 1.0), {"loss": "mse", **data}),
        Entry("predict.gradient_descent: result", descent, {"t": 1.0, "k_test_train": CROSS}),
        Entry("predict.gradient_descent_mse", called(predict.gradient_descent_mse, 1.0), data),
        Entry("predict.gradient_descent_mse: result", flow, at),
        Entry(
            "predict.gradient_descent_mse_ensemble",
            called(predict.gradient_descent_mse_ensemble, 1.0, x_test=Z),
            {"kernel_fn": NET.kernel_fn, "x_train": X, "y_train": COLUMN},
        ),
        Entry("predict.gradient_descent_mse_ensemble: result", ensemble, {"t": 1.0, "x_test": Z, "get": "ntk"}),
        Entry(
            "predict.log_marginal_likelihood",
            predict.log_marginal_likelihood,
            {"kernel_fn": NET.kernel_fn, "x_train": X, "y_train": COLUMN, "noise": 0.1},
        ),
        Entry("predict.max_learning_rate", predict.max_learning_rate, {"ntk_train_train": MATRIX}, True),
        Entry("predict.sample_posterior", predict.sample_posterior, {"posterior": gaussian, "n_samples": 2}),
        Entry(
            "predict.sample_posterior: parts",
            lambda mean, covariance: predict.sample_posterior(predict.Gaussian(mean, covariance), 2, 0),
            {"mean": np.asarray(posterior), "covariance": np.eye(4)},
        ),
    ]


def _finite() -> list[Entry]:
    data = {"network": SMOOTH, "params": PARAMS, "x": X, "y": COLUMN}
    at = {"x1": X, "x2": Z, "params": PARAMS}

    def applied(make: Callable[..., Any]) -> Callable[..., Any]:
        def both(f: Any, params: Any = PARAMS, **more: Any) -> Any:
            return make(f, **more)(X, Z, params)

        return both

    jacobians = np.ones((3, 1, 5))
    table = [
        Entry(f"empirical.{name}", applied(getattr(empirical, name)), {"f": SMOOTH, "trace_axes": (-1,)})
        for name in ("empirical_ntk_fn", "empirical_nngp_fn")
    ]
    return [
        *table,
        Entry("empirical.empirical_kernel_fn", empirical.empirical_kernel_fn(SMOOTH), {**at, "get": "ntk"}),
        Entry("empirical.empirical_ntk_fn: result", empirical.empirical_ntk_fn(SMOOTH), at),
        Entry(
            "empirical.empirical_ntk_vp_fn",
            lambda f, x1, x2, params, v: empirical.empirical_ntk_vp_fn(f, x1, x2, params)(v),
            {"f": SMOOTH, "x1": X, "x2": None, "params": PARAMS, "v": COLUMN},
        ),
        Entry(
            "empirical.empirical_ntk_from_jacobians", empirical.empirical_ntk_from_jacobians, {"jacobians1": jacobians}
        ),
        Entry(
            "empirical.batch",
            lambda kernel_fn, batch_size: empirical.batch(kernel_fn, batch_size)(X, None, "ntk"),
            {"kernel_fn": NET.kernel_fn, "batch_size": 2},
        ),
        Entry(
            "empirical.linearize",
            lambda f, params: empirical.linearize(f, params)(PARAMS, X),
            {"f": SMOOTH, "params": PARAMS},
        ),
        Entry(
            "empirical.taylor_expand",
            lambda f, params, degree: empirical.taylor_expand(f, params, degree)(PARAMS, X),
            {"f": SMOOTH, "params": PARAMS, "degree": 2},
        ),
        Entry(
            "empirical.monte_carlo_kernel_fn",
            lambda init_fn, apply_fn, key, n_samples, **more: empirical.monte_carlo_kernel_fn(
                init_fn, apply_fn, key, n_samples, **more
            )(X, None, "ntk"),
            {"init_fn": SMOOTH.init_fn, "apply_fn": SMOOTH.apply_fn, "key": 0, "n_samples": 2, "trace_axes": (-1,)},
        ),
        Entry("empirical.loss_and_gradient", empirical.loss_and_gradient, data),
        Entry("empirical.curvature_vector_product", empirical.curvature_vector_product, {**data, "vector": VECTOR}),
        Entry(
            "empirical.gradient_gram",
            empirical.gradient_gram,
            {"network": SMOOTH, "params": PARAMS, "x1": X, "combination1": COLUMN},
        ),
    ]


def _curvatures() -> list[Entry]:
    data = {"network": SMOOTH, "params": PARAMS, "x": X, "y": COLUMN}

    def product(make: Callable[..., Any]) -> Callable[..., Any]:
        def both(vector: Any = VECTOR, **given: Any) -> Any:
            return make(**given) @ vector

        parameters = list(inspect.signature(make).parameters.values())
        both.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [*parameters, inspect.Parameter("vector", inspect.Parameter.KEYWORD_ONLY, default=VECTOR)]
        )
        return both

    def tracked(**given: Any) -> Any:
        return curvature.Tracker(**given).watch(SMOOTH, X, COLUMN).record(0, PARAMS)

    tracked.__signature__ = inspect.signature(curvature.Tracker)  # type: ignore[attr-defined]
    density = curvature.spectral_density(MATRIX, 2, 4)
    names = ("hessian", "gauss_newton", "empirical_fisher")
    return [
        *(Entry(f"curvature.{name}", product(getattr(curvature, name)), data) for name in names),
        Entry("curvature.gradient_covariance", curvature.gradient_covariance, {**data, "batch": 2}, True),
        Entry("curvature.covariance_spectrum", curvature.covariance_spectrum, {"gradients": X}, True),
        Entry("curvature.sample_curvatures", curvature.sample_curvatures, {**data, "direction": VECTOR}),
        Entry("curvature.step_to_raise", curvature.step_to_raise, {**data, "update": VECTOR}, True),
        Entry("curvature.eigenvalues", curvature.eigenvalues, {"operator": MATRIX, "count": 2}),
        Entry("curvature.trace", curvature.trace, {"operator": MATRIX, "probes": 3}),
        Entry("curvature.spectral_density", curvature.spectral_density, {"operator": MATRIX, "probes": 2, "steps": 3}),
        Entry("curvature.spectral_density: density", density.density, {"grid": ANGLES, "width": 0.1}),
        Entry("curvature.spectral_density: moment", density.moment, {"power": 2}, True),
        Entry(
            "curvature.break_even",
            curvature.break_even,
            {"learning_rate": 0.1, "batch_size": 2, "examples": 9, "alpha": 0.5},
        ),
        Entry(
            "curvature.stability_factor",
            curvature.stability_factor,
            {"learning_rate": 0.1, "batch_size": 2, "curvatures": Y},
        ),
        Entry("curvature.Tracker", tracked, {"batch": 2, "samples": 4}, True),
        Entry(
            "curvature.Tracker: watch",
            lambda **given: curvature.Tracker(batch=2).watch(**given).record(0, PARAMS),
            {"network": SMOOTH, "x": X, "y": COLUMN, "loss": "mse"},
            True,
        ),
        Entry(
            "curvature.Tracker: record",
            lambda step, params: curvature.Tracker(batch=2).watch(SMOOTH, X, COLUMN).record(step, params),
            {"step": 0, "params": PARAMS},
            True,
        ),
    ]


def _hierarchies() -> list[Entry]:
    data = {"network": SMOOTH, "params": PARAMS, "x_train": X, "y": COLUMN}
    found = hierarchy.tangent_hierarchy(SMOOTH, PARAMS, X)
    adaptive = hierarchy.AdaptiveKernel(SMOOTH, PARAMS)
    return [
        Entry(
            "hierarchy.AdaptiveKernel",
            lambda network, params: hierarchy.AdaptiveKernel(network, params).features(X),
            {"network": SMOOTH, "params": PARAMS},
        ),
        Entry("hierarchy.AdaptiveKernel: regression", adaptive.regression, {"x": X, "y": COLUMN, "ridge": 0.1}),
        Entry("hierarchy.AdaptiveKernel: residual_parts", adaptive.residual_parts, {"x": X, "y": COLUMN}),
        Entry("hierarchy.balance", hierarchy.balance, {"network": NET, "params": PARAMS}),
        Entry("hierarchy.gradient_flow", hierarchy.gradient_flow, {**data, "times": [0.1, 0.2]}),
        Entry(
            "hierarchy.kernel_velocity",
            hierarchy.kernel_velocity,
            {"network": SMOOTH, "params": PARAMS, "x": X, "direction": VECTOR},
        ),
        Entry("hierarchy.loss_kernel_velocity", hierarchy.loss_kernel_velocity, data),
        Entry(
            "hierarchy.tangent_hierarchy",
            hierarchy.tangent_hierarchy,
            {"network": SMOOTH, "params": PARAMS, "x_train": X},
        ),
        Entry("hierarchy.tangent_hierarchy: predict", found.predict, {"y": Y, "times": [0.1, 0.2]}),
        Entry(
            "hierarchy.truncated_hierarchy",
            hierarchy.truncated_hierarchy,
            {"outputs": Y, "y": 1 - Y, "kernels": (MATRIX, np.zeros((6, 6, 6))), "times": [0.1, 0.2]},
        ),
    ]


def _spectra() -> list[Entry]:
    def of(name: str, **example: Any) -> Entry:
        return Entry(f"spectra.{name}", getattr(spectra, name), example)

    found = spectra.sphere_spectrum(NET, 3, 12)
    law = spectra.asymptotics(spectra.laplace(), 3)
    curve = spectra.learning_curve(found, np.ones(5), np.array([1.0, 10.0]))
    zonal = spectra.ZonalKernel(NET)
    return [
        Entry(
            "spectra.ZonalKernel",
            lambda kernel, **more: spectra.ZonalKernel(kernel, **more)(ANGLES),
            {"kernel": NET, "get": "ntk", "radius": 1.0, "of": "cosine"},
        ),
        Entry(
            "spectra.ZonalKernel: call",
            lambda angles, dimension: zonal(angles, dimension),
            {"angles": ANGLES, "dimension": 3},
        ),
        of("asymptotics", kernel=NET, dimension=3),
        Entry("spectra.asymptotics: eigenvalues", law.eigenvalues, {"frequencies": np.arange(1.0, 5.0)}),
        Entry(
            "spectra.compare",
            lambda kernel, **more: spectra.compare(kernel, **more),
            {"kernel": NET, "dimension": 3, "max_frequency": 12, "fit": (2, 10)},
            True,
        ),
        of("effective_dimension", eigenvalues=np.arange(1.0, 4.0), ridge=0.1),
        of("frequency_energies", X=UNIT, y=Y, max_frequency=4),
        of("fully_connected", depth=3),
        of("gaussian", scale=1.0),
        of("laplace", scale=1.0),
        Entry(
            "spectra.gaussian: call",
            lambda scale, angles: spectra.gaussian(scale)(angles),
            {"scale": 1.0, "angles": ANGLES},
        ),
        of("gram_eigenvalues", kernel=NET, X=X, k=2),
        of("harmonic_decay_constant", dimension=3, nu=0.5),
        of("interpolant_norm", kernel=NET, X=X, y=Y, ridge=0.1),
        of("kernel_alignment", kernel=MATRIX, y=Y),
        of("label_alignment", vectors=np.linalg.eigh(MATRIX)[1].T, y=Y),
        Entry(
            "spectra.learning_curve",
            spectra.learning_curve,
            {"spectrum": found, "energies": np.ones(5), "samples": np.array([1.0, 10.0])},
            True,
        ),
        Entry("spectra.learning_curve: learnt_frequencies", curve.learnt_frequencies, {"threshold": 0.5}),
        of("multiplicity", dimension=3, frequency=4),
        of("sphere_spectrum", kernel=NET, dimension=3, max_frequency=12),
        Entry("spectra.sphere_spectrum: decay", found.decay, {"first": 2, "last": 10}, True),
        Entry("spectra.sphere_spectrum: parity_ratio", found.parity_ratio, {"frequency": 3}),
        Entry("spectra.sphere_spectrum: rkhs_norm", found.rkhs_norm, {"energies": np.ones(5)}, True),
        Entry("spectra.sphere_spectrum: kernel", found.kernel, {"angles": ANGLES}),
        of("spikiness", kernel=NET, dimension=3),
        of("zonal_energies", function=np.square, dimension=3, max_frequency=6),
    ]


def _estimators() -> list[Entry]:
    def fitted(make: Callable[..., Any], y: np.ndarray) -> Callable[..., Any]:
        def both(**given: Any) -> Any:
            return make(**given).fit(X, y).predict(Z)

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return both

    def kernel(**given: Any) -> Any:
        return estimators.NTKKernel(**given)(X)

    kernel.__signature__ = inspect.signature(estimators.NTKKernel)  # type: ignore[attr-defined]
    regressor = estimators.NTKRegressor().fit(X, Y)
    return [
        Entry("estimators.NTKRegressor", fitted(estimators.NTKRegressor, Y), {}),
        Entry("estimators.NNGPRegressor", fitted(estimators.NNGPRegressor, Y), {}),
        Entry("estimators.NTKClassifier", fitted(estimators.NTKClassifier, LABELS), {}),
        Entry("estimators.NTKKernel", kernel, {}),
        Entry("estimators.NTKRegressor: predict", regressor.predict, {"X": Z}),
        Entry("estimators.NTKRegressor: sample_y", regressor.sample_y, {"X": Z, "n_samples": 2}),
    ]


def _regimes() -> list[Entry]:
    outer = stax.serial(stax.Dense(8, 1.4, 0.1), stax.Erf(), stax.Dense(1))
    small = stax.serial(stax.Dense(8), stax.Erf(), stax.Dense(1))
    B, spread = np.diag([1.0, 2.0, 3.0]), np.diag([0.1, 0.2, 0.3])
    quick = {
        "Autoencoder": {"width": 8, "steps": 2, "normalize": True, "random_state": 0},
        "Bottleneck": {"outer": outer, "inner": NET, "units": 2, "steps": 2, "start_width": 10, "random_state": 0},
        "LinearBottleneck": {"units": 2, "steps": 2, "random_state": 0},
        "FullyTrained": {"width": 4, "steps": 3, "random_state": 0},
        "NeuralTangent": {"width": 4, "random_state": 0},
        "RandomFeatures": {"width": 4, "random_state": 0},
    }

    def fitted(make: Callable[..., Any], data: tuple[np.ndarray, ...]) -> Callable[..., Any]:
        def both(**given: Any) -> Any:
            return make(**given).fit(*data).predict(X)

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return both

    table = [
        Entry(f"regimes.{name}", fitted(getattr(regimes, name), (X,) if name == "Autoencoder" else (X, Y)), example)
        for name, example in quick.items()
    ]
    target = regimes.QuadraticTarget(B)
    model = regimes.two_layer("rf", 4, random_state=0).fit(X, Y)
    linear = regimes.LinearBottleneck(2, steps=2, random_state=0).fit(X, Y)
    coder = regimes.Autoencoder(8, steps=2, normalize=True, random_state=0).fit(X)
    return [
        *table,
        Entry(
            "regimes.QuadraticTarget",
            lambda B, b0: regimes.QuadraticTarget(B, b0).sample(3, 0),
            {"B": B, "b0": "centered"},
        ),
        Entry("regimes.QuadraticTarget: sample", target.sample, {"n": 3, "seed": 0}),
        Entry(
            "regimes.TwoGaussians",
            lambda Sigma, Delta: regimes.TwoGaussians(Sigma, Delta).sample(3, 0),
            {"Sigma": B, "Delta": spread},
        ),
        Entry(
            "regimes.asymptotic_risk",
            regimes.asymptotic_risk,
            {"mode": "nn", "rho": 0.5, "spectrum": np.arange(1.0, 4.0)},
        ),
        Entry("regimes.input_gradient", regimes.input_gradient, {"network": SMOOTH, "z1": X, "z2": Z}),
        Entry("regimes.lazy_training_target", regimes.lazy_training_target, {"d": 5, "seed": 1}),
        Entry("regimes.mean_tangent_risk", regimes.mean_tangent_risk, {"width": 2, "spectrum": np.arange(1.0, 4.0)}),
        Entry(
            "regimes.time_to_threshold",
            regimes.time_to_threshold,
            {"loss": np.array([1.0, 0.5, 0.1]), "threshold": 0.2},
            True,
        ),
        Entry(
            "regimes.train_finite_bottleneck",
            regimes.train_finite_bottleneck,
            {"outer": small, "inner": small, "units": 2, "width": 5, "X": X, "y": Y, "steps": 2, "seed": 0},
            True,
        ),
        Entry(
            "regimes.two_layer",
            lambda mode, width, activation, **more: (
                regimes.two_layer(mode, width, activation, **more).fit(X, Y).predict(X)
            ),
            {"mode": "rf", "width": 4, "activation": "square", "random_state": 0},
        ),
        Entry("regimes.two_layer: risk", model.risk, {"target": target}),
        Entry(
            "regimes.LinearBottleneck: balanced_growth",
            linear.balanced_growth,
            {"target": 1.0, "start": 0.1, "times": ANGLES},
        ),
        Entry("regimes.LinearBottleneck: kernel", linear.kernel, {"X": X, "X2": Z}),
        Entry("regimes.Autoencoder: predicted_loss", coder.predicted_loss, {}),
        Entry("regimes.Autoencoder: bounds", coder.bounds, {"X": X}, True),
        Entry("regimes.Autoencoder: late_rate", coder.history_.late_rate, {"steps": 2}, True),
    ]


def _training() -> list[Entry]:
    def run(**given: Any) -> Any:
        return training.train(**given).loss

    run.__signature__ = inspect.signature(training.train)  # type: ignore[attr-defined]
    data = {"network": SMOOTH, "params": PARAMS, "x": X, "y": COLUMN}

    def with_optimizer(make: Callable[..., Any]) -> Callable[..., Any]:
        def both(**given: Any) -> Any:
            steps = {} if make is training.Flow else {"steps": 2}
            return run(**data, optimizer=make(**given), **steps, **({} if steps else {"time": 0.1}))

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return both

    def with_schedule(make: Callable[..., Any]) -> Callable[..., Any]:
        def both(**given: Any) -> Any:
            return run(**data, steps=2, schedule=make(**given))

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return both

    def stopped(**given: Any) -> Any:
        return run(**data, steps=4, every=1, x_test=X, y_test=COLUMN, stop=training.EarlyStopping(**given))

    stopped.__signature__ = inspect.signature(training.EarlyStopping)  # type: ignore[attr-defined]
    optimizers = ("GD", "SGD", "Adam", "Flow")
    schedules: dict[str, dict[str, Any]] = {"Constant": {}, "Cosine": {}, "Piecewise": {"factors": {1: 0.5}}}
    return [
        Entry("training.train", run, {**data, "steps": 3, "batch_size": 3}),
        Entry("training.train: time", run, {**data, "optimizer": "flow", "time": 0.1}),
        Entry("training.train: test data", run, {**data, "steps": 2, "x_test": X, "y_test": COLUMN, "every": 1}),
        *(Entry(f"training.{name}", with_optimizer(getattr(training, name)), {}) for name in optimizers),
        *(Entry(f"training.{name}", with_schedule(getattr(training, name)), rest) for name, rest in schedules.items()),
        Entry("training.EarlyStopping", stopped, {"patience": 2}),
    ]


def _plots() -> list[Entry]:
    def drawn(name: str, **example: Any) -> Entry:
        make = getattr(plotting, name)

        def both(**given: Any) -> Any:
            from matplotlib import pyplot

            try:
                make(**given).plot()
            finally:
                pyplot.close("all")

        both.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return Entry(f"plotting.{name}", both, example)

    found = spectra.sphere_spectrum(NET, 3, 12)
    density = curvature.spectral_density(MATRIX, 2, 4)
    columns = {name: np.arange(1.0, 4.0) for name in ("step", "lambda_K", "lambda_H", "loss")}
    return [
        drawn("DepthDisplay", depths=[1, 2], scores={"ntk": [0.5, 0.6]}),
        drawn("EigenvalueDecayDisplay", spectra={"ntk": found}),
        drawn("GramMatrixDisplay", gram=MATRIX),
        drawn("HierarchyErrorDisplay", times=np.arange(1.0, 4.0), errors={2: np.arange(1.0, 4.0)}),
        drawn("KernelProfileDisplay", kernels={"ntk": NET}, points=11),
        drawn("PosteriorDisplay", x=np.arange(3.0), mean=np.ones(3), std=np.ones(3)),
        drawn("SpectralDensityDisplay", densities={"a": density}),
        drawn("SpectrumDisplay", eigenvalues={"a": np.arange(1.0, 4.0)}),
        drawn("TrainingDisplay", losses={"a": (np.arange(3.0), np.arange(1.0, 4.0))}),
        drawn("CurvatureDisplay", histories={"a": columns}),
        Entry("plotting.SpectrumDisplay: from_matrix", plotting.SpectrumDisplay.from_matrix, {"matrix": MATRIX}),
    ]


def _rest() -> list[Entry]:
    def limited(set_it: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def both(value: Any) -> Any:
            with set_it(value):
                return NET.kernel_fn(X, None, "ntk")

        return both

    abc = parametrizations.ntk(2)
    kernel = operators.KernelOperator(NET, X, ridge=0.1)
    return [
        Entry("num_threads", limited(ntkswift.num_threads), {"value": 2}),
        Entry("memory_limit", limited(ntkswift.memory_limit), {"value": 10**8}),
        Entry("operators.Dense", lambda matrix, v: operators.Dense(matrix) @ v, {"matrix": MATRIX, "v": Y}),
        Entry("operators.Adopted", lambda operator: operators.Adopted(operator) @ Y, {"operator": kernel}),
        Entry("operators.as_operator", lambda operator: operators.as_operator(operator) @ Y, {"operator": MATRIX}),
        Entry(
            "operators.GradientCovariance",
            lambda gradients, centered: operators.GradientCovariance(gradients, centered=centered).diagonal(),
            {"gradients": X, "centered": True},
        ),
        Entry(
            "operators.KernelOperator",
            lambda kernel, X, **more: operators.KernelOperator(kernel, X, **more) @ Y,
            {"kernel": NET, "X": X, "get": "ntk", "ridge": 0.1, "store": None},
        ),
        Entry("operators.KernelOperator: rows", kernel.rows, {"indices": np.array([0, 2])}),
        Entry("operators.KernelOperator: matmat", kernel.matmat, {"V": X}),
        Entry("operators.kernel_matrix", operators.kernel_matrix, {"kernel": NET, "X": X}),
        Entry("solvers.solve", solvers.solve, {"operator": MATRIX, "b": Y}),
        Entry("parametrizations.ABC", parametrizations.ABC, {"a": (0, 0.5), "b": (0, 0), "c": 0}),
        Entry("parametrizations.maximal_update", parametrizations.maximal_update, {"hidden_layers": 2}),
        Entry("parametrizations.ntk", parametrizations.ntk, {"hidden_layers": 2}),
        Entry("parametrizations.standard", parametrizations.standard, {"hidden_layers": 2, "c": 1}),
        Entry("parametrizations.ABC: shifted", abc.shifted, {"t": 1}),
        Entry("parametrizations.ABC: network", abc.network, {"width": 4, "inputs": 3}),
        Entry("parametrizations.ABC: init", abc.init, {"seed": 0, "width": 4, "inputs": 3}),
        Entry("parametrizations.ABC: learning_rate", abc.learning_rate, {"width": 4}),
        Entry(
            "reproduce.Claim: compare",
            reproduce.Claim.compare,
            {"text": "a", "predicted": 1.0, "measured": [1.0, 2.0], "tolerance": 0.1},
            True,
        ),
    ]
