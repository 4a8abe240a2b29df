"""Two-layer networks whose nonlinearity is a Python function."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import stax
from ntkswift.regimes import two_layer

RNG = np.random.default_rng(3)
X = RNG.standard_normal((40, 5))
Y = np.sin(X[:, 0]) + 0.1 * X[:, 1]
OWN = stax.ElementwiseNumerical(np.tanh, df=lambda t: 1 - np.tanh(t) ** 2)


@pytest.mark.parametrize("regime", ["rf", "nt", "nn"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_python_function_trains_like_the_ready_made_one(regime, dtype):
    own, ready = (two_layer(regime, 7, s, steps=60, batch_size=8, random_state=1) for s in (OWN, "tanh"))
    for network in (own, ready):
        network.train(X, Y, dtype=dtype)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(own.predict(X), ready.predict(X), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("regime", ["rf", "nt"])
def test_a_python_function_fits_like_the_ready_made_one(regime):
    own, ready = (two_layer(regime, 4, s, ridge=1e-3, random_state=1).fit(X, Y) for s in (OWN, "tanh"))
    np.testing.assert_allclose(own.predict(X), ready.predict(X), rtol=1e-9, atol=1e-9)


def test_its_error_ends_training():
    calls = []

    def broken(t):
        calls.append(len(t))
        if len(calls) > 20:
            raise ZeroDivisionError("the twenty-first call")
        return np.tanh(t)

    network = two_layer("nn", 300, stax.ElementwiseNumerical(broken, df=np.cos), steps=1000, learning_rate=1e-3)
    with pytest.raises(ZeroDivisionError, match="twenty-first"):
        network.train(X, Y)


def test_the_derivative_is_found_where_it_is_not_given():
    own, ready = (
        two_layer("nt", 4, s, ridge=1e-3, random_state=1).fit(X, Y)
        for s in (stax.ElementwiseNumerical(np.tanh), "tanh")
    )
    np.testing.assert_allclose(own.predict(X), ready.predict(X), rtol=1e-6, atol=1e-6)
