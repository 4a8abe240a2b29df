"""Kernels of callers' own functions against ready-made ones."""

import numpy as np
import pytest

from ntkswift import stax

RNG = np.random.default_rng(1)
X1, X2 = RNG.standard_normal((6, 4)), RNG.standard_normal((5, 4))


def kernels(layer, x2=X2):
    return stax.serial(stax.Dense(8, 1.3, 0.2), layer, stax.Dense(1)).kernel_fn(X1, x2, ("nngp", "ntk"))


def assert_close(a, b, rtol):
    for name in ("nngp", "ntk"):
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol=0, atol=rtol * np.abs(getattr(b, name)).max()
        )


def erf_dual(cov12, var1, var2):
    return np.arcsin(2 * cov12 / np.sqrt((1 + 2 * var1) * (1 + 2 * var2))) * 2 / np.pi


def erf_slope(cov12, var1, var2):
    return 4 / np.pi / np.sqrt((1 + 2 * var1) * (1 + 2 * var2) - 4 * cov12**2)


@pytest.mark.parametrize("x2", [X2, None], ids=["two sets", "one set"])
def test_elementwise(x2):
    assert_close(kernels(stax.Elementwise(None, erf_dual, erf_slope), x2), kernels(stax.Erf(), x2), 1e-13)
    assert_close(kernels(stax.Elementwise(nngp_fn=erf_dual), x2), kernels(stax.Erf(), x2), 1e-11)


def relu_dual(cov12, var1, var2):
    scale = np.sqrt(var1 * var2)
    angle = np.arccos(np.clip(cov12 / scale, -1, 1))
    return scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)


def test_elementwise_with_a_kink():
    assert_close(kernels(stax.Elementwise(nngp_fn=relu_dual), None), kernels(stax.Relu(), None), 3e-8)


def test_numerical_by_expansion():
    assert_close(kernels(stax.ElementwiseNumerical(np.sin, tol=1e-10)), kernels(stax.Sin()), 1e-8)
    assert_close(kernels(stax.ElementwiseNumerical(np.tanh)), kernels(stax.Tanh()), 1e-7)


def test_numerical_by_quadrature():
    assert_close(kernels(stax.ElementwiseNumerical(np.sin, deg=30)), kernels(stax.Sin()), 1e-11)
    assert_close(kernels(stax.ElementwiseNumerical(np.sin, deg=30, df=np.cos)), kernels(stax.Sin()), 1e-12)


class Broken(Exception):
    pass


def _raise(*_):
    raise Broken


@pytest.mark.parametrize(
    "layer", [stax.Elementwise(nngp_fn=_raise), stax.ElementwiseNumerical(_raise), stax.ElementwiseNumerical(_raise, 5)]
)
def test_errors_come_through(layer):
    with pytest.raises(Broken):
        kernels(layer)


@pytest.mark.parametrize(
    ("fn", "error"),
    [
        (lambda x: x[:-1], ValueError),
        (lambda x: x + 1j, TypeError),
        (lambda x: x * np.nan, ValueError),
        (lambda x: float(x), TypeError),
    ],
    ids=["shape", "complex", "nan", "scalar"],
)
def test_wrong_results_are_named(fn, error):
    with pytest.raises(error, match="ElementwiseNumerical"):
        kernels(stax.ElementwiseNumerical(fn, deg=4, df=np.cos))


def test_constant_functions():
    assert np.array_equal(
        kernels(stax.ElementwiseNumerical(lambda x: 1.0, deg=4, df=lambda x: 0.0)).nngp.round(12), np.ones((6, 5))
    )


def test_kernel_without_function_and_function_without_kernel():
    network = stax.serial(stax.Dense(3), stax.Elementwise(fn=np.tanh))
    params = network.init_fn(0, (-1, 4))[1]
    np.testing.assert_allclose(network.apply_fn(params, X1), np.tanh(network.layers[0].apply_fn(params[0], X1)))
    with pytest.raises(ValueError, match="function"):
        network.kernel_fn(X1)
    with pytest.raises(ValueError, match="function"):
        stax.serial(stax.Dense(3), stax.Elementwise(nngp_fn=erf_dual)).apply_fn(params, X1)
