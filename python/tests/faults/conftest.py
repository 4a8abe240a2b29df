"""The table of public functions that take arrays, each with a valid call."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import aslinearoperator

from ntkswift import curvature, empirical, hierarchy, operators, predict, solvers, spectra, stax, train
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKKernel, NTKRegressor
from ntkswift.regimes import Autoencoder, Bottleneck, LinearBottleneck, two_layer

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((8, 3)), RNG.standard_normal((5, 3))
Y = np.sin(X).sum(axis=1)
LABELS = (np.median(Y) < Y).astype(float)

NETWORK = stax.serial(stax.Dense(16, 1.4, 0.1), stax.Relu(), stax.Dense(1, 1.1, 0.1))
PARAMS = NETWORK.init_fn(0, (-1, 3))[1]
SMOOTH = stax.serial(stax.Dense(5, 1.4, 0.1), stax.Tanh(), stax.Dense(1, 1.1, 0.1))
WEIGHTS = SMOOTH.init_fn(0, (-1, 3))[1]
COLUMN, DIRECTION = Y[:, None], RNG.standard_normal(26)


@dataclass(frozen=True)
class Case:
    """`call` with keyword arrays; `values` are valid ones. `features` names those that must have 3 columns."""

    name: str
    call: Callable[..., Any]
    values: dict[str, np.ndarray]
    features: tuple[str, ...]
    is_estimator: bool = False

    def run(self, **changes: Any) -> np.ndarray:
        """The result as one array, with some arrays replaced."""
        result = self.call(**{**self.values, **changes})
        return (
            np.concatenate([np.asarray(r, np.float64).ravel() for r in result])
            if isinstance(result, tuple)
            else np.asarray(result)
        )


def _fitted(estimator: Any) -> Any:
    return estimator.fit(X, LABELS if isinstance(estimator, NTKClassifier) else Y)


def _fit_coefficients(estimator: Any) -> Callable[..., Any]:
    def fit(X: Any, y: Any) -> Any:
        fitted = estimator.fit(X, y)
        return fitted.dual_coef_ if hasattr(fitted, "dual_coef_") else fitted.decision_function(Z)

    return fit


def _posterior_mean(k_train_train: Any, y_train: Any, k_test_train: Any) -> Any:
    return predict.gp_inference(k_train_train, y_train, diag_reg=1e-3)("ntk", k_test_train)


def _gradient_descent_mse(k_train_train: Any, y_train: Any, k_test_train: Any) -> Any:
    return predict.gradient_descent_mse(k_train_train, y_train)(2.0, 0.0, 0.0, k_test_train)[1]


def _likelihood(x_train: Any, y_train: Any) -> Any:
    return predict.log_marginal_likelihood(NETWORK.kernel_fn, x_train, y_train, noise=1e-2)


def _autoencoder_cases() -> list[Case]:
    model = Autoencoder(20, steps=3, normalize=True, random_state=0)
    fitted = Autoencoder(20, steps=3, normalize=True, random_state=0).fit(X)
    inputs = X[:, ::-1] + 0.1  # no row of zeros after rounding

    def fit(X: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # rounding makes rows parallel
            return model.fit(X).encoder_

    return [
        Case("Autoencoder.fit", fit, {"X": inputs}, ()),
        Case("Autoencoder.limit_kernel", model.limit_kernel, {"X": inputs, "X2": Z}, ("X2",)),
        Case("Autoencoder.reconstruct", fitted.reconstruct, {"X": Z}, ("X",)),
        Case("Autoencoder.predict_infinite", fitted.predict_infinite, {"X_new": Z}, ("X_new",)),
    ]


def _two_layer_cases() -> list[Case]:
    cases = []
    for regime in ("rf", "nt", "nn"):
        ridge = 0.0 if regime == "nn" else 0.5
        model, fitted = (two_layer(regime, 5, ridge=ridge, steps=20, random_state=0) for _ in range(2))
        fitted.fit(X, Y)

        def fit(X: Any, y: Any, m: Any = model) -> Any:
            m.fit(X, y)
            return m.predict(Z)

        cases += [
            Case(f"two_layer({regime}).fit", fit, {"X": X, "y": Y}, ()),
            Case(f"two_layer({regime}).predict", fitted.predict, {"X": Z}, ("X",)),
            Case(f"two_layer({regime}).score", fitted.score, {"X": X, "y": Y}, ("X",)),
        ]
    return cases


def _operator_cases() -> list[Case]:
    def covariance(gradients: Any) -> np.ndarray:
        return operators.GradientCovariance(gradients).diagonal()

    kernel = operators.KernelOperator(NETWORK, X, ridge=0.1)
    dense = NETWORK.kernel_fn(X, None, "ntk") + 0.1 * np.eye(len(X))
    return [
        Case("operators.KernelOperator", lambda X: operators.KernelOperator(NETWORK, X) @ Y, {"X": X}, ()),
        Case("operators.KernelOperator.matvec", kernel.matvec, {"v": Y}, ()),
        Case("operators.KernelOperator.matmat", kernel.matmat, {"V": X}, ()),
        Case("operators.Dense", lambda matrix: operators.Dense(matrix) @ Y, {"matrix": dense}, ()),
        Case("operators.GradientCovariance", covariance, {"gradients": X}, ()),
        Case("operators.kernel_matrix", lambda X: operators.kernel_matrix(NETWORK, X), {"X": X}, ()),
        Case("solvers.solve", lambda b: solvers.solve(kernel, b).solution, {"b": Y}, ()),
        Case("solvers.solve(cg)", lambda b: solvers.solve(kernel, b, "cg").solution, {"b": Y}, ()),
    ]


def _spectra_cases() -> list[Case]:
    gram = NETWORK.kernel_fn(X, None, "ntk")
    return [
        Case("spectra.frequency_energies", lambda X, y: spectra.frequency_energies(X, y, 3), {"X": X, "y": Y}, ()),
        Case("spectra.gram_eigenvalues", lambda X: spectra.gram_eigenvalues(NETWORK, X), {"X": X}, ()),
        Case("spectra.gram_eigenvalues(k)", lambda X: spectra.gram_eigenvalues(NETWORK, X, 2), {"X": X}, ()),
        Case(
            "spectra.interpolant_norm",
            lambda X, y: spectra.interpolant_norm(NETWORK, X, y, ridge=0.1),
            {"X": X, "y": Y},
            (),
        ),
        Case("spectra.kernel_alignment", lambda y: spectra.kernel_alignment(gram, y), {"y": Y}, ()),
    ]


def _flat(nested: Any) -> np.ndarray:
    if isinstance(nested, (tuple, list)):
        return np.concatenate([np.zeros(0), *(_flat(part) for part in nested)])
    return np.ravel(nested)


def _empirical_cases() -> list[Case]:
    def vector_product(x1: Any, v: Any) -> Any:
        return empirical.empirical_ntk_vp_fn(SMOOTH, x1, None, WEIGHTS)(v)

    def gram(x1: Any, combination1: Any) -> Any:
        return empirical.gradient_gram(SMOOTH, WEIGHTS, x1, combination1)

    kernels = {
        "ntk": empirical.empirical_ntk_fn(SMOOTH),
        "nngp": empirical.empirical_nngp_fn(SMOOTH),
        "batch": empirical.batch(empirical.empirical_ntk_fn(SMOOTH), 3),
    }
    both = {"x1": X, "x2": Z}
    cases = [
        Case(f"empirical.{name}", lambda x1, x2, f=f: f(x1, x2, WEIGHTS), both, ("x1", "x2"))
        for name, f in kernels.items()
    ]
    return [
        *cases,
        Case("empirical.empirical_ntk_vp_fn", vector_product, {"x1": X, "v": COLUMN}, ("x1",)),
        Case(
            "empirical.loss_and_gradient",
            lambda x, y: _flat(empirical.loss_and_gradient(SMOOTH, WEIGHTS, x, y)),
            {"x": X, "y": COLUMN},
            ("x",),
        ),
        Case(
            "empirical.curvature_vector_product",
            lambda x, y: empirical.curvature_vector_product(SMOOTH, WEIGHTS, x, y, DIRECTION),
            {"x": X, "y": COLUMN},
            ("x",),
        ),
        Case("empirical.gradient_gram", gram, {"x1": X, "combination1": COLUMN}, ("x1",)),
    ]


def _curvature_cases() -> list[Case]:
    data = {"x": X, "y": COLUMN}
    network = (SMOOTH, WEIGHTS)
    diagonal = aslinearoperator(np.diag(np.arange(8.0)))

    def tracked(x: Any, y: Any) -> np.ndarray:
        return np.array([*curvature.Tracker(batch=2, samples=8).watch(SMOOTH, x, y).record(0, WEIGHTS).values()])

    calls = {
        "hessian": lambda x, y: curvature.hessian(*network, x, y) @ DIRECTION,
        "gauss_newton": lambda x, y: curvature.gauss_newton(*network, x, y) @ DIRECTION,
        "empirical_fisher": lambda x, y: curvature.empirical_fisher(*network, x, y, centered=True) @ DIRECTION,
        "gradient_covariance": lambda x, y: curvature.gradient_covariance(*network, x, y, batch=2).eigenvalues,
        "sample_curvatures": lambda x, y: curvature.sample_curvatures(*network, x, y, DIRECTION),
        "step_to_raise": lambda x, y: curvature.step_to_raise(*network, x, y, DIRECTION),
        "Tracker": tracked,
    }
    cases = [Case(f"curvature.{name}", call, data, ("x",)) for name, call in calls.items()]

    def spectrum(is_gram: bool) -> Callable[..., Any]:
        return lambda gradients: curvature.covariance_spectrum(gradients, is_gram=is_gram).eigenvalues

    return [
        *cases,
        Case("curvature.covariance_spectrum", spectrum(False), {"gradients": X}, ()),
        Case("curvature.covariance_spectrum(is_gram)", spectrum(True), {"gradients": X @ X.T}, ()),
        Case(
            "curvature.stability_factor",
            lambda curvatures: curvature.stability_factor(0.1, 2, curvatures),
            {"curvatures": Y},
            (),
        ),
        Case(
            "curvature.eigenvalues",
            lambda start: curvature.eigenvalues(diagonal, 2, start=start).values,
            {"start": Y},
            (),
        ),
    ]


def _hierarchy_cases() -> list[Case]:
    def kernels(x_train: Any, x_test: Any) -> np.ndarray:
        return _flat(hierarchy.tangent_hierarchy(SMOOTH, WEIGHTS, x_train, x_test).kernels)

    def truncated(outputs: Any, y: Any, times: Any) -> np.ndarray:
        return hierarchy.truncated_hierarchy(outputs, y, [np.eye(8)], times).outputs

    adaptive = hierarchy.AdaptiveKernel(SMOOTH, WEIGHTS)
    data = {"x_train": X, "y": COLUMN}
    return [
        Case("hierarchy.tangent_hierarchy", kernels, {"x_train": X[:4], "x_test": Z}, ("x_train", "x_test")),
        Case(
            "hierarchy.kernel_velocity",
            lambda x: hierarchy.kernel_velocity(SMOOTH, WEIGHTS, x, DIRECTION),
            {"x": X},
            ("x",),
        ),
        Case(
            "hierarchy.loss_kernel_velocity",
            lambda x_train, y: hierarchy.loss_kernel_velocity(SMOOTH, WEIGHTS, x_train, y),
            data,
            ("x_train",),
        ),
        Case(
            "hierarchy.gradient_flow",
            lambda x_train, y: hierarchy.gradient_flow(SMOOTH, WEIGHTS, x_train, y, [0.1]).outputs,
            data,
            ("x_train",),
        ),
        Case("hierarchy.truncated_hierarchy", truncated, {"outputs": Y, "y": 1 - Y, "times": np.arange(3.0)}, ()),
        Case("hierarchy.AdaptiveKernel", adaptive.features, {"x": X}, ("x",)),
        Case(
            "hierarchy.AdaptiveKernel.regression",
            lambda x, y: adaptive.regression(x, y, 0.1).coefficients,
            {"x": X, "y": COLUMN},
            ("x",),
        ),
    ]


def _training_cases() -> list[Case]:
    def trained(x: Any, y: Any, **options: Any) -> np.ndarray:
        return _flat(train(SMOOTH, WEIGHTS, x, y, **options).params)

    data = {"x": X, "y": COLUMN}
    return [
        Case("train", lambda x, y: trained(x, y, steps=3, batch_size=3, optimizer="sgd"), data, ("x",)),
        Case("train(lazy)", lambda x, y: trained(x, y, steps=3, mode="lazy"), data, ("x",)),
    ]


def _bottleneck_cases() -> list[Case]:
    outer = stax.serial(stax.Dense(16, 1.4, 0.1), stax.Erf(), stax.Dense(1))
    options = {"steps": 3, "start_width": 50, "random_state": 0}
    model, fitted = (Bottleneck(outer, NETWORK, 2, 0.1, **options) for _ in range(2))
    fitted.fit(X, Y)
    linear = LinearBottleneck(2, 0.01, steps=3, dynamics="gd", random_state=0)
    return [
        Case("Bottleneck.fit", lambda X, y: model.fit(X, y).history_.outputs, {"X": X, "y": Y}, ()),
        Case("Bottleneck.predict", fitted.predict, {"X": Z}, ("X",)),
        Case("LinearBottleneck.fit", lambda X, y: linear.fit(X, y).coef_, {"X": X, "y": Y}, ()),
    ]


def _cases() -> list[Case]:
    cases = [
        Case(
            "kernel_fn(x1, x2)",
            lambda x1, x2: tuple(NETWORK.kernel_fn(x1, x2, ("nngp", "ntk"))),
            {"x1": X, "x2": Z},
            ("x1", "x2"),
        ),
        Case("kernel_fn(x1)", lambda x1: NETWORK.kernel_fn(x1, None, "ntk"), {"x1": X}, ()),
        Case("apply_fn", lambda inputs: NETWORK.apply_fn(PARAMS, inputs), {"inputs": X}, ("inputs",)),
        Case("NTKKernel", lambda X: NTKKernel()(X), {"X": X}, ()),
    ]
    gram, cross = NETWORK.kernel_fn(X, None, "ntk"), NETWORK.kernel_fn(Z, X, "ntk")
    given = {"k_train_train": gram, "y_train": np.stack([Y, 1 - Y], axis=1), "k_test_train": cross}
    cases += [
        Case("predict.gp_inference", _posterior_mean, given, ()),
        Case("predict.gradient_descent_mse", _gradient_descent_mse, given, ()),
        Case("predict.max_learning_rate", predict.max_learning_rate, {"ntk_train_train": gram}, ()),
        Case("predict.log_marginal_likelihood", _likelihood, {"x_train": X, "y_train": Y}, ()),
    ]
    for make in (NTKRegressor, NNGPRegressor):
        name, fitted = make.__name__, _fitted(make())
        cases += [
            Case(f"{name}.fit", _fit_coefficients(make()), {"X": X, "y": Y}, (), True),
            Case(f"{name}.predict", fitted.predict, {"X": Z}, ("X",), True),
            Case(
                f"{name}.predict(return_std)", lambda X, m=fitted: m.predict(X, return_std=True), {"X": Z}, ("X",), True
            ),
            Case(
                f"{name}.predict(return_cov)", lambda X, m=fitted: m.predict(X, return_cov=True), {"X": Z}, ("X",), True
            ),
            Case(f"{name}.sample_y", lambda X, m=fitted: m.sample_y(X, 3, random_state=1), {"X": Z}, ("X",), True),
        ]
    for method in ("regression", "svm"):
        name, fitted = f"NTKClassifier({method})", _fitted(NTKClassifier(method=method))
        cases += [
            Case(f"{name}.fit", _fit_coefficients(NTKClassifier(method=method)), {"X": X, "y": LABELS}, (), True),
            Case(f"{name}.predict", fitted.predict, {"X": Z}, ("X",), True),
            Case(f"{name}.predict_proba", fitted.predict_proba, {"X": Z}, ("X",), True),
        ]
    cases += _operator_cases() + _spectra_cases() + _autoencoder_cases() + _two_layer_cases() + _bottleneck_cases()
    return cases + _empirical_cases() + _curvature_cases() + _hierarchy_cases() + _training_cases()


def pytest_generate_tests(metafunc: Any) -> None:
    """Runs a test that asks for `case` once per public function, one that asks for `argument` too once per array of it."""
    if "argument" in metafunc.fixturenames:
        pairs = [(case, name) for case in _cases() for name in case.values]
        metafunc.parametrize(("case", "argument"), pairs, ids=[f"{case.name}-{name}" for case, name in pairs])
    elif "case" in metafunc.fixturenames:
        cases = _cases()
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
