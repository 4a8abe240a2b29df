"""What must hold for every network (RELIABILITY 8): symmetry to the bit, K(X, Y) = K(Y, X)^T, exact diagonals, positive
semi-definiteness, independence of threads and of how inputs are split, and architectures that print as their own source."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ntkswift
from ntkswift import stax

WIDTH = 8
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_std = st.floats(0.3, 1.6).map(lambda x: round(x, 3))
_dense = st.builds(
    stax.Dense,
    st.just(WIDTH),
    _std,
    st.none() | _std,
    parameterization=st.sampled_from(["ntk", "standard"]),
    trainable=st.booleans(),
)
_nonlinearity = st.one_of(
    st.sampled_from(
        [
            stax.Relu(),
            stax.Abs(),
            stax.Erf(),
            stax.Gelu(),
            stax.Sigmoid_like(),
            stax.Sign(),
            stax.Step(),
            stax.Gabor(),
            stax.Tanh(),
            stax.Softplus(),
            stax.Identity(),
            stax.Monomial(2),
            stax.RectifiedMonomial(1),
            stax.Polynomial([0.1, -0.4, 0.2]),
            stax.ExpNormalized(),
            stax.Gaussian(),
            stax.Exp(0.5, 0.3),
        ]
    ),
    st.builds(stax.LeakyRelu, _std),
    st.builds(stax.Sin, _std, _std, _std),
    st.builds(stax.Cos, _std, _std),
    st.builds(stax.Rbf, _std),
)
_layer = st.tuples(_dense, st.sampled_from([(), (stax.LayerNorm(),), (stax.Dropout(0.8, "test"),)]), _nonlinearity).map(
    lambda parts: stax.serial(parts[0], *parts[1], parts[2])
)


def _joined(block):
    """Two branches that end in Dense layers, joined in one of the ways."""
    branch = st.tuples(block, _dense).map(lambda parts: stax.serial(*parts))
    joins = st.sampled_from([stax.FanInSum(), stax.FanInProd(), stax.FanInConcat()])
    return st.tuples(_dense, branch, branch, joins).map(
        lambda parts: stax.serial(parts[0], stax.FanOut(2), stax.parallel(parts[1], parts[2]), parts[3])
    )


_block = st.recursive(
    _layer,
    lambda inner: st.lists(inner, min_size=1, max_size=2).map(lambda b: stax.serial(*b)) | _joined(inner),
    max_leaves=4,
)
NETWORKS = st.tuples(_block, _dense).map(lambda parts: stax.serial(*parts))
SEEDS = st.integers(0, 2**32 - 1)


def _rtol(network):
    """Rounding, or what an expansion may cut off: how many terms it keeps depends on all inputs of a call."""
    return 1e-7 if any(name in repr(network) for name in ("Tanh", "Softplus")) else 1e-12


def _inputs(seed, n, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4))
    x[-1] = x[0]  # a duplicate
    return x.astype(dtype)


@SETTINGS
@given(NETWORKS, SEEDS, st.sampled_from([np.float32, np.float64]))
def test_symmetric_and_positive(network, seed, dtype):
    x = _inputs(seed, 9, dtype)
    kernel = network.kernel_fn(x)
    for name in ("nngp", "ntk"):
        matrix = getattr(kernel, name)
        assert matrix.dtype == dtype
        assert np.isfinite(matrix).all()
        assert np.array_equal(matrix, matrix.T)
        assert np.array_equal(matrix[0], matrix[-1])
        eigenvalues = np.linalg.eigvalsh(matrix.astype(np.float64))
        assert eigenvalues.min() >= -100 * len(x) * np.finfo(dtype).eps * max(np.trace(matrix), np.finfo(dtype).tiny)
    np.testing.assert_allclose(np.diag(kernel.nngp), kernel.cov1, rtol=1e-6 if dtype == np.float32 else 1e-13)


@SETTINGS
@given(NETWORKS, SEEDS)
def test_transposed_and_split(network, seed):
    x1, x2 = _inputs(seed, 6), _inputs(seed + 1, 5)
    kernel_fn = network.kernel_fn
    between = kernel_fn(x1, x2, ("nngp", "ntk"))
    turned = kernel_fn(x2, x1, ("nngp", "ntk"))
    whole = kernel_fn(np.concatenate([x1, x2]), None, ("nngp", "ntk"))
    for a, b, c in zip(between, turned, whole, strict=True):
        scale = np.abs(c).max()
        np.testing.assert_allclose(a, b.T, rtol=0, atol=_rtol(network) * scale)
        np.testing.assert_allclose(c[:6, 6:], a, rtol=0, atol=_rtol(network) * scale)


@SETTINGS
@given(NETWORKS, SEEDS)
def test_threads_do_not_matter(network, seed):
    x = np.random.default_rng(seed).standard_normal((150, 4))
    results = []
    for threads in (1, 2, 7):
        with ntkswift.num_threads(threads):
            results.append(network.kernel_fn(x, None, "ntk"))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@SETTINGS
@given(NETWORKS, SEEDS)
def test_single_precision_is_close_to_double(network, seed):
    x = _inputs(seed, 8, np.float32)
    single, double = network.kernel_fn(x), network.kernel_fn(x.astype(np.float64))
    for name in ("nngp", "ntk"):
        a, b = getattr(single, name), getattr(double, name)
        scale = np.sqrt(np.outer(np.diag(b), np.diag(b)))
        assert (np.abs(a - b) <= 5e-5 * np.maximum(scale, np.finfo(np.float32).tiny)).all()


@SETTINGS
@given(NETWORKS, SEEDS)
def test_a_kernel_may_be_handed_over_anywhere(network, seed):
    first, last = network.layers
    x = _inputs(seed, 5)
    stepped, direct = last.kernel_fn(first.kernel_fn(x)), network.kernel_fn(x)
    for name in ("nngp", "ntk"):
        b = getattr(direct, name)
        np.testing.assert_allclose(getattr(stepped, name), b, rtol=0, atol=_rtol(network) * np.abs(b).max())


@SETTINGS
@given(NETWORKS)
def test_networks_print_as_their_source(network):
    assert eval(repr(network), vars(stax)) == network
    assert hash(eval(repr(network), vars(stax))) == hash(network)


@SETTINGS
@given(NETWORKS, SEEDS)
def test_finite_networks_have_the_shape_of_the_kernel(network, seed):
    x = _inputs(seed, 3)
    shape, params = network.init_fn(seed, x.shape)
    kernel = network.kernel_fn(x)
    assert shape == kernel.shape1
    if "ExpNormalized" in repr(network):
        with pytest.raises(ValueError, match="ExpNormalized"):
            network.apply_fn(params, x)
    else:
        assert network.apply_fn(params, x).shape == shape
