"""Training over time: closed forms against differential equations, limits, layouts, losses."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ntkswift import ConvergenceError, predict


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(18, 25))
    k = x @ x.T / 12
    return k[:12, :12], k[12:, :12], rng.normal(size=(12, 3)), rng.normal(size=(12, 3)), rng.normal(size=(6, 3))


def log_softmax(f):
    f = f - f.max(axis=-1, keepdims=True)
    return f - np.log(np.exp(f).sum(axis=-1, keepdims=True))


class TestSquaredLoss:
    def test_limit_is_infinite_time(self, problem):
        k, cross, y, f0, g0 = problem
        predict_fn = predict.gradient_descent_mse(k, y, 0.5)
        for a, b in zip(predict_fn(None, f0, g0, cross), predict_fn(np.inf, f0, g0, cross), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)

    def test_start_is_time_zero(self, problem):
        k, cross, y, f0, g0 = problem
        fx_train, fx_test = predict.gradient_descent_mse(k, y)(0.0, f0, g0, cross)
        np.testing.assert_array_equal(fx_train, f0)
        np.testing.assert_array_equal(fx_test, g0)

    def test_obeys_its_equation(self, problem):
        k, cross, y, f0, g0 = problem
        h = 1e-4
        fx_train, fx_test = predict.gradient_descent_mse(k, y, 0.7)([3 - h, 3, 3 + h], f0, g0, cross)
        for kernel, f in ((k, fx_train), (cross, fx_test)):
            slope = -0.7 * kernel @ (fx_train[1] - y) / y.size
            np.testing.assert_allclose((f[2] - f[0]) / (2 * h), slope, atol=1e-7)

    @pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (0,)])
    def test_time_axes_come_first(self, problem, shape):
        k, cross, y, *_ = problem
        t = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
        predict_fn = predict.gradient_descent_mse(k, y)
        fx_train, fx_test = predict_fn(t, 0.0, 0.0, cross)
        assert fx_train.shape == (*shape, 12, 3)
        assert fx_test.shape == (*shape, 6, 3)
        for index in np.ndindex(shape):
            np.testing.assert_allclose(fx_test[index], predict_fn(t[index], None, 0.0, cross), atol=1e-13)

    def test_regularised_training_set(self, problem):
        k, _, y, *_ = problem
        predict_fn = predict.gradient_descent_mse(k, y, diag_reg=0.1)
        fit = predict_fn(None, None, 0.0, k)
        ridge = 0.1 * np.trace(k) / 12
        np.testing.assert_allclose(fit, k @ np.linalg.solve(k + ridge * np.eye(12), y), atol=1e-10)

    def test_traced_axes(self, problem):
        k, cross, y, f0, g0 = problem
        predict_fn = predict.gradient_descent_mse(k, y)
        moved = predict.gradient_descent_mse(k, y.T, trace_axes=0)
        for t in (None, 2.0, [1.0, 5.0]):
            expected = predict_fn(t, f0, g0, cross)
            got = moved(t, f0.T, g0.T, cross)
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_array_equal(np.swapaxes(a, -1, -2), b)

    def test_singular_kernels_do_not_blow_up(self):
        k = np.ones((4, 4))
        fx_train, fx_test = predict.gradient_descent_mse(k, np.array([[1.0], [1], [3], [3]]))(
            [1e30, np.inf], 0.0, 0.0, k
        )
        np.testing.assert_allclose(fx_train, np.full((2, 4, 1), 2.0), rtol=1e-12)
        np.testing.assert_allclose(fx_test, np.full((2, 4, 1), 2.0), rtol=1e-12)

    def test_requests(self, problem):
        k, _cross, y, *_ = problem
        predict_fn = predict.gradient_descent_mse(k, y)
        with pytest.raises(ValueError, match="nothing to predict"):
            predict_fn(1.0, None, None)
        with pytest.raises(ValueError, match="need k_test_train"):
            predict_fn(1.0, 0.0, 0.0)
        with pytest.raises(ValueError, match=r"t must hold times of at least 0. Received -1.0 at index \(1,\)"):
            predict_fn([0.0, -1.0])
        with pytest.raises(ValueError, match="Received nan"):
            predict_fn(np.nan)
        with pytest.raises(ValueError, match="fx_train_0 must be a number or have shape"):
            predict_fn(1.0, np.zeros((12, 2)))
        with pytest.raises(ValueError, match="learning_rate must be a finite number > 0"):
            predict.gradient_descent_mse(k, y, 0.0)


class TestEnsemble:
    def kernel_fn(self, x1, x2=None, get=None, power=1):
        x2 = x1 if x2 is None else x2
        kernels = {"nngp": (1 + x1 @ x2.T) ** power, "ntk": np.exp(x1 @ x2.T)}
        if isinstance(get, str):
            return kernels[get]
        return predict._ensemble._Kernels(**{name: kernels[name] for name in get})

    @pytest.fixture
    def data(self):
        rng = np.random.default_rng(0)
        return rng.normal(size=(8, 9)) / 3, rng.normal(size=(8, 2)), rng.normal(size=(5, 9)) / 3

    @pytest.mark.parametrize("get", ["nngp", "ntk", ("ntk", "nngp"), None])
    @pytest.mark.parametrize("on_test", [True, False])
    def test_limit_is_infinite_time(self, data, get, on_test):
        x, y, x_test = data
        predict_fn = predict.gradient_descent_mse_ensemble(self.kernel_fn, x, y)
        points = x_test if on_test else None
        late, limit = (predict_fn(t, points, get, compute_cov=True) for t in (np.inf, None))
        pairs = [(late, limit)] if isinstance(get, str) else zip(late, limit, strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a.mean, b.mean, atol=1e-8)
            np.testing.assert_allclose(a.covariance, b.covariance, atol=1e-8)

    def test_starts_at_the_prior(self, data):
        x, y, x_test = data
        predict_fn = predict.gradient_descent_mse_ensemble(self.kernel_fn, x, y)
        for points, where in ((x_test, x_test), (None, x)):
            for posterior in predict_fn(0.0, points, compute_cov=True):
                assert not posterior.mean.any()
                np.testing.assert_allclose(posterior.covariance, self.kernel_fn(where, None, "nngp"), atol=1e-10)

    def test_mean_is_that_of_gradient_descent_mse(self, data):
        x, y, x_test = data
        t = np.array([[0.5, 3.0], [10.0, 1e4]])
        ensemble = predict.gradient_descent_mse_ensemble(self.kernel_fn, x, y, 0.3, 1e-3)(t, x_test, "ntk")
        k, cross = self.kernel_fn(x, None, "ntk"), self.kernel_fn(x_test, x, "ntk")
        single = predict.gradient_descent_mse(k, y, 0.3, 1e-3)(t, None, 0.0, cross)
        np.testing.assert_allclose(ensemble, single, atol=1e-12)

    def test_keywords_reach_the_kernel(self, data):
        x, y, x_test = data
        predict_fn = predict.gradient_descent_mse_ensemble(self.kernel_fn, x, y, diag_reg=1e-3, power=2)
        expected = predict.gp_inference((1 + x @ x.T) ** 2, y, 1e-3)("nngp", (1 + x_test @ x.T) ** 2)
        np.testing.assert_allclose(predict_fn(None, x_test, "nngp"), expected, atol=1e-10)
        np.testing.assert_allclose(predict_fn(None, x_test, "nngp", power=2), expected, atol=1e-10)
        with pytest.raises(ValueError, match="power of kernel_fn must be the same"):
            predict_fn(None, x_test, "nngp", power=3)

    def test_kernels_of_the_training_set_are_computed_once(self, data):
        x, y, x_test = data
        calls = []

        def counting(x1, x2, get):
            calls.append((x2 is None and x1 is x, get))
            return self.kernel_fn(x1, x2, get)

        predict_fn = predict.gradient_descent_mse_ensemble(counting, x, y)
        for t in (None, 1.0, 2.0):
            predict_fn(t, x_test, "ntk")
        assert [get for on_train, get in calls if on_train] == ["ntk"]


class TestDifferentialEquation:
    def test_squared_loss_is_the_closed_form(self, problem):
        k, cross, y, f0, g0 = problem
        t = np.array([[0.0, 1.0], [20.0, 300.0]])
        expected = predict.gradient_descent_mse(k, y, 0.4)(t, f0, g0, cross)
        for loss, gradient in (
            ("mse", None),
            (lambda f, z: 0.5 * np.mean((f - z) ** 2), lambda f, z: (f - z) / z.size),
        ):
            got = predict.gradient_descent(loss, k, y, 0.4, loss_gradient=gradient)(t, f0, g0, cross)
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-6)

    def test_limit_of_the_squared_loss(self, problem):
        k, cross, y, f0, g0 = problem
        k = k + 0.5 * np.eye(12)
        fx_train, fx_test = predict.gradient_descent("mse", k, y)(None, f0, g0, cross)
        np.testing.assert_allclose(fx_train, y, atol=1e-6)
        np.testing.assert_allclose(fx_test, g0 + cross @ np.linalg.solve(k, y - f0), atol=1e-6)

    @pytest.mark.parametrize(("mean_over", "share"), [("inputs", 1), ("inputs_and_classes", 3)])
    def test_cross_entropy_three_ways(self, problem, mean_over, share):
        k, cross, y, f0, g0 = problem
        labels = np.eye(3)[np.argmax(y, axis=1)]

        def loss(f, z):
            return -np.mean(np.sum(log_softmax(f) * z, axis=-1)) / share

        def gradient(f, z):
            return (np.exp(log_softmax(f)) * z.sum(axis=-1, keepdims=True) - z) / len(z) / share

        arguments = ([1.0, 30.0], f0, g0, cross)
        ready = predict.gradient_descent("cross_entropy", k, labels, mean_over=mean_over)(*arguments)
        slope = predict.gradient_descent(loss, k, labels, loss_gradient=gradient)(*arguments)
        value = predict.gradient_descent(loss, k, labels)(*arguments)
        for a, b, c in zip(ready, slope, value, strict=True):
            np.testing.assert_allclose(b, a, atol=1e-8)
            np.testing.assert_allclose(c, a, atol=1e-6)

    @pytest.mark.parametrize(("mean_over", "share"), [("inputs", 1), ("inputs_and_classes", 12)])
    def test_cross_entropy_over_an_axis_that_is_not_traced(self, problem, mean_over, share):
        k, _, _y, *_ = problem
        labels = np.eye(12)[:, :3].T.copy()  # 3 outputs (traced, in front), 12 points: classes run over the points
        one = predict.gradient_descent("cross_entropy", k, labels, trace_axes=0, mean_over=mean_over)(5.0)
        loss = lambda f, z: -np.mean(np.sum(log_softmax(f) * z, axis=-1)) / share  # noqa: E731
        np.testing.assert_allclose(one, predict.gradient_descent(loss, k, labels, trace_axes=0)(5.0), atol=1e-6)

    def test_momentum_obeys_its_equation(self, problem):
        k, cross, y, f0, g0 = problem
        rate, momentum, h = 0.3, 0.8, 1e-3
        start = predict.ODEState(f0, g0, 0.1 * y, 0.2 * g0)
        t = np.array([2 - h, 2, 2 + h]) / rate**0.5
        state = predict.gradient_descent("mse", k, y, rate, momentum)(t, start, None, cross)
        damping = (momentum - 1) / rate**0.5
        for kernel, f, q in ((k, state.fx_train, state.qx_train), (cross, state.fx_test, state.qx_test)):
            np.testing.assert_allclose((f[2] - f[0]) / (2 * h), q[1], atol=1e-5)
            force = -kernel @ (state.fx_train[1] - y) / y.size + damping * q[1]
            np.testing.assert_allclose((q[2] - q[0]) / (2 * h), force, atol=1e-5)

    def test_runs_can_be_resumed(self, problem):
        k, cross, y, f0, g0 = problem
        predict_fn = predict.gradient_descent("mse", k, y, 0.3, 0.9)
        whole = predict_fn(9.0, predict.ODEState(f0, g0), None, cross)
        half = predict_fn(4.0, predict.ODEState(f0, g0), None, cross)
        resumed = predict_fn(5.0, half, None, cross)
        for name in ("fx_train", "fx_test", "qx_train", "qx_test"):
            np.testing.assert_allclose(getattr(resumed, name), getattr(whole, name), atol=1e-7)

    def test_times_in_any_order_and_shape(self, problem):
        k, cross, y, f0, g0 = problem
        predict_fn = predict.gradient_descent("mse", k, y)
        t = np.array([[5.0, 0.0], [1.0, 5.0]])
        fx_train = predict_fn(t, f0)
        np.testing.assert_array_equal(fx_train[0, 0], fx_train[1, 1])
        np.testing.assert_allclose(fx_train[0, 1], f0)
        np.testing.assert_allclose(predict_fn(1.0, f0), fx_train[1, 0], atol=1e-8)
        assert predict_fn(t, None, g0, cross).shape == (2, 2, 6, 3)

    def test_losses_that_fail(self, problem):
        k, _, y, *_ = problem

        class Failure(Exception):
            pass

        def fails(f, z):
            raise Failure("from the loss")

        with pytest.raises(Failure, match="from the loss"):
            predict.gradient_descent(fails, k, y)(1.0)
        with pytest.raises(ValueError, match="finite gradient at the start"):
            predict.gradient_descent(lambda f, z: np.nan, k, y)(1.0)
        with pytest.raises(ValueError, match="must return an array of shape"):
            predict.gradient_descent(fails, k, y, loss_gradient=lambda f, z: f[:1])(1.0)
        with pytest.raises(ValueError, match="loss must be"):
            predict.gradient_descent("hinge", k, y)
        with pytest.raises(TypeError, match="loss must be"):
            predict.gradient_descent(3, k, y)

    def test_training_without_an_end(self, problem):
        k, _, y, *_ = problem
        with pytest.raises(ConvergenceError):
            predict.gradient_descent(lambda f, z: 0.0, k, y, loss_gradient=lambda f, z: np.ones_like(f))(None)
        with pytest.raises(ConvergenceError, match="stay finite"):
            predict.gradient_descent(lambda f, z: 0.0, k, y, loss_gradient=lambda f, z: -(f**3))(1e6, 1.0)

    def test_state_and_momentum_go_together(self, problem):
        k, _, y, *_ = problem
        with pytest.raises(ValueError, match="needs momentum"):
            predict.gradient_descent("mse", k, y)(1.0, predict.ODEState(0.0, qx_train=1.0))
        with pytest.raises(ValueError, match="fx_test_0 must be None"):
            predict.gradient_descent("mse", k, y)(1.0, predict.ODEState(0.0), 0.0, k)


def test_max_learning_rate():
    k = np.diag([1.0, 2.0, 5.0])
    assert predict.max_learning_rate(k, eps=0.0) == pytest.approx(2 * 3 / 5, rel=1e-12)
    assert predict.max_learning_rate(k, 30, 0.5, 0.0) == pytest.approx(2 * 1.5 * 30 / 5, rel=1e-12)
    assert predict.max_learning_rate(np.zeros((2, 2)), eps=0.0) == float("inf")
    big = np.random.default_rng(0).normal(size=(400, 500))
    big = 1 + big @ big.T / 400
    assert predict.max_learning_rate(big) == pytest.approx(2 * 400 / np.linalg.eigvalsh(big)[-1], rel=1e-9)
    paired = np.random.default_rng(0).normal(size=(6, 9))
    flat = paired @ paired.T
    kernel = flat.reshape(3, 2, 3, 2).transpose(0, 2, 1, 3)
    assert predict.max_learning_rate(kernel) == pytest.approx(2 * 6 / np.linalg.eigvalsh(flat)[-1], rel=1e-9)
    with pytest.raises(ValueError, match="momentum"):
        predict.max_learning_rate(k, momentum=2.0)


class TestOneOutput:
    """Targets of shape (n,): the numbers of (n, 1) without the axis."""

    @pytest.mark.parametrize("t", [None, 2.0, [1.0, 5.0]])
    def test_every_predictor(self, problem, t):
        k, cross, y, f0, g0 = problem
        k = k + 0.5 * np.eye(12)
        y, f0, g0 = y[:, :1], f0[:, :1], g0[:, :1]

        def without_axis(results):
            return [np.squeeze(r, -1) for r in results]

        for make in (predict.gradient_descent_mse, lambda *a: predict.gradient_descent("mse", *a)):
            wide = without_axis(make(k, y)(t, f0, g0, cross))
            flat = make(k, y[:, 0])(t, f0[:, 0], g0[:, 0], cross)
            for a, b in zip(flat, wide, strict=True):
                np.testing.assert_array_equal(a, b)
        kernel_fn = lambda x1, x2=None, get=None: 1 + x1 @ (x1 if x2 is None else x2).T  # noqa: E731
        x = np.eye(12, 5) + 0.1
        wide, flat = (
            predict.gradient_descent_mse_ensemble(kernel_fn, x, z, diag_reg=0.1)(t, x[:3], "nngp", True)
            for z in (y, y[:, 0])
        )
        np.testing.assert_array_equal(flat.mean, wide.mean[..., 0])
        np.testing.assert_array_equal(flat.covariance, wide.covariance)

    def test_posterior_and_samples(self, problem):
        k, cross, y, *_ = problem
        prior = np.eye(6) * 10
        wide, flat = (predict.gp_inference(k, z, 0.1)("nngp", cross, prior) for z in (y[:, :1], y[:, 0]))
        np.testing.assert_array_equal(flat.mean, wide.mean[:, 0])
        draws = [predict.sample_posterior(g, 4, seed=1) for g in (wide, flat)]
        np.testing.assert_array_equal(draws[1], draws[0][..., 0])

    def test_logistic_obeys_its_equation(self, problem):
        """Against SciPy's integrator, for probabilities and for labels."""
        k, _, y, *_ = problem
        bits = (y[:, 0] > 0).astype(float)

        def slope(_, f):
            return -k @ (1 / (1 + np.exp(-f)) - bits) / 12

        for targets in (bits, bits.astype(int), bits > 0.5, np.where(bits > 0.5, "b", "a")):
            found = predict.gradient_descent("logistic", k, targets)([1.0, 30.0])
            expected = solve_ivp(slope, (0, 30), np.zeros(12), t_eval=[1.0, 30.0], rtol=1e-10, atol=1e-12).y.T
            np.testing.assert_allclose(found, expected, atol=1e-7)
        with pytest.raises(ValueError, match='mean_over="inputs_and_classes" is for the loss "cross_entropy"'):
            predict.gradient_descent("logistic", k, bits, mean_over="inputs_and_classes")
        with pytest.raises(ValueError, match="mean_over must be"):
            predict.gradient_descent("cross_entropy", k, np.eye(12), mean_over="classes")


@pytest.mark.parametrize("t", [float("nan"), -1.0, [1.0, float("nan")]])
def test_times_that_are_none(t):
    k, y = np.diag([1.0, 2.0]), np.ones((2, 1))
    for fn in (predict.gradient_descent_mse(k, y), predict.gradient_descent("mse", k, y)):
        with pytest.raises(ValueError, match=r"t must hold times of at least 0"):
            fn(t)
