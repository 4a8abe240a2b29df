"""Both ends of the range: results are right to rounding, or an error names the argument and what would work."""

import warnings

import mpmath
import numpy as np
import pytest

from ntkswift import curvature, empirical, estimators, hierarchy, predict, solvers, spectra, stax

RELU = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(8), stax.Relu(), stax.Dense(1))
X = np.random.default_rng(3).standard_normal((12, 4))
Y = np.random.default_rng(4).standard_normal((12, 1))
K = RELU.kernel_fn(X, None, "ntk")


def arc_cosine_kernels(x, z):
    """NNGP and NTK of one hidden layer of ReLUs with mpmath (Cho & Saul, 2009), W_std = 1, no bias."""
    with mpmath.workdps(40):
        a, b = ([mpmath.mpf(float(v)) for v in row] for row in (x, z))
        d = len(a)
        xx, zz, xz = (sum(p * q for p, q in zip(u, v, strict=True)) / d for u, v in ((a, a), (b, b), (a, b)))
        angle = mpmath.acos(xz / mpmath.sqrt(xx * zz))
        nngp = mpmath.sqrt(xx * zz) / (2 * mpmath.pi) * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle))
        return nngp, nngp + xz * (mpmath.pi - angle) / (2 * mpmath.pi)


@pytest.mark.parametrize(("dtype", "size", "tolerance"), [
    (np.float64, 1e-150, 1e-13), (np.float64, 1e150, 1e-13), (np.float32, 1e-18, 1e-5), (np.float32, 1e18, 1e-5),
])  # fmt: skip
def test_kernels_at_both_ends(dtype, size, tolerance):
    network = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(1))
    x = (X[:2] * size).astype(dtype)
    kernels = network.kernel_fn(x[:1], x[1:], ("nngp", "ntk"))
    for value, expected in zip(kernels, arc_cosine_kernels(*x), strict=True):
        assert abs(float(value[0, 0]) / float(expected) - 1) < tolerance


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e-20), (np.float32, 1e-23), (np.float64, 1e-160)])
@pytest.mark.parametrize("get", ["nngp", "ntk"])
def test_kernels_that_lose_digits_are_errors(dtype, size, get):
    with pytest.raises(
        ValueError, match=r"\[kernel\] the largest entries must be at least .* multiply the inputs by 2\^"
    ):
        RELU.kernel_fn((X * size).astype(dtype), None, get)


def test_one_small_row_among_others_is_allowed():
    x = X.astype(np.float32)
    x[0] *= np.float32(1e-23)
    kernel = RELU.kernel_fn(x, None, "ntk")
    expected = RELU.kernel_fn(X, None, "ntk")
    np.testing.assert_allclose(kernel[0, 1:] / 1e-23, expected[0, 1:], rtol=1e-4)
    np.testing.assert_allclose(kernel[1:, 1:], expected[1:, 1:], rtol=1e-4)


@pytest.mark.parametrize("activation", [stax.Gelu(), stax.Erf(), stax.Softplus(), stax.Sin()])
@pytest.mark.parametrize("size", [1e-18, 1e-22])
def test_small_float32_rows_behind_a_bias(activation, size):
    network = stax.serial(stax.Dense(8), activation, stax.Dense(8, b_std=0.5), activation, stax.Dense(1, b_std=0.5))
    x = (X * size).astype(np.float32)
    single, double = (network.kernel_fn(v, None, ("nngp", "ntk")) for v in (x, x.astype(float)))
    np.testing.assert_allclose(single.nngp, double.nngp, rtol=1e-5)
    np.testing.assert_allclose(single.ntk, double.ntk, rtol=1e-5)


def test_deviations_too_small_for_a_curve_are_errors():
    network = stax.serial(stax.Dense(8), stax.Gelu(), stax.Dense(1, b_std=1.0))
    with pytest.raises(ValueError, match=r"standard deviation before layer 2 \(Gelu\) must be 0 or at least"):
        network.kernel_fn(X * 1e-160, None, "nngp")


def test_blocks_have_the_bits_of_the_whole_where_the_plan_is_wide():
    network = stax.serial(stax.Dense(8), stax.Gelu(), stax.Dense(8, b_std=0.5), stax.Gelu(), stax.Dense(1, b_std=0.5))
    x = (X * 1e-12).astype(np.float32)
    plan = network.kernel_fn.plan(x, get="ntk")
    whole = network.kernel_fn(x, None, "ntk", plan=plan)
    block = network.kernel_fn(x[2:5], x[4:9], "ntk", plan=plan, places=(2, 4))
    np.testing.assert_array_equal(block, whole[2:5, 4:9])


def test_cross_kernels_overflow_as_square_ones_do():
    x, z = (X[:6] * 1e19).astype(np.float32), (X[6:] * 1e19).astype(np.float32)
    network = stax.serial(
        stax.Dense(8, W_std=1.5), stax.Relu(), stax.Dense(8, W_std=1.5), stax.Relu(), stax.Dense(1, W_std=1.5)
    )
    for arguments in ((x, None), (z, None), (x, np.abs(x))):
        with pytest.raises(OverflowError, match="must stay finite in the result's type"):
            network.kernel_fn(*arguments, "ntk")


@pytest.mark.parametrize(("inputs", "targets"), [(1.0, 2.0**600), (1.0, 2.0**-600), (2.0**-450, 1.0), (2.0**450, 1.0)])
def test_regression_scales_with_inputs_and_targets(inputs, targets):
    expected = estimators.NTKRegressor(RELU).fit(X, Y[:, 0]).predict(X[:3] + 1)
    found = estimators.NTKRegressor(RELU).fit(X * inputs, Y[:, 0] * targets).predict((X[:3] + 1) * inputs)
    np.testing.assert_allclose(found / targets, expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["cholesky", "cg", "minres"])
@pytest.mark.parametrize(("matrix", "right"), [(1.0, 2.0**700), (1.0, 2.0**-700), (2.0**-900, 1.0), (2.0**700, 1.0)])
def test_solvers_scale(method, matrix, right):
    a = K + np.eye(12)
    found = solvers.solve(a * matrix, Y[:, 0] * right, method, tolerance=1e-12)
    assert found.status == "converged"
    np.testing.assert_allclose(found.solution * matrix / right, np.linalg.solve(a, Y[:, 0]), rtol=1e-9)


def test_alignments_do_not_depend_on_scales():
    vectors = np.linalg.eigh(K)[1].T
    y = Y[:, 0]
    for size in (2.0**-700, 2.0**700):
        assert spectra.kernel_alignment(K * size, y * size) == spectra.kernel_alignment(K, y)
        np.testing.assert_array_equal(spectra.label_alignment(vectors, y * size), spectra.label_alignment(vectors, y))


def test_a_kernel_of_zeros_is_told_from_a_small_ridge():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(np.linalg.LinAlgError, match="its inputs are 0, or so small that their squares vanish"):
            predict.gp_inference(np.zeros((3, 3)), np.ones((3, 1)), diag_reg=0.1)("nngp", np.zeros((1, 3)))


def test_kernels_of_callers_that_have_lost_digits():
    with pytest.raises(ValueError, match="k_train_train must have a diagonal of at least"):
        predict.gradient_descent_mse(K * 1e-310, Y)


@pytest.mark.parametrize("size", [1e-170, 1e160])
def test_finite_networks_need_squares_of_inputs_and_targets(size):
    network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    _, params = network.init_fn(0, X.shape)
    calls = [
        ("x1", lambda: empirical.empirical_ntk_fn(network)(X * size, None, params)),
        ("x2", lambda: empirical.empirical_ntk_fn(network)(X, X * size, params)),
        ("x", lambda: empirical.loss_and_gradient(network, params, X * size, Y)),
        ("y", lambda: empirical.loss_and_gradient(network, params, X, Y * size)),
        ("y", lambda: curvature.hessian(network, params, X, Y * size)),
        ("x", lambda: curvature.gradient_covariance(network, params, X * size, Y)),
        ("y_train", lambda: predict.log_marginal_likelihood(RELU, X, Y * size, 0.1)),
    ]
    for name, call in calls:
        with pytest.raises(ValueError, match=rf"\] {name} must have a largest entry between .* a power of two"):
            call()


def test_gaussian_of_no_height():
    kernels = stax.serial(stax.Dense(4), stax.Gaussian(0.0), stax.Dense(1, b_std=0.5)).kernel_fn(
        X, None, ("nngp", "ntk")
    )
    np.testing.assert_array_equal(kernels.nngp, np.full((12, 12), 0.25))
    np.testing.assert_array_equal(kernels.ntk, np.full((12, 12), 0.25))


def test_nan_and_none_are_refused():
    network = stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1))
    _, ((weights, bias), empty, last) = network.init_fn(0, (1, 3))
    with pytest.raises(ValueError, match=r"must be finite"):
        hierarchy.balance(network, ((weights * np.nan, bias), empty, last))
    law = spectra.asymptotics(spectra.laplace(), 3)
    with pytest.raises(ValueError, match=r"\[Asymptotics.eigenvalues\] frequencies must be finite"):
        law.eigenvalues([1.0, np.nan])
    with pytest.raises(TypeError, match=r"\[Asymptotics.eigenvalues\] frequencies must be an array"):
        law.eigenvalues(None)
