"""RELIABILITY 6, 7, 10 to 12: rows that coincide, scales, singular kernels, single points, requests that are too large."""

import time
import warnings

import numpy as np
import pytest

import ntkswift
from ntkswift import predict, stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKRegressor

RNG = np.random.default_rng(0)


def _network(layer, b_std=None, depth=3):
    return stax.serial(stax.repeat(stax.serial(stax.Dense(8, 1.3, b_std), layer), depth), stax.Dense(1, 1.1, b_std))


LAYERS = [
    stax.Relu(),
    stax.Erf(),
    stax.Gelu(),
    stax.Sin(),
    stax.Sign(),
    stax.Tanh(),
    stax.Rbf(),
    stax.RectifiedMonomial(2),
]


@pytest.mark.parametrize("b_std", [None, 0.2])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_rows(layer, b_std, dtype):
    base = RNG.standard_normal((4, 5)).astype(dtype)
    x = np.concatenate([base, base, -base, 3 * base, np.zeros((2, 5), dtype), base * (1 + 1e-6)]).astype(dtype)
    network = _network(layer, b_std)
    kernel = network.kernel_fn(x)
    other = network.kernel_fn(x, x.copy())
    for name in ("nngp", "ntk"):
        matrix = getattr(kernel, name)
        assert np.isfinite(matrix).all()
        assert np.array_equal(matrix, matrix.T)
        assert np.array_equal(matrix[:4, :4], matrix[4:8, 4:8])
        assert np.array_equal(np.diag(matrix)[:4], np.diag(matrix[:4, 4:8]))
        assert np.array_equal(np.diag(getattr(other, name)), np.diag(matrix))


@pytest.mark.parametrize(("dtype", "exponents"), [(np.float64, (-150, -75, 75, 150)), (np.float32, (-18, -9, 9, 18))])
@pytest.mark.parametrize("layer", [stax.Relu(), stax.Erf(), stax.Abs(), stax.Gelu()], ids=repr)
def test_scales(layer, dtype, exponents):
    x = RNG.standard_normal((5, 4))
    for exponent in exponents:
        scaled = (x * 10.0**exponent).astype(dtype)
        try:
            kernel = _network(layer).kernel_fn(scaled)
        except OverflowError as error:
            assert "overflow" in str(error) or "range" in str(error) or "finite" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(kernel.ntk).all()
            assert np.isfinite(kernel.nngp).all()


@pytest.mark.parametrize("depth", [1, 10, 100, 1000])
def test_depth(depth):
    x = RNG.standard_normal((4, 3))
    hidden = stax.serial(stax.Dense(8, 2**0.5), stax.Relu())
    kernel = stax.serial(stax.repeat(hidden, depth), stax.Dense(1)).kernel_fn(x)
    assert np.isfinite(kernel.ntk).all()
    assert np.linalg.eigvalsh(kernel.nngp).min() > -1e-10 * np.trace(kernel.nngp)


@pytest.mark.parametrize("make", [NTKRegressor, NNGPRegressor, NTKClassifier])
def test_duplicates_without_ridge_get_a_reported_jitter(make):
    x = np.repeat(RNG.standard_normal((10, 3)), 2, axis=0)
    y = np.repeat(np.arange(10) % 2, 2)
    model = make(ridge=0.0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.fit(x, y)
    assert model.jitter_ >= 0
    assert (model.jitter_ > 0) == any("singular" in str(w.message) for w in seen)
    assert np.isfinite(model.predict(x)).all()


def test_an_indefinite_matrix_is_an_error_with_its_pivot():
    indefinite = np.diag([1.0, 2.0, -1.0, 3.0])
    with pytest.raises(ntkswift.NotPositiveDefiniteError, match="row 2") as caught:
        predict.gp_inference(indefinite, np.ones((4, 1)))("ntk", np.ones((1, 4)))
    assert isinstance(caught.value, np.linalg.LinAlgError)
    assert caught.value.pivot == 2
    assert caught.value.jitter > 0


@pytest.mark.parametrize("make", [NTKRegressor, NNGPRegressor])
def test_posterior(make):
    x, z = RNG.standard_normal((30, 3)), RNG.standard_normal((40, 3))
    model = make(ridge=1e-4).fit(x, np.sin(x).sum(1))
    mean, std = model.predict(np.concatenate([z, x]), return_std=True)
    again, cov = model.predict(np.concatenate([z, x]), return_cov=True)
    assert (std >= 0).all()
    np.testing.assert_allclose(mean, again, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(std**2, np.diag(cov), rtol=1e-6, atol=1e-10 * cov.max())
    assert std[40:].max() < std[:40].mean()


@pytest.mark.parametrize("make", [NTKRegressor, NNGPRegressor])
def test_constant_targets_and_a_single_point(make):
    x = RNG.standard_normal((6, 2))
    np.testing.assert_allclose(make().fit(x, np.full(6, 3.5)).predict(x), 3.5)
    single = make().fit(x[:1], [2.0])
    assert np.isfinite(single.predict(x, return_std=True)).all()


@pytest.mark.parametrize("make", [NTKRegressor, NTKClassifier])
def test_requests_over_the_limit_fail_at_once(make):
    x = np.zeros((10**6, 2))
    began = time.process_time()
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        _network(stax.Relu()).kernel_fn(x, None, "ntk")
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        make().fit(x, np.arange(10**6) % 2)
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        make(memory_limit=10**6).fit(x[:1000], np.arange(1000) % 2)
    assert time.process_time() - began < 3
