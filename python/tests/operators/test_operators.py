"""Operators: what each of them multiplies by, in every shape that NumPy and SciPy use, within its memory."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from scipy.sparse import diags
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, eigsh

import ntkswift
from ntkswift import _core, curvature, operators, stax

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 6))
NETWORK = ntkswift.resntk(3, 0.5)
SMALL = stax.serial(stax.Dense(4, 1.4, 0.1), stax.Tanh(), stax.Dense(2, 1.1, 0.1))
PARAMS = SMALL.init_fn(0, (-1, 6))[1]
TARGETS = RNG.standard_normal((20, 2))
G = RNG.standard_normal((7, 40))


def laplace(x, z):
    return np.exp(-np.linalg.norm(x[:, None] - z[None], axis=2))


def centred(g):
    return (g - g.mean(axis=0)).T @ (g - g.mean(axis=0)) / len(g)


def hessian():
    return curvature.hessian(SMALL, PARAMS, X[:20], TARGETS)


# The operator, and its matrix by another way.
CASES = {
    "NTK": (
        lambda: operators.KernelOperator(NETWORK, X, ridge=0.25),
        lambda: NETWORK.kernel_fn(X, None, "ntk") + 0.25 * np.eye(300),
    ),
    "NNGP, nothing kept": (
        lambda: operators.KernelOperator(NETWORK.kernel_fn, X, get="nngp", store=0),
        lambda: NETWORK.kernel_fn(X, None, "nngp"),
    ),
    "a function, some kept": (
        lambda: operators.KernelOperator(laplace, X, store=200_000, ridge=1e-3),
        lambda: laplace(X, X) + 1e-3 * np.eye(300),
    ),
    "one point": (lambda: operators.KernelOperator(laplace, X[:1]), lambda: np.ones((1, 1))),
    "Dense": (lambda: operators.Dense(laplace(X, X)), lambda: laplace(X, X)),
    "Dense by columns": (lambda: operators.Dense(np.asfortranarray(laplace(X, X))), lambda: laplace(X, X)),
    "GradientCovariance": (lambda: operators.GradientCovariance(G), lambda: centred(G)),
    "uncentred": (lambda: operators.GradientCovariance(G, centered=False), lambda: G.T @ G / 7),
    "SciPy's": (
        lambda: operators.as_operator(aslinearoperator(diags(np.arange(1.0, 40.0)))),
        lambda: np.diag(np.arange(1.0, 40.0)),
    ),
    "Gauss-Newton": (
        lambda: curvature.gauss_newton(SMALL, PARAMS, X[:20], TARGETS),
        lambda: np.stack([curvature.gauss_newton(SMALL, PARAMS, X[:20], TARGETS) @ e for e in np.eye(38)]),
    ),
}


@pytest.fixture(params=CASES, name="case")
def _case(request):
    make, matrix = CASES[request.param]
    return make(), matrix()


def test_products_rows_and_diagonal(case):
    operator, matrix = case
    n = len(matrix)
    assert operator.shape == (n, n)
    assert operator.dtype == np.float64
    V = RNG.standard_normal((n, 5))
    close = {"rtol": 1e-10, "atol": 1e-11 * np.abs(matrix).max() * n}
    np.testing.assert_allclose(operator @ V, matrix @ V, **close)
    np.testing.assert_allclose(operator.matmat(V[:, ::2]), matrix @ V[:, ::2], **close)
    np.testing.assert_allclose(operator @ V[:, 0], matrix @ V[:, 0], **close)
    np.testing.assert_allclose(operator.matvec(V[:, :1]), matrix @ V[:, :1], **close)
    np.testing.assert_allclose(V[:, 0] @ operator, V[:, 0] @ matrix, **close)
    np.testing.assert_allclose(V.T @ operator, V.T @ matrix, **close)
    indices = [n - 1, 0, n // 2]
    np.testing.assert_allclose(operator.rows(indices), matrix[indices], **close)
    assert operator.rows([]).shape == (0, n)
    np.testing.assert_allclose(operator.diagonal(), np.diag(matrix), **close)
    np.testing.assert_allclose(operator.rows(np.arange(n)), operator.rows(np.arange(n)).T, **close)


def test_threads_do_not_change_bits(case):
    operator, matrix = case
    V = RNG.standard_normal((len(matrix), 3))
    with ntkswift.num_threads(1):
        one = operator @ V
    with ntkswift.num_threads(3):
        np.testing.assert_array_equal(operator @ V, one)


def test_scipy_takes_them(case):
    operator, matrix = case
    theirs = aslinearoperator(operator)
    assert isinstance(theirs, LinearOperator)
    v = RNG.standard_normal(len(matrix))
    np.testing.assert_allclose(theirs @ v, operator @ v)
    np.testing.assert_allclose(theirs.rmatvec(v), operator @ v)
    np.testing.assert_allclose(theirs.matmat(v[:, None]), operator @ v[:, None])
    if len(matrix) > 30:
        found = eigsh(theirs, 2, which="LA", v0=np.ones(len(matrix)), return_eigenvectors=False)
        expected = curvature.eigenvalues(operator, 2).values[::-1]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_scipys_conjugate_gradients_run_on_a_kernel():
    operator, b = operators.KernelOperator(NETWORK, X, ridge=1.0), np.sin(X[:, 0])
    x, info = cg(operator, b, rtol=1e-10)
    assert info == 0
    np.testing.assert_allclose(operator @ x, b, atol=1e-7)


def test_the_store_changes_no_bits_and_saves_work():
    calls = []

    def counted(x, z):
        calls.append(len(x) * len(z))
        return laplace(x, z)

    v, found = RNG.standard_normal(300), []
    for store in (0, 100_000, 300_000, 10**9):
        operator = operators.KernelOperator(counted, X, store=store)
        assert operator.stored_bytes == 0
        products, work = [], []
        for _ in range(2):
            calls.clear()
            products.append(operator @ v)
            work.append(sum(calls))
        np.testing.assert_array_equal(products[0], products[1])
        found.append(products[0])
        assert operator.stored_bytes <= store
        assert work[0] < 0.7 * 300**2  # half of the matrix, and the diagonal blocks
        assert work[1] == work[0] - operator.stored_bytes // 8
    assert work[1] == 0
    for other in found:
        np.testing.assert_array_equal(other, found[0])


def test_products_take_no_more_memory_than_they_may():
    # The matrix would take 128 MB; the limit is 16 MB.
    points = RNG.standard_normal((4000, 3))
    with ntkswift.memory_limit(2**24 + 2**23):
        operator = operators.KernelOperator(NETWORK, points, store=2**20)
        tracemalloc.start()
        product = operator @ np.ones(4000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**21
    np.testing.assert_allclose(product[:50], NETWORK.kernel_fn(points[:50], points, "ntk").sum(axis=1), rtol=1e-10)
    with pytest.raises(MemoryError, match="memory"):
        operator.matvec(np.ones(4000), memory_limit=1000)


def test_two_threads_may_multiply_at_once():
    operator = operators.KernelOperator(NETWORK, X)
    expected = operators.KernelOperator(NETWORK, X, store=0) @ np.ones(300)
    results = []
    threads = [threading.Thread(target=lambda: results.append(operator @ np.ones(300))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_operators_are_collected_with_what_they_close_over():
    class Holder:
        def kernel(self, x, z):
            return laplace(x, z)

    holder = Holder()
    holder.operator = operators.KernelOperator(holder.kernel, X)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("end", ["largest", "smallest", "magnitude"])
def test_eigenvalues_of_any_operator(end):
    a = RNG.standard_normal((200, 200))
    a = a + a.T
    values = np.linalg.eigvalsh(a)
    order = {"largest": values[::-1], "smallest": values, "magnitude": values[np.argsort(-np.abs(values))]}
    for core in (operators.Dense(a).core, _core.SymmetricOperator.product(lambda v: a @ v, 200)):
        found, residuals, vectors, products = core.eigen(4, end, 1e-9, True)
        np.testing.assert_allclose(found, order[end][:4], rtol=1e-9)
        assert products <= 200
        np.testing.assert_allclose(np.linalg.norm(a @ vectors.T - vectors.T * found, axis=0), residuals, atol=1e-10)


def test_exceptions_of_operators_come_through():
    def broken(*_):
        raise ZeroDivisionError("no product")

    product = _core.SymmetricOperator.product
    with pytest.raises(ZeroDivisionError, match="no product"):
        product(broken, 10).eigen(2)
    with pytest.raises(ZeroDivisionError, match="no product"):
        operators.KernelOperator(broken, X) @ np.ones(300)
    with pytest.raises(ValueError, match="symmetric"):
        product(lambda v: np.triu(np.ones((10, 10))) @ v, 10).eigen(2)
    with pytest.raises(ValueError, match="finite"):
        product(lambda v: v * np.inf, 10).eigen(2)
    with pytest.raises(ValueError, match="as many numbers"):
        product(lambda v: v[1:], 10).eigen(2)
    with pytest.raises(ntkswift.ConvergenceError, match="products"):
        product(lambda v: np.arange(300.0) * v, 300).eigen(4, subspace=12, most_products=12)
    with pytest.raises(ValueError, match="block must be float64"):
        _core.SymmetricOperator.blocks(lambda *_: np.ones((2, 2)), 10).multiply(np.ones((1, 10)))


def test_refusals():
    kernel = operators.KernelOperator(NETWORK, X)
    with pytest.raises(TypeError, match="kernel must be a stax network"):
        operators.KernelOperator(3, X)
    with pytest.raises(ValueError, match="one value per pair"):
        operators.KernelOperator(lambda a, b: a, X) @ np.ones(300)
    with pytest.raises(ValueError, match=r"\[KernelOperator.matvec\] v must have 300 elements. Received shape \(3,\)"):
        operators.KernelOperator(NETWORK, X) @ np.ones(3)
    with pytest.raises(ValueError, match=r"\[KernelOperator.matmat\] V must have 300 elements"):
        kernel @ np.ones((3, 1))
    with pytest.raises(ValueError, match=r"\[KernelOperator.matvec\] v must be one vector"):
        kernel.matvec(np.ones((300, 2)))
    with pytest.raises(ValueError, match="v must be finite"):
        kernel @ np.full(300, np.nan)
    for wrong in ([-1], [300]):
        with pytest.raises(ValueError, match="indices must be between 0 and 299"):
            kernel.rows(wrong)
    for wrong in (2, [0.5], None, [[0]]):
        with pytest.raises(TypeError, match="indices must be a list of integers"):
            kernel.rows(wrong)
    for options, words in (
        ({"ridge": -1}, "ridge must be"),
        ({"ridge": np.nan}, "ridge must be"),
        ({"store": -1}, "store must be"),
        ({"get": "both"}, "get must be"),
    ):
        with pytest.raises(ValueError, match=words):
            operators.KernelOperator(NETWORK, X, **options)
    with pytest.raises(ValueError, match="X must be finite"):
        operators.KernelOperator(NETWORK, np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="symmetric"):
        operators.Dense(np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="square"):
        operators.Dense(np.ones((3, 2)))
    with pytest.raises(TypeError, match="centered"):
        operators.GradientCovariance(G, centered=1)
    with pytest.raises(TypeError, match="shape, dtype and matvec"):
        operators.as_operator("matrix")
    blocks = stax.serial(stax.FanOut(2), stax.parallel(stax.Dense(3), stax.Dense(3)), stax.FanInConcat(0))
    with pytest.raises(ValueError, match="one output per input"):
        operators.KernelOperator(blocks, X)
