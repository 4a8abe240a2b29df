"""Sizes whose products leave 63 bits are errors, never a wrong number or an endless loop."""

import numpy as np
import pytest

from ntkswift import curvature, predict, spectra, stax
from ntkswift.regimes import Autoencoder

X = np.random.default_rng(0).standard_normal((3, 4))


def standard(out_dim, s):
    first, last = (stax.Dense(width, parameterization="standard", s=t) for width, t in ((out_dim, s), (1, (1, 1))))
    return stax.serial(first, stax.Relu(), last)


def test_standard_widths():
    with pytest.raises(ValueError, match="outputs must be countable"):
        standard(2**39, (1, 2**39)).kernel_fn(X, None, "ntk")
    # The weights of the last layer, of variance 1 / width, add the hidden kernel once for each of its 2^50 units.
    wide = standard(2**11, (1, 2**39)).kernel_fn(X, None, "ntk")
    hidden = stax.serial(stax.Dense(1, parameterization="standard"), stax.Relu()).kernel_fn(X, None)
    np.testing.assert_allclose(wide, 2.0**50 * hidden.nngp + hidden.ntk, rtol=1e-12)


def test_widths_of_concatenations():
    double = (stax.FanOut(2), stax.FanInConcat(-1))
    network = stax.serial(*double * 70, stax.Dense(1))
    with pytest.raises(ValueError, match="FanInConcat"):
        network.kernel_fn(X, None, "nngp")
    np.testing.assert_allclose(stax.serial(*double * 30, stax.Dense(1)).kernel_fn(X, None, "nngp"), X @ X.T / 4)


@pytest.mark.parametrize(
    "layer", [stax.AvgPool((2**20, 2**20), padding="SAME"), stax.SumPool((2**20, 2**20), padding="SAME")]
)
def test_windows_of_pooling(layer):
    network = stax.serial(layer, stax.Flatten(), stax.Dense(1))
    with pytest.raises(ValueError, match="windows of one input"):
        network.init_fn(0, (-1, 2**9, 2**9, 3))


def test_windows_of_convolutions():
    network = stax.serial(stax.Conv(3, (2**20, 2**20), padding="SAME"), stax.Flatten(), stax.Dense(1))
    with pytest.raises((ValueError, MemoryError)):
        network.init_fn(0, (-1, 8, 8, 3))


@pytest.mark.parametrize("number", [2**40, 2**59, 2**61, 2**62, 2**63 - 1])
@pytest.mark.parametrize(
    "call",
    [
        lambda n: predict.sample_posterior(predict.Gaussian(np.zeros((2, 2)), np.eye(2)), n, 0),
        lambda n: curvature.trace(HESSIAN, n),
        lambda n: curvature.spectral_density(HESSIAN, n, 2),
        lambda n: spectra.frequency_energies(X, X[:, 0], n),
        lambda n: Autoencoder(n, steps=1).fit(X),
        lambda n: stax.serial(stax.Dense(n), stax.Relu(), stax.Dense(1)).init_fn(0, (-1, 4)),
    ],
)
def test_numbers_of_results(call, number):
    with pytest.raises((ValueError, MemoryError, OverflowError)):
        call(number)


NETWORK = stax.serial(stax.Dense(3), stax.Tanh(), stax.Dense(1))
HESSIAN = curvature.hessian(NETWORK, NETWORK.init_fn(0, X.shape)[1], X, X[:, :1])
