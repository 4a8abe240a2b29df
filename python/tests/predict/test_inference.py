"""gp_inference: posteriors against dense linear algebra, layouts, and what goes wrong."""

from collections import namedtuple

import numpy as np
import pytest

from ntkswift import NotPositiveDefiniteError, predict

Kernels = namedtuple("Kernels", "nngp ntk")


def joint_kernel(n, m, seed=0, scale=1.0):
    """A positive definite kernel of n training and m test points, cut into its blocks."""
    x = np.random.default_rng(seed).normal(size=(n + m, n + m + 4))
    k = scale * (x @ x.T) / n
    return k[:n, :n], k[n:, :n], k[n:, n:]


@pytest.fixture
def problem():
    nngp, ntk = joint_kernel(20, 6), joint_kernel(20, 6, seed=1)
    train, cross, test = (Kernels(a, b) for a, b in zip(nngp, ntk, strict=True))
    y = np.random.default_rng(2).normal(size=(20, 3))
    return train, cross, test, y


def test_means_and_covariances(problem):
    train, cross, test, y = problem
    answers = predict.gp_inference(train, y)(("nngp", "ntk", "ntkgp"), cross, test)
    assert answers._fields == ("nngp", "ntk", "ntkgp")
    for name, kernel in (("nngp", 0), ("ntkgp", 1)):
        weights = np.linalg.solve(train[kernel], cross[kernel].T)
        mean, covariance = getattr(answers, name)
        np.testing.assert_allclose(mean, weights.T @ y, atol=1e-10)
        np.testing.assert_allclose(covariance, test[kernel] - weights.T @ cross[kernel].T, atol=1e-10)
    weights = np.linalg.solve(train.ntk, cross.ntk.T)
    mixed = weights.T @ cross.nngp.T
    expected = test.nngp + weights.T @ train.nngp @ weights - mixed - mixed.T
    np.testing.assert_allclose(answers.ntk.covariance, expected, atol=1e-10)
    np.testing.assert_array_equal(answers.ntk.covariance, answers.ntk.covariance.T)


def test_get_shapes_the_answer(problem):
    train, cross, test, y = problem
    predict_fn = predict.gp_inference(train, y, diag_reg=1e-3)
    mean = predict_fn("ntk", cross)
    assert isinstance(mean, np.ndarray)
    assert mean.shape == (6, 3)
    assert isinstance(predict_fn("NTK", cross, test), predict.Gaussian)
    assert predict_fn(None, cross)._fields == ("nngp", "ntk")
    np.testing.assert_array_equal(predict_fn("nngp"), y)
    zero = predict_fn("nngp", None, True)
    assert not zero.covariance.any()
    assert zero.covariance.shape == (20, 20)


def test_arrays_stand_for_any_kernel(problem):
    train, cross, test, y = problem
    predict_fn = predict.gp_inference(train.ntk, y)
    np.testing.assert_array_equal(predict_fn("ntk", cross.ntk), predict.gp_inference(train, y)("ntk", cross))
    np.testing.assert_array_equal(predict_fn("ntkgp", cross.ntk, test.ntk).mean, predict_fn("nngp", cross.ntk))
    with pytest.raises(ValueError, match="needs k_train_train and k_test_train with both kernels"):
        predict_fn("ntk", cross.ntk, test.nngp)


def test_diag_reg_is_relative_to_the_mean_diagonal(problem):
    train, cross, _, y = problem
    absolute = 0.1 * np.trace(train.ntk) / 20
    a = predict.gp_inference(train, y, 0.1)("ntk", cross)
    b = predict.gp_inference(train, y, absolute, diag_reg_absolute_scale=True)("ntk", cross)
    np.testing.assert_allclose(a, b, rtol=1e-13)
    np.testing.assert_allclose(a, cross.ntk @ np.linalg.solve(train.ntk + absolute * np.eye(20), y), atol=1e-10)


def test_trace_axes_and_axes_in_pairs():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(4, 3, 2))  # points, places, outputs
    full, cross2, test2 = joint_kernel(12, 6)
    train = full.reshape(4, 3, 4, 3).transpose(0, 2, 1, 3)
    cross = cross2.reshape(2, 3, 4, 3).transpose(0, 2, 1, 3)
    test = test2.reshape(2, 3, 2, 3).transpose(0, 2, 1, 3)
    mean, covariance = predict.gp_inference(train, y, trace_axes=-1)("nngp", cross, test)
    expected = cross2 @ np.linalg.solve(full, y.reshape(12, 2))
    np.testing.assert_allclose(mean, expected.reshape(2, 3, 2), atol=1e-10)
    assert covariance.shape == (2, 2, 3, 3)
    flat = covariance.transpose(0, 2, 1, 3).reshape(6, 6)
    np.testing.assert_allclose(flat, test2 - cross2 @ np.linalg.solve(full, cross2.T), atol=1e-10)
    # The same with the traced axis in front of the places.
    moved = predict.gp_inference(train, y.transpose(0, 2, 1), trace_axes=1)("nngp", cross)
    np.testing.assert_array_equal(moved, mean.transpose(0, 2, 1))
    # No traced axis: the kernel has all of them.
    square = predict.gp_inference(full[:8, :8].reshape(4, 2, 4, 2).transpose(0, 2, 1, 3), y[:, 0], trace_axes=())
    assert square("nngp").shape == (4, 2)


@pytest.mark.parametrize("layout", ["fortran", "reversed", "slice", "read-only", "list"])
def test_layouts_give_the_same_bits(problem, layout):
    train, cross, test, y = problem

    def change(a):
        if layout == "fortran":
            return np.asfortranarray(a)
        if layout == "reversed":
            return a[::-1, ::-1].copy()[::-1, ::-1]
        if layout == "slice":
            wide = np.zeros((2 * a.shape[0], 3 * a.shape[1]))
            wide[::2, ::3] = a
            return wide[::2, ::3]
        if layout == "list":
            return a.tolist()
        a = a.copy()
        a.flags.writeable = False
        return a

    expected = predict.gp_inference(train.ntk, y)("ntkgp", cross.ntk, test.ntk)
    got = predict.gp_inference(change(train.ntk), change(y))("ntkgp", change(cross.ntk), change(test.ntk))
    np.testing.assert_array_equal(got.mean, expected.mean)
    np.testing.assert_array_equal(got.covariance, expected.covariance)


def test_float32_in_gives_float32_out(problem):
    train, cross, test, y = problem
    single = predict.gp_inference(train.ntk.astype(np.float32), y)("ntkgp", cross.ntk.astype(np.float32), test.ntk)
    assert single.mean.dtype == single.covariance.dtype == np.float32
    double = predict.gp_inference(train.ntk, y)("ntkgp", cross.ntk, test.ntk)
    np.testing.assert_allclose(single.mean, double.mean, atol=1e-3)


def test_singular_kernels_get_jitter_and_a_warning():
    train, cross, _ = joint_kernel(10, 3)
    twice = np.ix_(np.arange(20) % 10, np.arange(20) % 10)
    y = np.random.default_rng(0).normal(size=(10, 1))
    with pytest.warns(RuntimeWarning, match="singular to working precision"):
        mean = predict.gp_inference(train[twice], y[np.arange(20) % 10])("ntk", cross[:, np.arange(20) % 10])
    np.testing.assert_allclose(mean, cross @ np.linalg.solve(train, y), rtol=1e-4)


def test_indefinite_kernels_name_the_pivot():
    kernel = np.eye(5)
    kernel[1:4, 1:4] = 1.6 * np.eye(3) - 0.6  # correlations of -0.6 between three
    with pytest.raises(NotPositiveDefiniteError, match="row 3") as caught:
        predict.gp_inference(kernel, np.ones((5, 1)))("ntk", np.ones((2, 5)))
    assert caught.value.pivot == 3
    assert 0 < caught.value.jitter < 1e-5


def test_one_training_point_and_constant_targets():
    mean, covariance = predict.gp_inference([[2.0]], [[3.0]])("nngp", [[1.0], [2.0]], [[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(mean, [[1.5], [3.0]])
    np.testing.assert_allclose(covariance, [[1.5, 0.0], [0.0, 0.0]], atol=1e-15)
    assert (np.diag(covariance) >= 0).all()


BAD = [
    (lambda k, c, t, y: predict.gp_inference(k, y[:-1]), "k_train_train must have the axes of y_train"),
    (lambda k, c, t, y: predict.gp_inference(k[:-1], y), "k_train_train must be square"),
    (lambda k, c, t, y: predict.gp_inference(k, y)("ntk", c[:, 1:]), "k_test_train must have the training points"),
    (lambda k, c, t, y: predict.gp_inference(k, y)("ntkgp", c, t[1:, 1:]), "k_test_test must be between"),
    (lambda k, c, t, y: predict.gp_inference(k, y)("kernel", c), "get must be"),
    (lambda k, c, t, y: predict.gp_inference(k, y)(("ntk", "ntk"), c), "get must be"),
    (lambda k, c, t, y: predict.gp_inference(k, y, diag_reg=-1), "diag_reg must be a finite number >= 0"),
    (lambda k, c, t, y: predict.gp_inference(k, y, trace_axes=2), "trace_axes must be axes of y_train"),
    (lambda k, c, t, y: predict.gp_inference(k, y, trace_axes=(1, -1)), "trace_axes must name each axis once"),
    (lambda k, c, t, y: predict.gp_inference(Kernels(k, None), y)("ntk", c), 'must hold the kernel "ntk"'),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_bad_arguments(problem, bad, message):
    train, cross, test, y = problem
    with pytest.raises(ValueError, match=message):
        bad(train.ntk, cross.ntk, test.ntk, y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_not_finite(problem, value, dtype):
    train, _cross, _, y = problem
    broken = train.ntk.astype(dtype)
    broken[3, 2] = value
    with pytest.raises(ValueError, match=r"k_train_train must be finite.*index \(3, 2\)"):
        predict.gp_inference(broken, y)
    broken_y = y.astype(dtype)
    broken_y[1, 0] = value
    with pytest.raises(ValueError, match=r"y_train must be finite.*index \(1, 0\)"):
        predict.gp_inference(train.ntk, broken_y)


def test_inputs_are_not_written_to(problem):
    train, cross, test, y = problem
    copies = [a.copy() for a in (*train, *cross, *test, y)]
    predict.gp_inference(train, y)(("nngp", "ntk", "ntkgp"), cross, test)
    for before, after in zip(copies, (*train, *cross, *test, y), strict=True):
        np.testing.assert_array_equal(before, after)


def test_threads_do_not_change_bits():
    import ntkswift

    train, cross, test = joint_kernel(600, 300)
    y = np.random.default_rng(0).normal(size=(600, 2))
    answers = []
    for threads in (1, 2, 7):
        with ntkswift.num_threads(threads):
            answers.append(predict.gp_inference(train, y, 0.01)("ntkgp", cross, test))
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer.mean, answers[0].mean)
        np.testing.assert_array_equal(answer.covariance, answers[0].covariance)


def test_memory_limit():
    import ntkswift

    train, cross, test = joint_kernel(200, 50)
    with ntkswift.memory_limit(1000), pytest.raises(MemoryError, match="320000 bytes"):
        predict.gp_inference(train, np.ones((200, 1)))("ntkgp", cross, test)
