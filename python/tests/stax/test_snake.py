"""Snake, a wave on the identity: its dual in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import stax


@pytest.mark.parametrize("a", [0.2, 0.7, 3.0])
@pytest.mark.parametrize("scale", [1e-3, 0.5, 2.0, 1e3])
def test_snake_is_its_gaussian_integral(a, scale):
    mp = pytest.importorskip("mpmath")
    # x + sin(a x)^2 / a = x + 1 / (2 a) - cos(2 a x) / (2 a): expectations of waves by the characteristic function.
    mp.mp.dps = 40
    x = scale * np.random.default_rng(11).standard_normal((4, 3))
    nngp, ntk = stax.serial(stax.Dense(1), stax.Snake(a)).kernel_fn(x, None, ("nngp", "ntk"))
    for i, j in [(0, 0), (0, 1), (1, 2), (3, 0)]:
        q1, q2, c = (mp.fdot(map(mp.mpf, x[p]), map(mp.mpf, x[q])) / 3 for p, q in [(i, i), (j, j), (i, j)])
        b = 2 * mp.mpf(a)
        wave, other = mp.exp(-b * b * q1 / 2), mp.exp(-b * b * q2 / 2)
        both = (mp.exp(-b * b * (q1 + q2 - 2 * c) / 2) + mp.exp(-b * b * (q1 + q2 + 2 * c) / 2)) / 2
        slope = 1 + (mp.exp(-b * b * (q1 + q2 - 2 * c) / 2) - mp.exp(-b * b * (q1 + q2 + 2 * c) / 2)) / 2
        value = c + (1 - wave - other + both) / (b * b)
        size = np.sqrt(nngp[i, i] * nngp[j, j])
        assert abs(nngp[i, j] - value) <= 2e-15 * size
        assert abs(ntk[i, j] - c * slope) <= 4e-15 * float(mp.sqrt(q1 * q2))


def test_snake_is_what_its_formula_says():
    # Made by hand: a = 0.7, variances 1.3 and 0.7, covariance 0.5.
    x = np.sqrt(2) * np.array([[np.sqrt(1.3), 0], [0.5 / np.sqrt(1.3), np.sqrt(0.7 - 0.25 / 1.3)]])
    nngp, ntk = stax.serial(stax.Dense(1), stax.Snake(0.7)).kernel_fn(x, None, ("nngp", "ntk"))
    assert nngp[0, 1] == pytest.approx(0.71979157323306488, rel=1e-14)
    assert ntk[0, 1] == pytest.approx(0.5 * 1.1612226850565246, rel=1e-14)
