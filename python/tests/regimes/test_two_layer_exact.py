"""Two-layer networks in three regimes: population optima, ridge regression, risks and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ntkswift import regimes, stax
from ntkswift.regimes import FullyTrained, NeuralTangent, QuadraticTarget, RandomFeatures, TwoGaussians

GOLDEN = dict(np.load(Path(__file__).parent / "golden" / "lazy_limits.npz"))
NAMES = ("rf", "nt", "nn")
# Risk over that of the best constant, d = 450 and seed 100: the table of the reference.
TABLE = {
    30: (0.969, 0.902, 0.497),
    120: (0.897, 0.635, 0.135),
    225: (0.838, 0.372, 0.032),
    360: (0.780, 0.119, 0.0015),
}


def with_weights(regime, weights, **parameters):
    """A network of the regime whose random weights are the given ones."""
    model = regimes.two_layer(regime, len(weights), random_state=0, **parameters)
    model._draw_weights = lambda d, op: np.ascontiguousarray(weights)
    return model


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("regime", NAMES)
def test_golden_risks(regime, column):
    width = int(GOLDEN["N"][column])
    target = QuadraticTarget(GOLDEN["B"], 0.7)
    model = with_weights(regime, GOLDEN["W"][:, :width].T).fit_population(target)
    assert model.risk(target, relative=True) == pytest.approx(GOLDEN[regime.upper()][column], rel=1e-12, abs=1e-12)
    assert regimes.mean_tangent_risk(width, target) == pytest.approx(GOLDEN["NT_mean_exact"][column], rel=1e-12)


@pytest.mark.parametrize("regime", NAMES)
def test_golden_mixtures_to_first_order(regime):
    # The golden numbers are 1 / (1 + E / 2) with E of first order in Delta: exact as Delta = eps B vanishes.
    eps, width = 1e-3, int(GOLDEN["N"][2])
    target = TwoGaussians(np.eye(40), eps * GOLDEN["B"])
    model = with_weights(regime, GOLDEN["W"][:, :width].T).fit_population(target)
    explained = (1 / model.risk(target) - 1) * 2 / eps**2
    assert 1 / (1 + explained / 2) == pytest.approx(GOLDEN[f"mg_{regime.upper()}"][2], rel=1e-5)


@pytest.mark.parametrize("width", TABLE)
def test_table_of_the_authors_target(width):
    target = regimes.lazy_training_target()
    np.testing.assert_allclose(np.diag(target.B) * np.sqrt(450), GOLDEN["gamma_d450_seed100"], rtol=1e-15)
    measured = [
        regimes.two_layer(name, width, random_state=3).fit_population(target).risk(target, relative=True)
        for name in NAMES
    ]
    # RF and NT depend on the random weights, with a standard deviation of up to 0.003.
    np.testing.assert_allclose(measured[:2], TABLE[width][:2], atol=0.009)
    assert measured[2] == pytest.approx(TABLE[width][2], abs=6e-4)


def test_limits_agree_with_large_networks():
    target = regimes.lazy_training_target()
    for name in NAMES:
        exact = regimes.two_layer(name, 225, random_state=0).fit_population(target).risk(target, relative=True)
        assert regimes.asymptotic_risk(name, 0.5, target) == pytest.approx(exact, abs=0.01)
    rho = np.array([[0.0, 0.5], [1.0, 2.0]])
    assert regimes.asymptotic_risk("nt", rho, target).shape == (2, 2)
    # Exp(1) slopes: tau tends to 1/2, so RF never falls below 1/2.
    slopes = np.random.default_rng(0).exponential(size=200_000)
    assert regimes.asymptotic_risk("rf", 1e9, slopes) == pytest.approx(0.5, abs=0.01)
    assert regimes.asymptotic_risk("nt", 0.5, slopes) == pytest.approx(0.5 * 0.75, abs=0.01)
    t = np.log(2)
    assert regimes.asymptotic_risk("nn", 0.5, slopes) == pytest.approx(1 - (t * t + 2 * t + 2) / 4, abs=0.01)
    mixture = TwoGaussians(np.eye(3), np.diag([0.3, 0.1, 0.0]))
    assert regimes.asymptotic_risk("nn", 1.0, mixture) == pytest.approx(1 / (1 + 0.1 / 2))


@pytest.mark.parametrize("regime", NAMES)
@pytest.mark.parametrize("kind", ["function", "mixture"])
def test_exact_risk_is_the_monte_carlo_mean(regime, kind):
    rng = np.random.default_rng(1)
    B = rng.standard_normal((6, 6))
    target = QuadraticTarget(B + B.T, 0.4)
    if kind == "mixture":
        target = TwoGaussians(np.diag([1.0, 2, 1, 1, 0.5, 1]), 0.06 * (B + B.T))
    model = regimes.two_layer(regime, 3, random_state=2).fit_population(target)
    X, y = target.sample(400_000, seed=5)
    errors = (y - model.predict(X)) ** 2
    assert model.risk(target) == pytest.approx(errors.mean(), abs=5 * errors.std() / np.sqrt(len(errors)))
    assert model.risk(target) < target.variance


@pytest.mark.parametrize("regime", NAMES)
def test_population_fit_is_the_limit_of_many_samples_or_a_minimum(regime):
    """No small change of what the regime trains lowers the exact risk."""
    rng = np.random.default_rng(4)
    D = rng.standard_normal((5, 5))
    for target in (QuadraticTarget(D + D.T, -0.3), TwoGaussians(np.eye(5) + 0.1 * np.diag(range(5)), 0.1 * (D + D.T))):
        model = regimes.two_layer(regime, 2, random_state=1).fit_population(target)
        best = model.risk(target)
        name = {"rf": "output_weights_", "nt": "tangent_weights_", "nn": "hidden_weights_"}[regime]
        start = getattr(model, name)
        for seed in range(5):
            step = np.random.default_rng(seed).standard_normal(start.shape)
            risks = []
            for size in (1e-4, -1e-4):
                setattr(model, name, start + size * step)
                risks.append(model.risk(target))
            setattr(model, name, start)
            assert min(risks) >= best - 1e-14
            assert abs(risks[0] - risks[1]) / 2e-4 < 1e-3 * max(1.0, np.abs(step).max()) * target.variance * 1e-2
        model.offset_ += 0.1
        assert model.risk(target) == pytest.approx(best + 0.01, rel=1e-9)


@pytest.mark.parametrize("activation", ["square", "relu"])
@pytest.mark.parametrize(("n", "width"), [(200, 3), (30, 40)])
@pytest.mark.parametrize("fit_offset", [True, False])
@pytest.mark.parametrize("regime", ["rf", "nt", "nt-both"])
def test_ridge_agrees_with_scikit_learn(regime, activation, n, width, fit_offset):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    X, d = rng.standard_normal((n, 4)), 4
    y = np.sin(X[:, 0]) + X[:, 1] ** 2 + 0.5
    options = {"layers": "both"} if regime == "nt-both" else {}
    model = regimes.two_layer(
        regime[:2], width, activation, ridge=0.3, fit_offset=fit_offset, random_state=1, **options
    )
    model.fit(X, y)
    z = X @ model.hidden_weights_.T
    value, slope = (z**2, 2 * z) if activation == "square" else (np.maximum(z, 0), (z > 0).astype(float))
    tangent = (slope[:, :, None] * X[:, None, :]).reshape(n, width * d)
    features = {"rf": value, "nt": tangent, "nt-both": np.hstack([value, tangent])}[regime]
    peer = linear_model.Ridge(alpha=0.3, fit_intercept=fit_offset, solver="svd").fit(features, y)
    np.testing.assert_allclose(model.predict(X), peer.predict(features), rtol=1e-7, atol=1e-8)
    assert model.offset_ == pytest.approx(float(peer.intercept_), abs=1e-7)
    coefficients = model.output_weights_ if regime == "rf" else model.tangent_weights_.ravel()
    np.testing.assert_allclose(coefficients, peer.coef_[-coefficients.size :], rtol=1e-6, atol=1e-8)
    assert model.score(X, y) == pytest.approx(peer.score(features, y), abs=1e-9)


def test_many_samples_approach_the_population():
    target = QuadraticTarget(np.diag([1.0, 0.5, -0.5, 0.2]))
    X, y = target.sample(40_000, seed=0)
    for name in ("rf", "nt"):
        model = regimes.two_layer(name, 2, random_state=0, ridge=1e-6)
        few, limit = model.fit(X, y).risk(target), model.fit_population(target).risk(target)
        assert limit <= few <= limit * 1.01 + 0.01


def test_singular_equations_warn():
    X = np.ones((6, 3))
    with pytest.warns(RuntimeWarning, match="singular"):
        RandomFeatures(10, random_state=0).fit(X, np.arange(6.0))


def test_parameters_follow_scikit_learn():
    model = NeuralTangent(7, "relu", layers="both", ridge=0.1)
    assert type(model)(**model.get_params()).get_params() == model.get_params()
    assert model.set_params(width=9).width == 9
    with pytest.raises(ValueError, match="parameters are"):
        model.set_params(depth=1)
    assert "layers='both'" in repr(model)
    sklearn = pytest.importorskip("sklearn.base")
    assert sklearn.clone(model).get_params() == model.get_params()


def bad_calls():
    """Name, call and part of the message of what must be refused."""
    X, y = np.ones((5, 3)), np.arange(5.0)
    nan = X.copy()
    nan[2, 1] = np.nan
    target = QuadraticTarget(np.eye(3))
    fitted = RandomFeatures(2, random_state=0, ridge=1.0).fit(X, y)
    return {
        "NaN in X": (lambda: RandomFeatures(2).fit(nan, y), ValueError, r"X must be finite.*\(2, 1\)"),
        "NaN in y": (lambda: NeuralTangent(2).fit(X, y * np.nan), ValueError, "y must be finite"),
        "NaN in train": (lambda: FullyTrained(2).train(nan, y), ValueError, "X must be finite"),
        "width 0": (lambda: RandomFeatures(0).fit(X, y), ValueError, "width"),
        "width 0 by name": (lambda: regimes.two_layer("rf", 0), ValueError, "width"),
        "labels too short": (lambda: FullyTrained(2).fit(X, y[:3]), ValueError, r"\(5, 3\) and \(3,\)"),
        "labels of two axes": (lambda: RandomFeatures(2).fit(X, X), ValueError, "y must have 1 axes"),
        "no labels": (lambda: FullyTrained(2).train(X), ValueError, "y is required"),
        "labels with a target": (lambda: FullyTrained(2).train(target, y), ValueError, "y must be None"),
        "negative ridge": (lambda: RandomFeatures(2, ridge=-1).fit(X, y), ValueError, "ridge"),
        "ridge for NN": (lambda: FullyTrained(2, ridge=1.0).fit(X, y), ValueError, "ridge must be 0"),
        "unknown mode": (lambda: regimes.two_layer("gp"), ValueError, 'mode must be "full"'),
        "unknown activation": (lambda: RandomFeatures(2, "cube").fit(X, y), ValueError, "cube"),
        "population of relu": (lambda: RandomFeatures(2, "relu").fit_population(target), ValueError, "square"),
        "not a target": (lambda: fitted.risk("x"), TypeError, "QuadraticTarget"),
        "other dimension": (lambda: fitted.risk(QuadraticTarget(np.eye(4))), ValueError, "dimension 3"),
        "other width of X": (lambda: fitted.predict(np.ones((2, 4))), ValueError, "3 columns"),
        "not fitted": (lambda: RandomFeatures().predict(X), ValueError, "fitted"),
        "learning rate 0": (lambda: FullyTrained(2, learning_rate=0).fit(X, y), ValueError, "learning_rate"),
        "bad decay": (lambda: FullyTrained(2).train(X, y, decay=[(2, 1)]), ValueError, "decay"),
        "bad dtype": (lambda: FullyTrained(2).train(X, y, dtype=int), ValueError, "dtype"),
        "asymmetric B": (lambda: QuadraticTarget([[0, 1], [0, 0]]), ValueError, "symmetric"),
        "oblong B": (lambda: QuadraticTarget(np.ones((2, 3))), ValueError, "square"),
        "empty spectrum": (lambda: regimes.asymptotic_risk("rf", 1.0, [0.0]), ValueError, "spectrum"),
        "negative rho": (lambda: regimes.asymptotic_risk("nt", -1.0, [1.0]), ValueError, "rho"),
        "no mixture": (
            lambda: RandomFeatures(2).fit_population(TwoGaussians(np.eye(3), 2 * np.eye(3))).risk(target),
            np.linalg.LinAlgError,
            "positive definite",
        ),
    }


@pytest.mark.parametrize("name", bad_calls())
def test_bad_input_is_refused(name):
    function, error, message = bad_calls()[name]
    with pytest.raises(error, match=message):
        function()


def test_memory_limit_is_kept_before_anything_is_allocated():
    import ntkswift

    with ntkswift.memory_limit(10**6), pytest.raises(MemoryError):
        NeuralTangent(2000, random_state=0).fit(np.ones((3000, 50)), np.ones(3000))


def test_general_activations_have_a_monte_carlo_risk():
    target = QuadraticTarget(np.diag([1.0, 0.5]))
    model = RandomFeatures(50, stax.Relu(), ridge=1e-3, random_state=0).fit(*target.sample(2000, 0))
    assert model.risk(target, n_samples=20_000) < 0.1 * target.variance
    with pytest.raises(ValueError, match="square"):
        model.quadratic_form()
