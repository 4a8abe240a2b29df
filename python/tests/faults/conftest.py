"""The table of public functions that take arrays, each with a valid call."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkswift import predict, spectra, stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKKernel, NTKRegressor
from ntkswift.regimes import Autoencoder, Bottleneck, LinearBottleneck, two_layer

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((8, 3)), RNG.standard_normal((5, 3))
Y = np.sin(X).sum(axis=1)
LABELS = (np.median(Y) < Y).astype(float)

NETWORK = stax.serial(stax.Dense(16, 1.4, 0.1), stax.Relu(), stax.Dense(1, 1.1, 0.1))
PARAMS = NETWORK.init_fn(0, (-1, 3))[1]


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
    return cases + _spectra_cases() + _autoencoder_cases() + _two_layer_cases() + _bottleneck_cases()


def pytest_generate_tests(metafunc: Any) -> None:
    """Runs a test that asks for `case` once per public function, one that asks for `argument` too once per array of it."""
    if "argument" in metafunc.fixturenames:
        pairs = [(case, name) for case in _cases() for name in case.values]
        metafunc.parametrize(("case", "argument"), pairs, ids=[f"{case.name}-{name}" for case, name in pairs])
    elif "case" in metafunc.fixturenames:
        cases = _cases()
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
