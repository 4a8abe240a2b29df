"""Spikiness, laws of high frequency from the expansions at both ends, comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ntkswift
from ntkswift import spectra, stax


def test_spikiness_table():
    rows = {
        1: (0.159, 0.159, 0.159, 0.159),
        20: (3.18, 1.67, 0.303, 0.167),
        # At depth 500 the table has difference quotients over 1e-4, 1 % below the slopes where these are steep.
        500: (78.9, 39.7, 0.318, 0.1595),
    }
    for depth, expected in rows.items():
        networks = [spectra.fully_connected(depth)]
        networks += [ntkswift.resntk(depth, gamma=gamma, input_dim=3) for gamma in (0.0, 0.5, 1.0)]
        found = [spectra.spikiness(network) for network in networks]
        np.testing.assert_allclose([f.slope for f in found], expected, rtol=0.01 if depth == 500 else 4e-3)
        assert found[0].slope == pytest.approx(depth / (2 * math.pi), rel=1e-9)
        assert all(f.slope_error < 1e-8 * f.slope for f in found)


def test_difference_quotient_of_the_table():
    kernel = spectra.ZonalKernel(spectra.fully_connected(500))
    assert (1 - kernel(1e-4) / kernel(0.0)) / 1e-4 == pytest.approx(78.9, abs=0.05)


def test_value_at_right_angles():
    def at(network):
        return spectra.spikiness(network).right_angle

    assert at(spectra.fully_connected(1)) == pytest.approx(0.159, abs=5e-4)
    assert at(spectra.fully_connected(500)) == pytest.approx(0.256, abs=5e-4)
    for gamma, expected in ((0.0, 0.257), (0.5, 0.193), (1.0, 0.1592)):
        assert at(ntkswift.resntk(500, gamma=gamma, input_dim=3)) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("dimension", "constant"), [(3, -0.353553), (5, -3.18198), (10, -33189.3)])
def test_constants_in_closed_form(dimension, constant):
    assert spectra.harmonic_decay_constant(dimension, 0.5) == pytest.approx(constant, rel=2e-6)


@pytest.mark.parametrize(
    ("network", "measured", "predicted"),
    [
        ("FC 1", (0.1580, 0.0), (0.1592, 0.0)),
        ("FC 2", (0.1843, 0.1317), (0.1857, 0.1327)),
        ("FC 4", (0.3223, 0.3097), (0.3247, 0.3119)),
        ("3 0.5", (0.1296, 0.0916), (0.1305, 0.0923)),
        ("10 0.1", (0.0933, 0.0788), (0.0940, 0.0793)),
        ("50 0.02", (0.0821, 0.0790), (0.0828, 0.0796)),
        ("50 0.1414213562373095", (0.1557, 0.1541), (0.1568, 0.1552)),
    ],
)
def test_table_of_asymptotic_constants(network, measured, predicted):
    kind, value = network.split()
    kernel = (
        spectra.fully_connected(int(value)) if kind == "FC" else ntkswift.resntk(int(kind), float(value), input_dim=3)
    )
    found = spectra.sphere_spectrum(kernel, 3, 201, normalize=True).eigenvalues
    scale = spectra.ZonalKernel(kernel).at_zero(3)
    law = spectra.asymptotics(kernel, 3)
    assert (law.nu, law.exponent) == (0.5, 3.0)
    # The tables have four digits.
    np.testing.assert_allclose([found[200] * 200**3, found[201] * 201**3], measured, atol=1.1e-4)
    np.testing.assert_allclose([law.even / scale, law.odd / scale], predicted, atol=1.1e-4)
    # c_plus is -sqrt 2 times the slope.
    assert law.c_plus / scale == pytest.approx(-math.sqrt(2) * spectra.spikiness(kernel).slope, rel=1e-9)


def test_end_point_coefficients_of_networks():
    # kappa(1 - t) = L - L (L - 1) / 2 (sqrt 2 / pi) t^(1/2) for L layers, the input counted (K_0 = x . z).
    for hidden in (1, 3, 7):
        law = spectra.asymptotics(spectra.ZonalKernel(spectra.fully_connected(hidden), radius=math.sqrt(5)), 5)
        layers = hidden + 1
        assert law.c_plus == pytest.approx(-layers * (layers - 1) / 2 * math.sqrt(2) / math.pi, rel=1e-10)
    # One ReLU layer: kappa1 has 2 sqrt 2 / (3 pi) t^(3/2) at both ends.
    single = stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1, W_std=math.sqrt(2)))
    law = spectra.asymptotics(spectra.ZonalKernel(single, get="nngp", radius=math.sqrt(3)), 3)
    assert (law.nu, law.exponent) == (1.5, 5.0)
    np.testing.assert_allclose([law.c_plus, law.c_minus], 2 * math.sqrt(2) / (3 * math.pi), rtol=1e-6)
    assert law.odd == pytest.approx(0, abs=1e-6)


def test_laplace_and_smooth_kernels():
    law = spectra.asymptotics(spectra.laplace(2.0), 3)
    assert law.c_plus == pytest.approx(-2 * math.sqrt(2), rel=1e-10)
    assert abs(law.c_minus) < 1e-9
    smooth = spectra.asymptotics(spectra.gaussian(), 3)
    assert math.isnan(smooth.nu)
    assert np.isnan(smooth.eigenvalues([10])).all()


def test_law_meets_the_eigenvalues():
    kernel = ntkswift.resntk(3, 0.5, input_dim=5)
    k = np.array([298, 299, 300])
    found = spectra.sphere_spectrum(kernel, 5, 300).eigenvalues[k]
    # Corrections are of order d / k.
    np.testing.assert_allclose(spectra.asymptotics(kernel, 5).eigenvalues(k), found, rtol=0.04)


def test_comparison():
    found = spectra.compare(
        spectra.laplace(),
        np.exp,
        FC=spectra.fully_connected(2),
        ResNTK=ntkswift.resntk(3, 0.5, input_dim=3),
        max_frequency=100,
    )
    assert list(found.spectra) == ["Laplace", "exp", "FC", "ResNTK"]
    assert found.decays["exp"] is None
    assert all(abs(found.decays[n].limit - 3) < 0.01 for n in ("Laplace", "FC", "ResNTK"))
    text = repr(found)
    assert all(name in text for name in ("Laplace", "exp", "FC", "ResNTK", "slope at 0"))
    assert all(abs(s.trace - 1) < 1e-12 for s in found.spectra.values())
    with pytest.raises(ValueError, match="one kernel or more"):
        spectra.compare()
    with pytest.raises(ValueError, match="fit"):
        spectra.compare(np.exp, max_frequency=50, fit=(10, 60))


def test_constant_refuses():
    for nu in (0, 1, 2.0, -0.5, math.nan):
        with pytest.raises((ValueError, TypeError), match="nu"):
            spectra.harmonic_decay_constant(3, nu)
