"""Matrices that are no kernels, and solves that cannot be trusted: named everywhere that a caller passes a kernel."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from ntkswift import NotPositiveDefiniteError, _core, curvature, operators, predict, spectra, stax
from ntkswift.regimes import Bottleneck

RNG = np.random.default_rng(7)
A = RNG.standard_normal((6, 9))
K = A @ A.T
Y = RNG.standard_normal((6, 2))


def ensemble(k, y, t):
    def kernel_fn(x1, x2=None, get=None):
        return k

    return predict.gradient_descent_mse_ensemble(kernel_fn, np.eye(6), y)(t, None, "ntk")


CALLS = {
    "gradient_descent_mse": lambda k: predict.gradient_descent_mse(k, Y)(1.0),
    "gradient_descent_mse, limit": lambda k: predict.gradient_descent_mse(k, Y)(None, None, 0.0, k),
    "gradient_descent": lambda k: predict.gradient_descent("mse", k, Y)(1.0),
    "gp_inference": lambda k: predict.gp_inference(k, Y)("ntk", K),
    "gp_inference, prior": lambda k: predict.gp_inference(K, Y)("nngp", K, k),
    "ensemble": lambda k: ensemble(k, Y, 1.0),
    "ensemble, limit": lambda k: ensemble(k, Y, None),
    "max_learning_rate": predict.max_learning_rate,
    "log_marginal_likelihood": lambda k: predict.log_marginal_likelihood(lambda *_: k, np.eye(6), Y),
    "kernel_alignment": lambda k: spectra.kernel_alignment(k, Y),
    "covariance_spectrum": lambda k: curvature.covariance_spectrum(k, is_gram=True),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CALLS)
def test_asymmetric(name, dtype):
    k = K.astype(dtype)
    k[4, 1] += 0.01 * k[0, 0]
    with pytest.raises(
        ValueError, match=r"must be symmetric. Received .* at \(4, 1\) and .* at \(1, 4\) of a 6 x 6 matrix"
    ):
        CALLS[name](k)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CALLS)
def test_rounding_is_no_asymmetry(name, dtype):
    k = K.astype(dtype)
    k[4, 1] = np.nextafter(k[4, 1], dtype(np.inf))
    k[2, 0] *= 1 + 100 * np.finfo(dtype).eps
    CALLS[name](k)


@pytest.mark.parametrize("name", CALLS)
def test_pairs_that_no_kernel_has(name):
    k = K.copy()
    k[3, 2] = k[2, 3] = 1.2 * np.sqrt(k[2, 2] * k[3, 3])
    block = np.linalg.eigvalsh(k[np.ix_([2, 3], [2, 3])])[0]
    with pytest.raises(NotPositiveDefiniteError, match=rf"no negative eigenvalues.*{block:.3g} or less \(rows 2 and 3"):
        CALLS[name](k)
    k = K.copy()
    k[5, 5] = -1.0
    with pytest.raises(NotPositiveDefiniteError, match=r"Received one of -1 or less \(the diagonal element 5\)"):
        CALLS[name](k)


def hidden(size):
    """Indefinite, though no two rows show it: correlations of -0.6 between three vectors."""
    k = np.eye(size)
    k[:3, :3] = [[1, -0.6, -0.6], [-0.6, 1, -0.6], [-0.6, -0.6, 1]]
    return k  # smallest eigenvalue: 1 - 2 * 0.6


@pytest.mark.parametrize("name", ["gradient_descent_mse", "gradient_descent", "ensemble", "max_learning_rate"])
def test_eigenvalues_that_no_kernel_has(name):
    with pytest.raises(NotPositiveDefiniteError, match=r"no negative eigenvalues.*-0.2 with a mean diagonal of 1"):
        CALLS[name](hidden(6))


@pytest.mark.parametrize("name", ["gradient_descent_mse, limit", "gp_inference", "log_marginal_likelihood"])
def test_factorisations_that_break_down(name):
    with pytest.raises(NotPositiveDefiniteError, match=r"positive definite|no negative"):
        CALLS[name](hidden(6))


def test_larger_kernels():
    """Beyond 200 rows by a few products: what stands out is found, a rank-deficient kernel passes."""
    with pytest.raises(NotPositiveDefiniteError, match="no negative eigenvalues"):
        predict.max_learning_rate(hidden(300))
    wide = RNG.standard_normal((300, 400))
    v = RNG.standard_normal(300)
    v /= np.linalg.norm(v)
    k = wide @ wide.T / 300
    with pytest.raises(NotPositiveDefiniteError, match="no negative eigenvalues"):
        predict.max_learning_rate(k - np.outer(v, v) * (v @ k @ v + 0.5))
    thin = RNG.standard_normal((300, 5))
    expected = 2 * 300 / np.linalg.eigvalsh(thin.T @ thin)[-1]
    assert abs(predict.max_learning_rate(thin @ thin.T, eps=0.0) / expected - 1) < 1e-9


def test_operators_may_be_indefinite_but_not_asymmetric():
    assert operators.Dense(hidden(3)).shape == (3, 3)
    with pytest.raises(ValueError, match=r"matrix must be symmetric. Received 0.5 at \(1, 0\) and 0.0 at \(0, 1\)"):
        operators.Dense([[1.0, 0.0], [0.5, 1.0]])


class TestCondition:
    @pytest.mark.parametrize("digits", [2, 8, 11, 13])
    @pytest.mark.parametrize("size", [2, 40, 300])
    def test_the_estimate(self, digits, size):
        q = np.linalg.qr(RNG.standard_normal((size, size)))[0]
        k = q @ np.diag(np.logspace(0, -digits, size)) @ q.T
        k = (k + k.T) / 2
        condition = _core.cholesky(k, 0.0, False)[4]
        exact = 1 / np.linalg.cond(k, 1)
        assert condition >= exact * 0.9
        assert condition <= exact * (3 if digits > 7 else size)

    def test_smooth_kernels_on_a_grid(self):
        """Their small eigenvectors alternate, and the mean sees none of them."""
        x = np.linspace(-1, 1, 9)[:, None]
        k = np.exp(-((x - x.T) ** 2))
        condition = _core.cholesky(k, 0.0, False)[4]
        assert 0.9 < condition * np.linalg.cond(k, 1) < 3

    def test_ill_conditioned_solves_warn(self):
        k = np.array([[1.0, 1.0 - 1e-14], [1.0 - 1e-14, 1.0]])
        for call in (
            lambda: predict.gp_inference(k, [0.0, 1.0])("nngp", k),
            lambda: predict.gradient_descent_mse(k, [0.0, 1.0])(None, None, 0.0, k),
            lambda: predict.log_marginal_likelihood(lambda *_: k, np.eye(2), [0.0, 1.0]),
            lambda: spectra.interpolant_norm(lambda a, b: k, np.eye(2), np.array([0.0, 1.0])),
        ):
            with pytest.warns(
                RuntimeWarning, match=r"ill-conditioned \(rcond=(4.99|5)e-15\): results may not be accurate"
            ):
                call()

    def test_float32_kernels_know_fewer_digits(self):
        k = np.array([[1.0, 1.0 - 1e-7], [1.0 - 1e-7, 1.0]])
        with pytest.warns(RuntimeWarning, match="ill-conditioned"):
            predict.gp_inference(k.astype(np.float32), [0.0, 1.0])("nngp", k)
        predict.gp_inference(k, [0.0, 1.0])("nngp", k)  # an error, were there a warning


class TestWrongThings:
    network = stax.serial(stax.Dense(3), stax.Erf(), stax.Dense(1))

    def test_a_record_where_a_matrix_is_due(self):
        record = self.network.kernel_fn(np.eye(6), None)
        for call in (
            lambda: predict.gradient_descent_mse(record, Y),
            lambda: predict.gradient_descent("mse", record, Y),
            lambda: predict.max_learning_rate(record),
            lambda: operators.Dense(record),
            lambda: spectra.kernel_alignment(record, Y),
        ):
            with pytest.raises(TypeError, match=r"must be one matrix: pass its field ntk or nngp. Received a Kernel"):
                call()

    def test_functions_and_objects_where_arrays_are_due(self):
        for given, received in ((self.network.kernel_fn, "KernelFunction"), ([[1.0, None]], r"None at index \(0, 1\)")):
            with pytest.raises(TypeError, match=f"k_train_train must be an array of real numbers. Received {received}"):
                predict.gradient_descent_mse(given, Y)

    @pytest.mark.parametrize(
        "call",
        [
            lambda k: predict.gradient_descent_mse_ensemble(k, np.eye(6), Y),
            lambda k: predict.log_marginal_likelihood(k, np.eye(6), Y),
            lambda k: Bottleneck(stax.serial(stax.Dense(1), stax.Erf(), stax.Dense(1)), k).fit(np.eye(6), Y),
        ],
    )
    def test_kernels_of_scikit_learn(self, call):
        with pytest.raises(TypeError, match=r"Received a kernel of scikit-learn, RBF.*wrap it as a function"):
            call(RBF())
