"""Solvers against NumPy, for every method of the table and every way to fail."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

import ntkswift
from ntkswift import operators, solvers

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 5))
NETWORK = ntkswift.resntk(3, 0.5)
B = RNG.standard_normal((200, 3))


@pytest.fixture(params=["auto", *solvers.METHODS])
def method(request):
    return request.param


def test_kernel_ridge_regression(method):
    matrix = NETWORK.kernel_fn(X, None, "ntk") + 0.1 * np.eye(200)
    expected = np.linalg.solve(matrix, B)
    kernel = operators.KernelOperator(NETWORK, X, ridge=0.1)
    for operator in (kernel, matrix, aslinearoperator(matrix)):
        found = solvers.solve(operator, B, method, tolerance=1e-10)
        assert found.status == "converged"
        assert found.jitter == 0
        assert found.method == ("cholesky" if method == "auto" else method)
        np.testing.assert_allclose(found.solution, expected, rtol=1e-7, atol=1e-8)
        true = np.linalg.norm(B - matrix @ found.solution, axis=0) / np.linalg.norm(B, axis=0)
        np.testing.assert_allclose(found.residual, true, atol=1e-13)
        assert (found.iterations == 0) == (found.method == "cholesky")


def test_one_right_hand_side_is_a_vector(method):
    found = solvers.solve(np.array([[2.0, 1.0], [1.0, 3.0]]), [3, 4], method)
    assert found.solution.shape == (2,)
    assert isinstance(found.residual, float)
    np.testing.assert_allclose(found.solution, [1, 1], rtol=1e-7)
    assert solvers.solve(np.array([[4.0]]), [2.0], method).solution.tolist() == [0.5]


def test_threads_and_layouts_do_not_change_bits(method):
    kernel = operators.KernelOperator(NETWORK, X, ridge=0.1)
    with ntkswift.num_threads(1):
        one = solvers.solve(kernel, B, method).solution
    with ntkswift.num_threads(3):
        np.testing.assert_array_equal(solvers.solve(kernel, np.asfortranarray(B), method).solution, one)


def test_memory_decides_for_conjugate_gradients():
    kernel = operators.Dense(NETWORK.kernel_fn(X, None, "ntk") + np.eye(200))  # 320,000 bytes
    assert solvers.solve(kernel, B, memory_limit=2**19).method == "cg"
    with pytest.raises(MemoryError, match="cg"):
        solvers.solve(kernel, B, "cholesky", memory_limit=2**18)


def test_status_and_warnings():
    indefinite = np.diag([1.0, -1.0, 2.0, 3.0])
    with pytest.warns(RuntimeWarning, match="not_positive_definite"):
        found = solvers.solve(indefinite, np.ones(4), "cg")
    assert found.status == "not_positive_definite"
    assert np.isfinite(found.solution).all()
    with pytest.raises(ntkswift.NotPositiveDefiniteError) as error:
        solvers.solve(indefinite, np.ones(4), "cholesky")
    assert error.value.pivot == 1
    hard = np.diag(np.arange(1.0, 101.0) ** 2)
    with pytest.warns(RuntimeWarning, match="after 3 iterations"):
        found = solvers.solve(hard, np.ones(100), "cg", max_iterations=3)
    assert (found.status, found.iterations) == ("max_iterations", 3)
    with pytest.warns(RuntimeWarning, match="singular to working precision"):
        found = solvers.solve(np.ones((3, 3)), np.ones(3), "cholesky", tolerance=1e-4)
    assert found.jitter > 0
    np.testing.assert_allclose(found.solution.sum(), 1, rtol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert solvers.solve(hard, np.zeros(100), "cg").solution.tolist() == [0.0] * 100


def test_progress_and_exceptions():
    shown = []
    slow = operators.KernelOperator(lambda x, z: x @ z.T, RNG.standard_normal((2500, 4)), ridge=1e-4, store=0)
    solvers.solve(slow, np.ones(2500), "cg", progress=shown.append)
    assert shown == sorted(shown)
    assert all(0 <= fraction <= 1 for fraction in shown)

    class Broken:
        shape, dtype = (5, 5), float

        def matvec(self, _):
            raise ZeroDivisionError("no product")

    with pytest.raises(ZeroDivisionError, match="no product"):
        solvers.solve(Broken(), np.ones(5), "cg")


def test_refusals():
    matrix = np.eye(4)
    for options, words in (
        ({"method": "lu"}, 'method must be "auto"'),
        ({"tolerance": 0}, "tolerance must be"),
        ({"tolerance": 1.0}, "tolerance must be"),
        ({"max_iterations": 0}, "max_iterations must be"),
        ({"max_iterations": 2**31}, "max_iterations must be"),
    ):
        with pytest.raises(ValueError, match=words):
            solvers.solve(matrix, np.ones(4), **options)
    with pytest.raises(ValueError, match="b must have 4 rows"):
        solvers.solve(matrix, np.ones(3))
    with pytest.raises(ValueError, match="b must be finite"):
        solvers.solve(matrix, [1, 2, np.nan, 4])
    with pytest.raises(TypeError, match="shape, dtype and matvec"):
        solvers.solve("matrix", np.ones(4))


def test_the_table_says_what_its_solvers_are():
    assert list(solvers.METHODS)[:2] == ["cholesky", "cg"]
    assert all(text.endswith(".") for text in solvers.METHODS.values())
