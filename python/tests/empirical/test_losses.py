"""The losses of networks: formulas in NumPy and mpmath, differences, and the labels that they take."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from ntkswift import curvature, empirical, predict, stax, train
from ntkswift.training import GD

RNG = np.random.default_rng(11)
X = RNG.standard_normal((7, 3))
BITS = np.array([0, 1, 1, 0, 1, 0, 1])
DIGITS = np.array([0, 2, 1, 1, 0, 2, 0])
ONE = stax.serial(stax.Dense(4, b_std=0.3), stax.Tanh(), stax.Dense(1, b_std=0.1))
THREE = stax.serial(stax.Dense(4, b_std=0.3), stax.Tanh(), stax.Dense(3, b_std=0.1))
ONE_PARAMS, THREE_PARAMS = (network.init_fn(5, X.shape)[1] for network in (ONE, THREE))


def flat(params):
    return np.concatenate([np.ravel(a) for own in params for a in own])


def nested(vector, like):
    parts, place = [], 0
    for own in like:
        arrays = []
        for a in own:
            arrays.append(vector[place : place + a.size].reshape(a.shape))
            place += a.size
        parts.append(tuple(arrays))
    return tuple(parts)


def softplus(f):
    return np.maximum(f, 0) + np.log1p(np.exp(-np.abs(f)))


def logistic_losses(vector, x=X, y=BITS):
    """log(1 + exp f) - y f of each input."""
    f = ONE.apply_fn(nested(vector, ONE_PARAMS), x)[:, 0]
    return softplus(f) - y * f


def differences(function, at, step=1e-5):
    """Central differences, one column per number of `at`."""
    columns = [(function(at + step * e) - function(at - step * e)) / (2 * step) for e in np.eye(len(at))]
    return np.stack(columns, axis=-1)


class TestLogistic:
    theta = flat(ONE_PARAMS)

    def slope(self, vector, x=X, y=BITS):
        return flat(empirical.loss_and_gradient(ONE, nested(vector, ONE_PARAMS), x, y, "logistic")[1])

    def test_loss_and_gradient(self):
        value, gradient = empirical.loss_and_gradient(ONE, ONE_PARAMS, X, BITS, "logistic")
        assert abs(value - logistic_losses(self.theta).mean()) < 1e-15
        expected = differences(lambda t: logistic_losses(t).mean(), self.theta)
        np.testing.assert_allclose(flat(gradient), expected, atol=1e-10)

    def test_hessian_and_products(self):
        expected = differences(self.slope, self.theta)
        matrix = curvature.hessian(ONE, ONE_PARAMS, X, BITS, "logistic") @ np.eye(len(self.theta))
        np.testing.assert_allclose(matrix, expected, atol=1e-9)
        product = empirical.curvature_vector_product(ONE, ONE_PARAMS, X, BITS, np.ones(len(self.theta)), "logistic")
        np.testing.assert_allclose(product, expected.sum(axis=1), atol=1e-8)

    def test_gauss_newton_has_the_variance_of_the_label_in_the_middle(self):
        jacobian = differences(lambda t: ONE.apply_fn(nested(t, ONE_PARAMS), X)[:, 0], self.theta)
        p = 1 / (1 + np.exp(-ONE.apply_fn(ONE_PARAMS, X)[:, 0]))
        expected = jacobian.T @ (jacobian * (p * (1 - p) / len(X))[:, None])
        matrix = curvature.gauss_newton(ONE, ONE_PARAMS, X, BITS, "logistic") @ np.eye(len(self.theta))
        np.testing.assert_allclose(matrix, expected, atol=1e-9)

    def test_gradients_of_single_inputs(self):
        rows = differences(logistic_losses, self.theta)
        centred = rows - rows.mean(0)
        expected = np.linalg.eigvalsh(centred @ centred.T / len(X))[::-1][:-1]
        found = curvature.gradient_covariance(ONE, ONE_PARAMS, X, BITS, "logistic", batch=None)
        np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-9)
        fisher = curvature.empirical_fisher(ONE, ONE_PARAMS, X, BITS, "logistic") @ np.eye(len(self.theta))
        np.testing.assert_allclose(fisher, rows.T @ rows / len(X), atol=1e-9)
        along = RNG.standard_normal(len(self.theta))
        curvatures = curvature.sample_curvatures(ONE, ONE_PARAMS, X, BITS, along, "logistic")
        for i, value in enumerate(curvatures):
            one = curvature.hessian(ONE, ONE_PARAMS, X[i : i + 1], BITS[i : i + 1], "logistic")
            assert abs(value - along @ one.matvec(along)) < 1e-12

    def test_far_out(self):
        """Outputs of any size: against 50 digits."""
        network = stax.Dense(1, W_std=1.0)
        with mpmath.workdps(50):
            for f in (-800.0, -40.0, -1e-3, 0.0, 1.0, 40.0, 800.0):
                for y in (0, 1):
                    params = (np.array([[f]]), None)
                    value, (gradient, _) = empirical.loss_and_gradient(network, params, [[1.0]], [y], "logistic")
                    exact = mpmath.log(1 + mpmath.exp(f)) - y * mpmath.mpf(f)
                    slope = 1 / (1 + mpmath.exp(-mpmath.mpf(f))) - y
                    assert abs(value - exact) <= 1e-15 * max(1, abs(exact))
                    assert abs(gradient[0, 0] - slope) <= 2e-16

    def test_trains_as_its_gradient_says(self):
        history = train(ONE, ONE_PARAMS, X, BITS, loss="logistic", optimizer=GD(0.1), steps=3, x_test=X, y_test=BITS)
        theta = self.theta
        for _ in range(3):
            theta = theta - 0.1 * self.slope(theta)
        np.testing.assert_allclose(flat(history.params), theta, atol=1e-14)
        right = (ONE.apply_fn(history.params, X)[:, 0] > 0) == (BITS == 1)
        assert history.validation_accuracy[-1] == right.mean()


def test_cross_entropy_is_the_mean_over_inputs_everywhere():
    f = THREE.apply_fn(THREE_PARAMS, X)
    softmax = np.exp(f) / np.exp(f).sum(1, keepdims=True)
    y = np.eye(3)[DIGITS]
    expected = -np.mean(np.log(softmax)[np.arange(7), DIGITS])
    assert abs(empirical.loss_and_gradient(THREE, THREE_PARAMS, X, y, "cross_entropy")[0] - expected) < 1e-15
    assert (
        abs(train(THREE, THREE_PARAMS, X, y, loss="cross_entropy", optimizer=GD(0.1), steps=1).loss[0] - expected)
        < 1e-15
    )
    kernel = empirical.empirical_ntk_fn(THREE.apply_fn)(X, None, THREE_PARAMS)
    t = 1e-4
    moved = predict.gradient_descent("cross_entropy", kernel, y)([t], f)[0] - f
    np.testing.assert_allclose(moved / t, -kernel @ (softmax - y) / 7, rtol=1e-3, atol=1e-7)


CALLS = {
    "loss_and_gradient": lambda n, p, y, loss: flat(empirical.loss_and_gradient(n, p, X, y, loss)[1]),
    "curvature_vector_product": lambda n, p, y, loss: flat(
        empirical.curvature_vector_product(n, p, X, y, p, loss)
    ),
    "hessian": lambda n, p, y, loss: curvature.hessian(n, p, X, y, loss).matvec(flat(p)),
    "gauss_newton": lambda n, p, y, loss: curvature.gauss_newton(n, p, X, y, loss).matvec(flat(p)),
    "empirical_fisher": lambda n, p, y, loss: curvature.empirical_fisher(n, p, X, y, loss).matvec(flat(p)),
    "gradient_covariance": lambda n, p, y, loss: curvature.gradient_covariance(
        n, p, X, y, loss, batch=2
    ).eigenvalues,
    "sample_curvatures": lambda n, p, y, loss: curvature.sample_curvatures(n, p, X, y, p, loss),
    "step_to_raise": lambda n, p, y, loss: np.array(curvature.step_to_raise(n, p, X, y, p, loss)),
    "train": lambda n, p, y, loss: flat(train(n, p, X, y, loss=loss, steps=2).params),
    "gradient_descent": lambda n, p, y, loss: predict.gradient_descent(loss, KERNEL, y)(3.0).ravel(),
}  # fmt: skip
KERNEL = X @ X.T + np.eye(7)
NAMES = np.array(["no", "yes", "perhaps"])


@pytest.mark.parametrize("name", CALLS)
def test_labels_of_any_kind(name):
    call = CALLS[name]
    one = call(ONE, ONE_PARAMS, BITS[:, None].astype(float), "logistic")
    words = np.where(BITS == 1, "yes", "no")
    for y in (BITS, BITS.astype(bool), BITS.astype(np.uint8), words, words.tolist(), words.astype(object)):
        np.testing.assert_array_equal(call(ONE, ONE_PARAMS, y, "logistic"), one)
    three = call(THREE, THREE_PARAMS, np.eye(3)[DIGITS], "cross_entropy")
    order = np.argsort(np.argsort(NAMES))  # numpy.unique sorts: no, perhaps, yes
    words = NAMES[np.argsort(order)][DIGITS]
    for y in (DIGITS, DIGITS.astype(np.int8), DIGITS.tolist(), words, words.tolist()):
        np.testing.assert_array_equal(call(THREE, THREE_PARAMS, y, "cross_entropy"), three)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("network", "y", "loss", "message"),
    [
        (
            1,
            BITS[:, None].astype(float),
            "cross_entropy",
            r'needs two outputs or more.*"logistic" is the loss of one output',
        ),
        (3, np.eye(3)[DIGITS], "logistic", 'needs one output; "cross_entropy"'),
        (1, BITS + 1, "logistic", r"labels in 0\.\.<2. Received 1 to 2"),
        (1, 2 * BITS - 1, "logistic", "0 or more. Received -1 at index 0"),
        (1, BITS[:, None] * 1.5, "logistic", "labels or probabilities. Received 1.5"),
        (1, ["a", "b", "c", "a", "a", "b", "b"], "logistic", "two different strings|2 different strings"),
        (3, -np.eye(3)[DIGITS], "cross_entropy", "negative"),
        (1, BITS, "hinge", "loss must be"),
    ],
)
def test_what_does_not_fit_says_so(name, network, y, loss, message):
    given = (ONE, ONE_PARAMS) if network == 1 else (THREE, THREE_PARAMS)
    with pytest.raises(ValueError, match=message):
        CALLS[name](*given, y, loss)


@pytest.mark.parametrize("name", CALLS)
def test_labels_that_are_none(name):
    with pytest.raises(TypeError, match="Received None at index 2"):
        CALLS[name](THREE, THREE_PARAMS, [0, 1, None, 2, 0, 1, 2], "cross_entropy")
    with pytest.raises(TypeError, match="strings and int"):
        CALLS[name](THREE, THREE_PARAMS, ["a", "b", 3, "c", "a", "b", "c"], "cross_entropy")


def test_a_history_tells_the_classes(tmp_path):
    words = NAMES[DIGITS]
    history = train(THREE, THREE_PARAMS, X, words, loss="cross_entropy", steps=2, x_test=X[:2], y_test=["yes", "no"])
    assert history.classes == ("no", "perhaps", "yes")
    history.save(tmp_path / "run.npz")
    assert type(history).load(tmp_path / "run.npz").classes == history.classes
    assert train(THREE, THREE_PARAMS, X, DIGITS, loss="cross_entropy", steps=1).classes is None
    with pytest.raises(ValueError, match=r"labels of 'no', 'perhaps', 'yes'. Received 'never'"):
        train(THREE, THREE_PARAMS, X, words, loss="cross_entropy", steps=1, x_test=X[:1], y_test=["never"])
    with pytest.raises(ValueError, match=r"3 different strings, one per class. Received 2"):
        empirical.loss_and_gradient(THREE, THREE_PARAMS, X[:2], ["yes", "no"], "cross_entropy")
