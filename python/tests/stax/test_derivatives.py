"""Numerical derivatives of callers' functions against known ones."""

import numpy as np
import pytest

from ntkswift.stax._derivatives import derivative, dual_derivative

X = np.linspace(-5, 5, 201)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


SMOOTH = {
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "softplus, real only": (lambda x: np.logaddexp(0, x), _sigmoid),
    "sin 3x, real only": (lambda x: np.sin(3 * np.asarray(x, float)), lambda x: 3 * np.cos(3 * x)),
    "swish": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * (1 - _sigmoid(x)))),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("fn", "exact"), SMOOTH.values(), ids=SMOOTH.keys())
def test_smooth_functions_to_1e_11(fn, exact):
    assert np.abs(derivative(fn)(X) - exact(X)).max() < 1e-11


@pytest.mark.parametrize("fn", [np.abs, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0.1 * x)])
def test_kinks_spoil_their_neighbourhood_only(fn):
    away = X[np.abs(X) > 0.04]
    step = 1e-6
    assert np.abs(derivative(fn)(away) - (fn(away + step) - fn(away - step)) / (2 * step)).max() < 1e-8


def _pairs():
    rng = np.random.default_rng(0)
    angles = np.concatenate([np.linspace(0, np.pi, 300), 10.0 ** rng.uniform(-8, -1, 100)])
    var1, var2 = rng.uniform(0.1, 4, (2, len(angles)))
    return np.sqrt(var1 * var2) * np.cos(angles), var1, var2


def _relu_dual(cov, var1, var2):
    scale = np.sqrt(var1 * var2)
    angle = np.arccos(np.clip(cov / scale, -1, 1))
    return scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)


def test_relu_dual_up_to_the_ends():
    cov, var1, var2 = _pairs()
    angle = np.arccos(np.clip(cov / np.sqrt(var1 * var2), -1, 1))
    assert np.abs(dual_derivative(_relu_dual)(cov, var1, var2) - (np.pi - angle) / (2 * np.pi)).max() < 1e-8


@pytest.mark.parametrize("keep_complex", [True, False])
def test_erf_dual(keep_complex):
    def dual(cov, var1, var2):
        return (
            np.arcsin(2 * (cov if keep_complex else np.real(cov)) / np.sqrt((1 + 2 * var1) * (1 + 2 * var2)))
            * 2
            / np.pi
        )

    cov, var1, var2 = _pairs()
    exact = 4 / np.pi / np.sqrt((1 + 2 * var1) * (1 + 2 * var2) - 4 * cov**2)
    error = np.abs(dual_derivative(dual)(cov, var1, var2) / exact - 1).max()
    assert error < (1e-12 if keep_complex else 1e-8)


def test_zero_variance_is_finite():
    zero, one = np.zeros(1), np.ones(1)
    assert np.isfinite(dual_derivative(_relu_dual)(zero, zero, one)).all()
