"""Empirical kernels: limits, options, products with vectors, other frameworks' Jacobians, bad input."""

import numpy as np
import pytest

from ntkswift import empirical, stax

RNG = np.random.default_rng(5)
X1, X2 = RNG.standard_normal((6, 4)), RNG.standard_normal((3, 4))
NETWORK = stax.serial(stax.Dense(16, b_std=0.3), stax.Tanh(), stax.Dense(8), stax.LayerNorm(), stax.Dense(3, b_std=0.1))
PARAMS = NETWORK.init_fn(0, X1.shape)[1]


def _deep(width, layer, outputs=1):
    return stax.serial(
        stax.Dense(width, W_std=1.2, b_std=0.2),
        layer,
        stax.Dense(width, W_std=1.2, b_std=0.2),
        layer,
        stax.Dense(outputs),
    )


@pytest.mark.parametrize("layer", [stax.Relu(), stax.Erf(), stax.Gelu(), stax.Tanh(), stax.Abs()], ids=repr)
def test_finite_networks_approach_the_limit_at_the_root_of_the_width(layer):
    """One network's NTK deviates by O(width^-1/2), so its root mean square over networks halves per factor 4."""
    limit = _deep(1, layer).kernel_fn(X1, None, "ntk")
    errors = []
    for width in (32, 512):
        network = _deep(width, layer)
        ntk_fn = empirical.empirical_ntk_fn(network)
        kernels = [ntk_fn(X1, None, network.init_fn(seed, X1.shape)[1]) for seed in range(12)]
        errors.append(np.sqrt(np.mean([(k - limit) ** 2 for k in kernels])) / np.sqrt(np.mean(limit**2)))
    # Twelve networks know an error to about 20 %: between 4 / 1.8 and 4 * 1.8.
    assert 2.2 < errors[0] / errors[1] < 7.2
    assert errors[1] < 0.1


@pytest.mark.parametrize("distribution", ["gaussian", "rademacher", "orthogonal"])
def test_monte_carlo_kernels_converge(distribution):
    # Many inputs: sums of few signs are not Gaussian.
    x1, x2 = RNG.standard_normal((6, 64)), RNG.standard_normal((3, 64))
    network = _deep(128, stax.Erf(), outputs=32)
    sampled = empirical.monte_carlo_kernel_fn(network.init_fn, network.apply_fn, 1, 100, distribution=distribution)(
        x1, x2
    )
    exact = network.kernel_fn(x1, x2)
    for name in ("nngp", "ntk"):
        error = np.abs(getattr(sampled, name) - getattr(exact, name)).max() / np.abs(getattr(exact, name)).max()
        assert error < 0.25, name  # about 0.04 for each entry relative to itself, more for the worst of eighteen


def test_monte_carlo_gives_running_means():
    network = _deep(16, stax.Relu())
    args = (network.init_fn, network.apply_fn, 3)
    steps = list(empirical.monte_carlo_kernel_fn(*args, [1, 4])(X1, None, "ntk"))
    assert len(steps) == 2
    assert np.array_equal(steps[1], empirical.monte_carlo_kernel_fn(*args, 4)(X1, None, "ntk"))
    assert not np.allclose(steps[0], steps[1])


def test_products_with_vectors_are_those_of_the_kernel():
    kernel = empirical.empirical_ntk_fn(NETWORK, trace_axes=())(X1, X2, PARAMS)
    v = RNG.standard_normal((3, 3))
    product = empirical.empirical_ntk_vp_fn(NETWORK.apply_fn, X1, X2, PARAMS)(v)
    assert np.allclose(product, np.einsum("ijab,jb->ia", kernel, v), rtol=1e-12)


def test_axes():
    full = empirical.empirical_ntk_fn(NETWORK, trace_axes=())(X1, None, PARAMS)
    assert np.array_equal(full, full.transpose(1, 0, 3, 2))
    diagonal = empirical.empirical_ntk_fn(NETWORK, trace_axes=(), diagonal_axes=(0, -1))(X1, None, PARAMS)
    assert np.allclose(diagonal, np.einsum("iiaa->ia", full))
    image = stax.serial(stax.Conv(4, (2, 2), b_std=0.2), stax.Tanh(), stax.Conv(2, (1, 1)))
    x = RNG.standard_normal((3, 3, 4, 2))
    params = image.init_fn(0, x.shape)[1]
    whole = empirical.empirical_ntk_fn(image, trace_axes=())(x, x[:2], params)
    assert whole.shape == (3, 2, 2, 2, 3, 3, 2, 2)
    traced = empirical.empirical_ntk_fn(image, trace_axes=(1, -1), diagonal_axes=(2,))(x, x[:2], params)
    assert np.allclose(traced, np.einsum("ijaappcc->ijp", whole) / 4)
    nngp = empirical.empirical_nngp_fn(image, trace_axes=(1, -1), diagonal_axes=(2,))(x, x[:2], params)
    f = image.apply_fn(params, x)
    assert np.allclose(nngp, np.einsum("iapc,japc->ijp", f, f[:2]) / 4)


def test_gradient_gram_is_that_of_the_losses_of_single_inputs():
    y = RNG.standard_normal((6, 3))
    residual = NETWORK.apply_fn(PARAMS, X1) - y
    gradients = []
    for i in range(6):
        _, gradient = empirical.loss_and_gradient(NETWORK, PARAMS, X1[i : i + 1], y[i : i + 1])
        # The loss is 0.5 mean over three outputs.
        gradients.append(3 * np.concatenate([a.ravel() for pair in gradient for a in pair if a is not None]))
    gram = empirical.gradient_gram(NETWORK, PARAMS, X1, residual)
    assert np.allclose(gram, np.stack(gradients) @ np.stack(gradients).T, rtol=1e-11)
    part = empirical.gradient_gram(NETWORK, PARAMS, X1, residual, X1[:2], residual[:2])
    assert np.allclose(part, gram[:, :2], rtol=1e-12)


def test_curvature_takes_nested_and_flat_vectors():
    y = np.eye(3)[RNG.integers(3, size=6)]
    nested = NETWORK.init_fn(3, X1.shape)[1]
    flat = np.concatenate([a.ravel() for pair in nested for a in pair if a is not None])
    for kind in ("hessian", "gauss_newton"):
        product = empirical.curvature_vector_product(NETWORK, PARAMS, X1, y, nested, "cross_entropy", kind)
        again = empirical.curvature_vector_product(NETWORK, PARAMS, X1, y, flat[None], "cross_entropy", kind)
        assert np.array_equal(np.concatenate([a.ravel() for pair in product for a in pair if a is not None]), again[0])
    # Gauss-Newton is positive semi-definite.
    assert again[0] @ flat >= 0


def test_jacobians_of_other_frameworks():
    kernel = empirical.empirical_ntk_fn(NETWORK, trace_axes=())(X1, None, PARAMS)
    rows = []
    for i in range(6):
        for k in range(3):
            c = np.zeros((6, 3))
            c[i, k] = 1
            # The gradient of one output is the derivative of a linear loss.
            vp = empirical.empirical_ntk_vp_fn(NETWORK, X1, None, PARAMS)(c)
            rows.append(vp.ravel())
    assert np.allclose(np.stack(rows).reshape(6, 3, 6, 3).transpose(0, 2, 1, 3), kernel)
    jacobian = [RNG.standard_normal((5, 2, 3, 4)), RNG.standard_normal((5, 2, 7))]
    flat = np.concatenate([j.reshape(5, 2, -1) for j in jacobian], axis=2)
    full = empirical.empirical_ntk_from_jacobians(jacobian, trace=False)
    assert np.allclose(full, np.einsum("iap,jbp->ijab", flat, flat))
    assert np.allclose(empirical.empirical_ntk_from_jacobians(jacobian), np.einsum("ijaa->ij", full) / 2)


def test_expansions_approach_the_network():
    new = tuple(tuple(None if a is None else a + 0.02 * RNG.standard_normal(a.shape) for a in own) for own in PARAMS)
    f = NETWORK.apply_fn(new, X1)
    errors = [np.abs(empirical.taylor_expand(NETWORK, PARAMS, k)(new, X1) - f).max() for k in range(4)]
    assert errors[0] > 5 * errors[1] > 25 * errors[2] > 125 * errors[3] > 0
    assert np.array_equal(
        empirical.linearize(NETWORK, PARAMS)(new, X1), empirical.taylor_expand(NETWORK, PARAMS, 1)(new, X1)
    )


def test_batch_puts_blocks_together():
    kernel_fn = empirical.empirical_kernel_fn(NETWORK)
    whole = kernel_fn(X1, X2, None, PARAMS)
    blocks = empirical.batch(kernel_fn, 2)(X1, X2, None, PARAMS)
    for a, b in zip(whole, blocks, strict=True):
        assert np.allclose(a, b, rtol=1e-13)


def test_user_functions_have_first_derivatives():
    layer = stax.ElementwiseNumerical(np.tanh)
    ours, known = (stax.serial(stax.Dense(8), a, stax.Dense(2)) for a in (layer, stax.Tanh()))
    params = known.init_fn(0, X1.shape)[1]
    assert np.allclose(
        empirical.empirical_ntk_fn(ours)(X1, None, params),
        empirical.empirical_ntk_fn(known)(X1, None, params),
        rtol=1e-9,
    )
    with pytest.raises(ValueError, match="second derivatives"):
        empirical.taylor_expand(ours, params, 2)(params, X1)


def test_bad_input():
    ntk_fn = empirical.empirical_ntk_fn(NETWORK)
    cases = [
        (lambda: empirical.empirical_ntk_fn(np.tanh), TypeError, "stax"),
        (lambda: empirical.empirical_ntk_fn(NETWORK, trace_axes=(5,))(X1, None, PARAMS), ValueError, "trace_axes"),
        (lambda: empirical.empirical_ntk_fn(NETWORK, color=1), TypeError, "color"),
        (lambda: ntk_fn(X1, X2[:, :2], PARAMS), ValueError, "x2"),
        (lambda: ntk_fn(X1 * np.nan, None, PARAMS), ValueError, "finite"),
        (lambda: ntk_fn(X1, None, PARAMS[:2]), ValueError, "params"),
        (lambda: empirical.empirical_ntk_vp_fn(NETWORK, X1, None, PARAMS)(np.ones(2)), ValueError, "v must"),
        (lambda: empirical.taylor_expand(NETWORK, PARAMS, 4), ValueError, "degree"),
        (lambda: empirical.loss_and_gradient(NETWORK, PARAMS, X1, X1), ValueError, "y must"),
        (lambda: empirical.loss_and_gradient(NETWORK, PARAMS, X1, X1, "hinge"), ValueError, "loss"),
        (lambda: empirical.gradient_gram(NETWORK, PARAMS, X1, np.ones((6, 3)), X2), ValueError, "together"),
        (lambda: empirical.monte_carlo_kernel_fn(NETWORK.init_fn, NETWORK.apply_fn, 0, 0), ValueError, "n_samples"),
        (lambda: NETWORK.init_fn(0, X1.shape, distribution="cauchy"), ValueError, "distribution"),
        (lambda: empirical.empirical_ntk_from_jacobians(np.ones(3)), ValueError, "jacobians1"),
        (lambda: empirical.empirical_ntk_fn(NETWORK, memory_limit=10)(X1, None, PARAMS), MemoryError, "bytes"),
    ]
    for call, error, match in cases:
        with pytest.raises(error, match=match):
            call()
    norm = stax.serial(stax.Dense(4), stax.BatchNorm(), stax.Dense(1))
    with pytest.raises(ValueError, match="one by one"):
        empirical.empirical_ntk_fn(norm)(X1, None, norm.init_fn(0, X1.shape)[1])
    with pytest.raises(ValueError, match="kernel"):
        norm.kernel_fn(X1)


def test_jacobians_as_dicts_and_nested_tuples():
    rng = np.random.default_rng(11)
    a, b, c = rng.standard_normal((5, 2, 3, 4)), rng.standard_normal((5, 2, 4)), rng.standard_normal((5, 2, 1))
    flat = np.concatenate([v.reshape(5, 2, -1) for v in (a, b, c)], axis=-1)
    expected = np.einsum("iap,jbp->ijab", flat, flat)
    shapes = [
        [a, b, c],
        {"w": a, "b": b, "c": c},
        ((a, b), (), None, {"last": (c,)}),
        {"layer": {"w": a, "b": b.tolist()}, "last": c},
    ]
    for jacobians in shapes:
        found = empirical.empirical_ntk_from_jacobians(jacobians, trace=False)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    # The order of a dict's keys does not matter.
    found = empirical.empirical_ntk_from_jacobians({"w": a, "b": b}, {"b": b[:2], "w": a[:2]})
    expected = np.einsum("iap,jap->ij", flat[:, :, :-1], flat[:2, :, :-1]) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    with pytest.raises(ValueError, match="must have the same parameters and outputs"):
        empirical.empirical_ntk_from_jacobians({"w": a}, {"v": a})


@pytest.mark.parametrize("make", [empirical.empirical_ntk_fn, empirical.empirical_nngp_fn])
def test_batch_axis_traced(make):
    network = stax.serial(stax.Dense(7), stax.Tanh(), stax.Dense(3))
    x = np.random.default_rng(5).standard_normal((6, 4))
    _, params = network.init_fn(0, (1, 4))
    whole = make(network, trace_axes=())(x[:3], x[3:], params)
    pairs = np.einsum("iikl->ikl", whole)
    np.testing.assert_allclose(make(network, trace_axes=0)(x[:3], x[3:], params), pairs.mean(0), rtol=1e-12)
    np.testing.assert_allclose(
        make(network, trace_axes=(0, -1))(x[:3], x[3:], params), np.einsum("ikk->", pairs) / 9, rtol=1e-12
    )
    found = make(network, trace_axes=0, diagonal_axes=1)(x[:3], x[3:], params)
    np.testing.assert_allclose(found, np.einsum("ikk->ik", pairs).mean(0), rtol=1e-12)
    for axes in ({"trace_axes": 0}, {"diagonal_axes": 0}):
        with pytest.raises(ValueError, match="must have the same number of inputs"):
            make(network, **axes)(x[:2], x[3:], params)
