"""Curvature, its spectrum and the covariance of gradients against dense matrices, finite differences and golden numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator, eigsh

from ntkswift import ConvergenceError, curvature, empirical, stax

GOLDEN = np.load(Path(__file__).parent / "golden_break_even.npz")


def dense(units):
    return stax.Dense(units, 1.0, 1.0, parameterization="standard")


@pytest.fixture
def golden():
    """The network of the golden numbers: 3-4-3 with tanh, cross-entropy on 12 inputs."""
    network = stax.serial(dense(4), stax.Tanh(), dense(3))
    t = GOLDEN["theta"]
    params = (t[:12].reshape(3, 4), t[12:16].reshape(1, 4)), (), (t[16:28].reshape(4, 3), t[28:].reshape(1, 3))
    return network, params, GOLDEN["x"], np.eye(3)[GOLDEN["y"]], "cross_entropy"


def convolutional(batch_norm):
    norm = (stax.BatchNorm(),) if batch_norm else ()
    network = stax.serial(stax.Conv(2, (3, 3), padding="SAME"), *norm, stax.Tanh(), stax.Flatten(), dense(2))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 4, 4, 1)), rng.standard_normal((12, 2))
    return network, network.init_fn(1, x.shape)[1], x, y, "mse"


def flatten(tree):
    if tree is None or isinstance(tree, tuple):
        return np.concatenate([flatten(part) for part in tree or ()] or [np.zeros(0)])
    return np.ravel(tree)


def unflatten(vector, like):
    if like is None:
        return None, vector
    if isinstance(like, tuple):
        parts = []
        for part in like:
            value, vector = unflatten(vector, part)
            parts.append(value)
        return tuple(parts), vector
    return vector[: like.size].reshape(like.shape), vector[like.size :]


def gradient(case, vector=None, rows=slice(None)):
    network, params, x, y, loss = case
    if vector is not None:
        params, _ = unflatten(vector, params)
    return flatten(empirical.loss_and_gradient(network, params, x[rows], y[rows], loss)[1])


def hessian_by_differences(case):
    start, h = flatten(case[1]), 1e-5
    return np.array(
        [(gradient(case, start + h * e) - gradient(case, start - h * e)) / (2 * h) for e in np.eye(len(start))]
    )


CASES = {"conv": lambda: convolutional(False), "batch norm": lambda: convolutional(True)}


def test_golden_hessian(golden):
    network, params, x, y, loss = golden
    operator = curvature.hessian(network, params, x, y, loss)
    matrix = operator @ np.eye(31)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix)[::-1], GOLDEN["eigH"], atol=1e-13)
    found = curvature.eigenvalues(operator, 3, vectors=True)
    np.testing.assert_allclose(found.values, GOLDEN["eigH"][:3], rtol=1e-10)
    np.testing.assert_allclose(found.vectors @ matrix, found.values[:, None] * found.vectors, atol=1e-7)
    np.testing.assert_allclose(
        curvature.eigenvalues(operator, end="smallest", tolerance=1e-10).values, GOLDEN["eigH"][-1:], rtol=1e-9
    )


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", [curvature.hessian, curvature.gauss_newton])
def test_rough_eigenvalues_come_from_single_precision(batch_norm, kind):
    """Convolutions, several eigenvalues and vectors: within the tolerance, and residuals that are those of the exact matrix."""
    norm = (stax.BatchNorm(),) if batch_norm else ()
    network = stax.serial(
        stax.Conv(4, (3, 3), padding="SAME"),
        *norm,
        stax.Tanh(),
        stax.Conv(5, (2, 2), (2, 1)),
        stax.Relu(),
        stax.Flatten(),
        dense(3),
    )
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((40, 5, 6, 2)), rng.standard_normal((40, 3))
    operator = kind(network, network.init_fn(3, x.shape)[1], x, y)
    assert operator.shape[0] > 200
    matrix = operator @ np.eye(operator.shape[0])
    expected = np.linalg.eigvalsh(matrix)[::-1][:3]
    rough = curvature.eigenvalues(operator, 3, tolerance=2e-3, vectors=True)
    np.testing.assert_allclose(rough.values, expected, rtol=2e-3)
    residuals = np.linalg.norm(rough.vectors @ matrix - rough.values[:, None] * rough.vectors, axis=1)
    np.testing.assert_allclose(residuals, rough.residuals, atol=1e-4 * expected[0])
    assert (residuals < 2.1e-3 * rough.values).all()


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_wide_layers_are_searched_in_single_precision(tolerance):
    """Where matrix products are most of the work: checked by exact products."""
    network = stax.serial(dense(300), stax.Tanh(), dense(300), stax.Tanh(), dense(2))
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((60, 10)), rng.standard_normal((60, 2))
    operator = curvature.hessian(network, network.init_fn(0, x.shape)[1], x, y)
    vectors = tolerance > 1e-6
    found = curvature.eigenvalues(operator, 2, tolerance=tolerance, vectors=vectors)
    expected = eigsh(aslinearoperator(operator), 2, which="LA", tol=1e-12, return_eigenvectors=False)[::-1]
    np.testing.assert_allclose(found.values, expected, rtol=tolerance)
    if vectors:
        images = operator @ found.vectors.T
        errors = np.linalg.norm(images - found.values * found.vectors.T, axis=0)
        np.testing.assert_allclose(errors, found.residuals, atol=1e-12)


def test_golden_covariance(golden):
    network, params, x, y, loss = golden
    single = curvature.gradient_covariance(network, params, x, y, loss, batch=None)
    np.testing.assert_allclose(single.eigenvalues, GOLDEN["eigK"][:11], atol=1e-13)
    assert single.trace == pytest.approx(float(GOLDEN["TrK"]), rel=1e-12)
    batches = curvature.gradient_covariance(network, params, x, y, loss, batch=3)
    np.testing.assert_allclose(batches.eigenvalues, GOLDEN["eigK_minibatch3"][:3], atol=1e-13)
    np.testing.assert_allclose(curvature.covariance_spectrum(GOLDEN["g"]).eigenvalues, GOLDEN["eigK"][:11], atol=1e-13)


def test_golden_break_even():
    for rate, batch, expected in GOLDEN["break_even"]:
        found = curvature.break_even(rate, int(batch), 500, 0.5, 1.0)
        assert found.lambda_H == pytest.approx(expected, rel=1e-14)
        assert found.lambda_K == pytest.approx(0.5 * expected, rel=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_hessian_and_products_are_those_of_finite_differences(name):
    case = CASES[name]()
    expected = hessian_by_differences(case)
    operator = curvature.hessian(*case)
    matrix = operator @ np.eye(len(expected))
    # Central differences with h = 1e-5: errors of h^2 and of rounding over h.
    np.testing.assert_allclose(matrix, expected, atol=2e-8)
    top = np.linalg.eigvalsh(expected)
    np.testing.assert_allclose(curvature.eigenvalues(operator, 3).values, top[::-1][:3], rtol=1e-6)
    vector = np.random.default_rng(2).standard_normal(len(expected))
    np.testing.assert_allclose(operator.matvec(vector), matrix @ vector, atol=1e-12)


@pytest.mark.parametrize("centered", [False, True])
def test_empirical_fisher_is_the_moment_of_single_gradients(centered):
    case = CASES["conv"]()
    rows = np.array([gradient(case, rows=slice(k, k + 1)) for k in range(12)])
    expected = rows.T @ rows / 12 - (np.outer(rows.mean(0), rows.mean(0)) if centered else 0)
    operator = curvature.empirical_fisher(*case, centered=centered)
    np.testing.assert_allclose(operator @ np.eye(len(expected)), expected, atol=1e-13 * np.abs(expected).max())
    assert "covariance" in repr(operator) if centered else "Fisher" in repr(operator)
    tall = (*case[:2], np.tile(case[2], (100, 1, 1, 1)), np.tile(case[3], (100, 1)), *case[4:])
    np.testing.assert_allclose(
        curvature.eigenvalues(curvature.empirical_fisher(*tall, centered=centered), 2).values,
        np.linalg.eigvalsh(expected)[::-1][:2],
        rtol=1e-7,
    )


def test_empirical_fisher_needs_inputs_that_do_not_meet():
    with pytest.raises(ValueError, match="one by one"):
        curvature.empirical_fisher(*CASES["batch norm"]()) @ np.ones(88)


@pytest.mark.parametrize("name", CASES)
def test_covariance_of_batches_is_that_of_their_gradients(name):
    case = CASES[name]()
    rows = np.array([gradient(case, rows=slice(k, k + 3)) for k in range(0, 12, 3)])
    centred = rows - rows.mean(0)
    expected = np.linalg.eigh(centred.T @ centred / len(rows))
    found = curvature.gradient_covariance(*case, batch=3, top=2)
    np.testing.assert_allclose(found.eigenvalues, expected[0][::-1][:3], rtol=1e-9)
    uncentred = np.linalg.eigvalsh(rows @ rows.T / len(rows))
    assert found.largest_uncentred == pytest.approx(uncentred[-1], rel=1e-10)
    assert found.trace == pytest.approx(expected[0].sum(), rel=1e-10)
    assert found.trace_uncentred == pytest.approx(uncentred.sum(), rel=1e-10)
    mean = rows.mean(0)
    assert found.gradient_norm == pytest.approx(np.linalg.norm(mean), rel=1e-10)
    top = expected[1][:, ::-1][:, :2]
    assert found.gradient_share == pytest.approx(((mean @ top) ** 2).sum() / (mean @ mean), rel=1e-8)
    ratios = np.linalg.norm(rows, axis=1) / np.linalg.norm(rows @ top, axis=1)
    assert found.norm_ratio == pytest.approx(ratios.mean(), rel=1e-8)
    assert found.condition == pytest.approx(expected[0][::-1][2] / expected[0][-1], rel=1e-8)


def test_covariance_of_single_inputs_many_of_them():
    """Over 200 gradients the eigenvectors come from Lanczos; both ways agree."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((260, 40)) * np.linspace(1, 3, 40)
    whole, part = curvature.covariance_spectrum(rows), curvature.covariance_spectrum(rows, count=3)
    centred = rows - rows.mean(0)
    expected = np.linalg.eigvalsh(centred.T @ centred / 260)[::-1]
    np.testing.assert_allclose(whole.eigenvalues[:40], expected, rtol=1e-9)
    assert whole.eigenvalues[40:].max() == 0
    assert whole.smallest == pytest.approx(expected[-1])
    np.testing.assert_allclose(part.eigenvalues, expected[:3], rtol=1e-9)
    assert part.norm_ratio == pytest.approx(whole.norm_ratio, rel=1e-7)
    single = curvature.covariance_spectrum(rows.astype(np.float32))
    np.testing.assert_allclose(single.eigenvalues[:40], expected, rtol=1e-5)
    gram = curvature.covariance_spectrum(rows @ rows.T, is_gram=True)
    np.testing.assert_allclose(gram.eigenvalues[:40], expected, rtol=1e-9)


def test_gauss_newton_is_positive_and_the_hessian_where_residuals_vanish():
    case = convolutional(False)
    network, params, x, _, loss = case
    y = network.apply_fn(params, x)
    size = curvature.hessian(network, params, x, y, loss).shape[0]
    both = [f(network, params, x, y, loss) @ np.eye(size) for f in (curvature.hessian, curvature.gauss_newton)]
    np.testing.assert_allclose(*both, atol=1e-12)
    assert np.linalg.eigvalsh(both[1]).min() > -1e-12


@pytest.mark.parametrize("end", ["largest", "smallest", "magnitude"])
def test_eigenvalues_of_any_operator(end):
    rng = np.random.default_rng(4)
    a = rng.standard_normal((300, 300))
    a = a + a.T
    values = np.linalg.eigvalsh(a)
    order = {"largest": values[::-1], "smallest": values, "magnitude": values[np.argsort(-abs(values))]}[end]
    found = curvature.eigenvalues(aslinearoperator(a), 4, end=end, tolerance=1e-10)
    np.testing.assert_allclose(found.values, order[:4], rtol=1e-9)


def test_scipy_takes_the_hessian(golden):
    operator = curvature.hessian(*golden)
    wrapped = LinearOperator(operator.shape, matvec=operator.matvec, dtype=operator.dtype)
    np.testing.assert_allclose(eigsh(wrapped, 1, which="LA")[0], GOLDEN["eigH"][:1], rtol=1e-8)


def test_trace_and_density_against_the_dense_matrix(golden):
    operator = curvature.hessian(*golden)
    matrix = operator @ np.eye(31)
    estimate = curvature.trace(operator, 400, seed=1)
    # var v A v = 2 (||A||_F^2 - sum A_ii^2) for random signs.
    spread = np.sqrt(2 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / 400)
    assert abs(estimate.value - np.trace(matrix)) < 4 * spread
    assert estimate.error == pytest.approx(spread, rel=0.3)
    density = curvature.spectral_density(operator, 400, 31, seed=1)
    assert density.weights.sum() == pytest.approx(1)
    # The first moment of the rules is Hutchinson's estimate with the same probes.
    assert density.moment(1) * 31 == pytest.approx(estimate.value, rel=1e-9)
    assert density.moment(2) * 31 == pytest.approx((matrix**2).sum(), rel=0.2)
    values = np.linalg.eigvalsh(matrix)
    below = [(density.weights * (density.nodes <= t)).sum() for t in (-0.01, 0.3, 1.0)]
    np.testing.assert_allclose(below, [(values <= t).mean() for t in (-0.01, 0.3, 1.0)], atol=0.05)
    grid = np.linspace(-3, 5, 4001)
    values = density.density(grid, 0.05)
    assert np.sum((values[1:] + values[:-1]) / 2 * np.diff(grid)) == pytest.approx(1, abs=1e-3)


def test_a_diagonal_has_its_trace_exactly():
    assert curvature.trace(aslinearoperator(np.diag([3.0, -1.0, 5.0])), 1).value == 7.0


def test_curvature_along_a_line(golden):
    network, params, x, y, loss = golden
    pairs = curvature.eigenvalues(curvature.hessian(*golden), 1, vectors=True, tolerance=1e-12)
    single = curvature.sample_curvatures(network, params, x, y, pairs.vectors[0], loss)
    assert single.mean() == pytest.approx(pairs.values[0], rel=1e-9)
    one = curvature.hessian(network, params, x[3:4], y[3:4], loss) @ pairs.vectors[0]
    assert single[3] == pytest.approx(one @ pairs.vectors[0], rel=1e-9)


def test_step_to_raise(golden):
    network, params, x, y, loss = golden
    start, update = flatten(params), gradient(golden)
    alpha = curvature.step_to_raise(network, params, x, y, update, loss)

    def value(a):
        return empirical.loss_and_gradient(network, unflatten(start - a * update, params)[0], x, y, loss)[0]

    assert value(alpha) >= 1.2 * value(0) > value(0.997 * alpha)
    assert curvature.step_to_raise(network, params, x, y, update, loss, most=0.5 * alpha) == np.inf
    nested, _ = unflatten(update, params)
    assert curvature.step_to_raise(network, params, x, y, nested, loss) == alpha


@pytest.mark.parametrize(("rate", "batch"), [(0.3, 4), (0.8, 2), (0.9, 10)])
def test_stability_factor_is_the_growth_in_simulated_sgd(rate, batch):
    rng = np.random.default_rng(0)
    h = rng.gamma(2.0, 1.0, 50)
    chosen = np.argsort(rng.random((40_000, 50)), axis=1)[:, :batch]
    growth = (1 - rate * h[chosen].mean(1)) ** 2
    error = growth.std() / np.sqrt(len(growth))
    assert abs(curvature.stability_factor(rate, batch, h) - growth.mean()) < 4 * error
    assert curvature.stability_factor(rate, 50, h) == pytest.approx((1 - rate * h.mean()) ** 2)


def test_break_even_is_where_the_factor_reaches_one():
    rate, batch, examples, alpha, psi = 0.1, 8, 500, 0.5, 0.7
    top = curvature.break_even(rate, batch, examples, alpha, psi).lambda_H
    variance = alpha * top / psi**2
    offsets = np.sqrt(variance) * np.array([-1.0, 1.0])
    factor = curvature.stability_factor(rate, batch, top + offsets, examples=examples)
    assert factor == pytest.approx(1, rel=1e-12)


def test_torch_agrees(golden):
    torch = pytest.importorskip("torch")
    _network, params, x, y, _loss = golden
    theta = torch.tensor(flatten(params), dtype=torch.float64, requires_grad=True)
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def losses(t):
        hidden = torch.tanh(inputs @ t[:12].reshape(3, 4) + t[12:16])
        outputs = hidden @ t[16:28].reshape(4, 3) + t[28:]
        return -(targets * torch.log_softmax(outputs, 1)).sum(1)

    expected = torch.autograd.functional.hessian(lambda t: losses(t).mean(), theta).numpy()
    np.testing.assert_allclose(curvature.hessian(*golden) @ np.eye(31), expected, atol=1e-12)
    rows = torch.autograd.functional.jacobian(losses, theta)
    ours = curvature.gradient_covariance(*golden, batch=None)
    np.testing.assert_allclose(curvature.covariance_spectrum(rows).eigenvalues, ours.eigenvalues, atol=1e-12)
    np.testing.assert_allclose(curvature.covariance_spectrum(rows.float()).eigenvalues, ours.eigenvalues, atol=1e-5)


def test_operators_of_wrong_kind(golden):
    class Odd:
        def __init__(self, shape, product, dtype=float):
            self.shape, self.matvec, self.dtype = shape, product, dtype

    with pytest.raises(TypeError, match="matvec"):
        curvature.eigenvalues("matrix")
    with pytest.raises(ValueError, match=r"square.*\(3, 4\)"):
        curvature.eigenvalues(Odd((3, 4), lambda v: v))
    with pytest.raises(ValueError, match="must have 3 numbers"):
        curvature.trace(Odd((3, 3), lambda v: v[:2]))
    with pytest.raises(TypeError, match="real"):
        curvature.spectral_density(Odd((3, 3), lambda v: v, complex))
    with pytest.raises(ValueError, match="finite"):
        curvature.eigenvalues(Odd((3, 3), lambda v: v * np.nan))
    with pytest.raises(ValueError, match="symmetric"):
        curvature.eigenvalues(aslinearoperator(np.triu(np.ones((9, 9)))), 1)
    with pytest.raises(RuntimeError, match="mine"):
        curvature.trace(Odd((3, 3), lambda v: (_ for _ in ()).throw(RuntimeError("mine"))))
    with pytest.raises(ValueError, match="count must be at most 31"):
        curvature.eigenvalues(curvature.hessian(*golden), 32)
    with pytest.raises(ValueError, match="31 elements"):
        curvature.hessian(*golden).matvec(np.ones(30))
    assert issubclass(ConvergenceError, Exception)


def test_bad_arguments(golden):
    network, params, x, y, _ = golden
    with pytest.raises(ValueError, match=r"loss must be .mse., .cross_entropy. or .logistic."):
        curvature.hessian(network, params, x, y, "hinge")
    with pytest.raises(ValueError, match="y must have shape"):
        curvature.hessian(network, params, x, y[:5])
    with pytest.raises(ValueError, match="at least two batches of 128"):
        curvature.gradient_covariance(network, params, x, y)
    with pytest.raises(ValueError, match="BatchNorm"):
        curvature.gradient_covariance(*convolutional(True), batch=None)
    with pytest.raises(ValueError, match="gradients must have at least 2 rows"):
        curvature.covariance_spectrum(np.ones((1, 4)))
    with pytest.raises(ValueError, match="square"):
        curvature.covariance_spectrum(np.ones((3, 4)), is_gram=True)
    with pytest.raises(ValueError, match="direction must have 31"):
        curvature.sample_curvatures(network, params, x, y, np.ones(30))
    with pytest.raises(ValueError, match="factor must be above 1"):
        curvature.step_to_raise(network, params, x, y, np.ones(31), factor=1.0)
    with pytest.raises(ValueError, match="learning_rate must be positive"):
        curvature.break_even(0.0, 1, 10, 0.5)
    with pytest.raises(ValueError, match="between 1 and the 10 examples"):
        curvature.break_even(0.1, 11, 10, 0.5)
    with pytest.raises(ValueError, match="psi"):
        curvature.break_even(0.1, 1, 10, 0.5, 0.0)
    with pytest.raises(MemoryError, match="bytes"):
        curvature.gradient_covariance(network, params, x, y, batch=3, memory_limit=100)
