"""Check that an installed ntkswift computes: run it with the Python to be checked, away from the checkout."""

from __future__ import annotations

import numpy as np

import ntkswift
from ntkswift import predict, stax

ntkswift.show_config()
x = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
kernel_fn = stax.serial(stax.Dense(64), stax.Relu(), stax.Dense(1)).kernel_fn
nngp, ntk = kernel_fn(x, None, ("nngp", "ntk"))

# Two unit inputs at angle t, variance 1/2 after the first layer: the NNGP is (sin t + (pi - t) cos t) / (4 pi), and the
# product of derivatives has the mean (pi - t) / (2 pi).
angle = np.arccos(np.clip(x @ x.T, -1, 1))
expected_nngp = (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (4 * np.pi)
expected_ntk = expected_nngp + (np.pi - angle) / (2 * np.pi) * np.cos(angle) / 2
np.testing.assert_allclose(nngp, expected_nngp, rtol=1e-12, atol=1e-15)
np.testing.assert_allclose(ntk, expected_ntk, rtol=1e-12, atol=1e-15)

y = np.array([[1.0], [-1.0], [0.5]])
mean = predict.gradient_descent_mse_ensemble(kernel_fn, x, y, diag_reg=1e-10)(x_test=x, get="ntk")
np.testing.assert_allclose(mean, y, atol=1e-6)
print("smoke test passed")
