"""Eigenvalues on the sphere: golden numbers, closed forms, laws of decay, stated errors, refusals."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import ntkswift
from ntkswift import spectra, stax

GOLDEN = np.load(Path(__file__).with_name("resntk.npz"))


def residual(depth, alpha, dimension):
    return ntkswift.resntk(depth, alpha, input_dim=dimension)


@pytest.mark.parametrize("dimension", [3, 5])
@pytest.mark.parametrize(("depth", "alpha"), [(3, 0.5), (10, 0.1), (20, 1.0)])
def test_golden_residual(depth, alpha, dimension):
    found = spectra.sphere_spectrum(residual(depth, alpha, dimension), dimension, 60)
    # The golden numbers are float64 sums themselves: an absolute floor of some 1e-16 per unit of the kernel.
    np.testing.assert_allclose(found.eigenvalues, GOLDEN[f"eig_d{dimension}_L{depth}_a{alpha}"], rtol=0, atol=2e-14)
    np.testing.assert_allclose(found.multiplicities, GOLDEN[f"mult_d{dimension}"], rtol=1e-11)


@pytest.mark.parametrize("dimension", [3, 5])
def test_golden_fully_connected(dimension):
    found = spectra.sphere_spectrum(spectra.fully_connected(5), dimension, 60, normalize=True)
    np.testing.assert_allclose(found.eigenvalues, GOLDEN[f"fc5_eig_d{dimension}"], rtol=0, atol=2e-14)
    # The golden profile ends a series at theta^9: 2e-13 at its third angle.
    angles = GOLDEN["theta"]
    kernel = spectra.ZonalKernel(spectra.fully_connected(5))
    np.testing.assert_allclose(kernel(angles) / kernel(0.0), GOLDEN["fc5_theta"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (1 / 50, [0.2505, 0.0776, 0.00118, 0.00792, 0.000617, 0.00279, 0.000422, 0.00138]),
        (50**-0.5, [0.2260, 0.0678, 0.0167, 0.00848, 0.00466, 0.00319, 0.00220, 0.00169]),
        (1.0, [0.0578, 0.0407, 0.0303, 0.0236, 0.0189, 0.0155, 0.0129, 0.0109]),
    ],
)
def test_table_on_the_circle(alpha, expected):
    found = spectra.sphere_spectrum(residual(50, alpha, 2), 2, 8).eigenvalues[1:]
    np.testing.assert_allclose(found, expected, rtol=5e-3)  # the table has three digits


def test_two_layer_network_does_not_learn_odd_frequencies():
    found = spectra.sphere_spectrum(spectra.fully_connected(1), 2, 9, normalize=True)
    np.testing.assert_allclose(found.eigenvalues[[1, 2, 4, 6, 8]], [0.25, 0.0788, 0.00856, 0.00323, 0.00171], rtol=3e-3)
    np.testing.assert_allclose(found.eigenvalues[[3, 5, 7, 9]], 0, atol=1e-16)
    assert not found.is_reliable[[3, 5, 7, 9]].any()


def test_parity_ratios_of_depth_50():
    ratio = [
        np.divide(*spectra.sphere_spectrum(residual(50, alpha, 2), 2, 8).eigenvalues[[3, 4]])
        for alpha in (0.02, 50**-0.5, 1)
    ]
    np.testing.assert_allclose(ratio, [0.149, 1.97, 1.28], rtol=5e-3)


def test_small_eigenvalue_of_dimension_10():
    found = spectra.sphere_spectrum(residual(3, 0.5, 10), 10, 100)
    assert found.eigenvalues[100] == pytest.approx(8.32620e-17, rel=1e-5)
    assert found.relative_errors[100] < 1e-5


@pytest.mark.parametrize(("dimension", "slope"), [(3, -2.990), (5, -4.95)])
@pytest.mark.parametrize("name", ["FC", "ResNTK", "ResNTK 1/L", "Laplace"])
def test_slopes_between_100_and_200(name, dimension, slope):
    kernel = {
        "FC": spectra.fully_connected(3),
        "ResNTK": residual(3, 0.5, dimension),
        "ResNTK 1/L": residual(10, 0.1, dimension),
        "Laplace": spectra.laplace(),
    }[name]
    found = spectra.sphere_spectrum(kernel, dimension, 200)
    fit = found.decay(100, 200)
    assert -fit.exponent == pytest.approx(slope, abs=0.005)
    assert fit.interval[0] < fit.exponent < fit.interval[1]
    # The slope between the two ends, which are both even.
    assert math.log2(found.eigenvalues[200] / found.eigenvalues[100]) == pytest.approx(slope, abs=0.005)
    # Towards infinite frequency it becomes -d.
    assert fit.limit == pytest.approx(dimension, abs=0.003)


def test_slope_of_dimension_10():
    fit = spectra.sphere_spectrum(residual(3, 0.5, 10), 10, 40).decay(20, 40)
    assert fit.exponent == pytest.approx(8.9, abs=0.1)


@pytest.mark.parametrize("dimension", [2, 3, 5, 10])
@pytest.mark.parametrize("depth", [1, 5])
def test_trace_identity(depth, dimension):
    for kernel in (
        spectra.fully_connected(depth),
        residual(depth + 1, 0.5, dimension),
        spectra.laplace(),
        spectra.gaussian(),
    ):
        found = spectra.sphere_spectrum(kernel, dimension, 200)
        assert abs(found.trace_defect) < 1e-7
        assert (found.eigenvalues > -found.errors).all()


def test_spectrum_adds_up_to_the_kernel():
    angles = np.linspace(0.0, math.pi, 9)
    found = spectra.sphere_spectrum(spectra.gaussian(2.0), 4, 60)
    np.testing.assert_allclose(found.kernel(angles), spectra.gaussian(2.0)(angles), atol=1e-14)


def test_gaussian_has_bessel_eigenvalues():
    # exp(-c |x - z|^2) on S^2: lambda_k = exp(-2 c) i_k(2 c), i_k the modified spherical Bessel function.
    special = pytest.importorskip("scipy.special")
    found = spectra.sphere_spectrum(spectra.gaussian(1.5), 3, 12)
    exact = math.exp(-3) * special.spherical_in(np.arange(13), 3.0)
    assert (np.abs(found.eigenvalues - exact) < 2 * found.errors).all()
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=1e-9)


def test_biases_and_radius_matter_as_in_kernel_fn():
    network = stax.serial(stax.Dense(8, 1.2, 0.3), stax.Erf(), stax.Dense(1, 1.1, 0.2))
    d, radius = 4, 1.7
    kernel = spectra.ZonalKernel(network, radius=radius)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, d))
    x *= radius / np.linalg.norm(x, axis=1, keepdims=True)
    angle = math.acos(x[0] @ x[1] / radius**2)
    assert kernel(angle, d) == pytest.approx(network.kernel_fn(x, None, "ntk")[0, 1], rel=1e-13)
    # Eigenvalues are those of the integral operator: the mean of k(x, z) f(z) is lambda f(x).
    found = spectra.sphere_spectrum(kernel, d, 1)
    points = rng.standard_normal((4000, d))
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    gram = network.kernel_fn(points[:50], points, "ntk")
    mean = gram.mean(axis=1)
    np.testing.assert_allclose(mean.mean(), found.eigenvalues[0], rtol=0.02)


def test_multiplicities():
    assert [spectra.multiplicity(2, k) for k in range(4)] == [1, 2, 2, 2]
    assert [spectra.multiplicity(5, k) for k in range(4)] == [1, 5, 14, 30]
    # All harmonics up to degree k span the polynomials on the sphere: binomial(k + d - 1, d - 1) + binomial(k + d - 2, d - 1).
    for d, k in ((3, 7), (10, 4), (50, 12)):
        total = sum(spectra.multiplicity(d, j) for j in range(k + 1))
        assert total == math.comb(k + d - 1, d - 1) + math.comb(k + d - 2, d - 1)


@pytest.mark.parametrize("dimension", [3, 10])
def test_stated_errors_hold_against_40_digits(dimension):
    pytest.importorskip("mpmath")
    for kernel in (residual(3, 0.5, dimension), spectra.laplace(), spectra.fully_connected(8)):
        double = spectra.sphere_spectrum(kernel, dimension, 100)
        exact = spectra.sphere_spectrum(kernel, dimension, 100, precision="extended", digits=40)
        assert exact.relative_errors.max() < 1e-15
        # Estimates of errors are estimates: within a factor of 4.
        assert (np.abs(double.eigenvalues - exact.eigenvalues) <= 4 * double.errors).all()
        reliable = double.is_reliable
        np.testing.assert_allclose(double.eigenvalues[reliable], exact.eigenvalues[reliable], rtol=1e-8)
        assert reliable[:55].all()


def test_extended_precision_of_networks_with_biases_and_functions():
    mpmath = pytest.importorskip("mpmath")
    network = stax.serial(
        stax.Dense(9, 1.2, 0.3), stax.LeakyRelu(0.1), stax.Dense(9, 1.4, 0.2), stax.Abs(), stax.Dense(1)
    )
    for kernel in (network, spectra.ZonalKernel(network, get="nngp", radius=2.0)):
        double, exact = (spectra.sphere_spectrum(kernel, 4, 30, precision=p) for p in ("double", "extended"))
        np.testing.assert_allclose(double.eigenvalues, exact.eigenvalues, rtol=1e-9)
    found = spectra.sphere_spectrum(lambda c: mpmath.exp(c), 3, 60, precision="extended", digits=130)
    # exp(cos) has lambda_k = i_k(1), here by the first terms of its series, 1 / (2k + 1)!! (1 + 1 / (2 (2k + 3)) + ...).
    k = 60
    series = sum(
        math.exp(-math.lgamma(j + 1) - j * math.log(2) - sum(math.log(2 * i + 1) for i in range(1, k + j + 1)))
        for j in range(9)
    )
    assert found.eigenvalues[k] == pytest.approx(series, rel=1e-12)


def test_rule_grows_for_narrow_kernels():
    c = 3e4
    found = spectra.sphere_spectrum(spectra.laplace(c), 3, 3)
    assert found.nodes > 200
    # On S^2, r = |x - z| has density r / 2 on 0 ... 2: lambda_0 = int exp(-c r) r / 2 dr = 1 / (2 c^2) to rounding.
    assert found.eigenvalues[0] == pytest.approx(1 / (2 * c**2), rel=1e-9)


def test_kernel_functions_of_two_points_and_estimators_kernels():
    found = spectra.sphere_spectrum(lambda x, z: np.exp(x @ z.T), 3, 5)
    expected = spectra.sphere_spectrum(np.exp, 3, 5)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=1e-12)
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    rbf = spectra.sphere_spectrum(kernels.RBF(0.5), 3, 5)  # exp(-|x - z|^2 / (2 * 0.25))
    np.testing.assert_allclose(
        rbf.eigenvalues, spectra.sphere_spectrum(spectra.gaussian(2.0), 3, 5).eigenvalues, rtol=1e-10
    )


@pytest.mark.parametrize(
    "kernel",
    [
        lambda x, z: (x * np.arange(1, 4)) @ z.T,
        lambda x, z: np.exp(-np.abs(x[:, None] - z[None]).sum(-1)),
    ],
    ids=["weighted", "1-norm"],
)
def test_kernels_that_are_not_zonal_are_refused(kernel):
    with pytest.raises(ValueError, match="kernel must be zonal: a function of the angle"):
        spectra.sphere_spectrum(kernel, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.exp, 1), "dimension must be an integer of at least 2"),
        ((np.exp, 2.0), "dimension"),
        ((np.exp, 10**6), "dimension must be at most"),
        ((np.exp, 3, -1), "max_frequency must be a non-negative integer"),
        ((np.exp, 3, 10**7), "max_frequency must be at most"),
        ((np.exp, 3, 2.5), "max_frequency"),
        ((3.0, 3), "kernel must be a stax network"),
        ((lambda c: 1.0, 3), "kernel must return one value per angle"),
        ((lambda c: -np.ones_like(c), 3), "kernel must be positive at angle 0"),
        ((lambda c: np.where(c < 0, np.nan, 1.0), 3), "kernel must be finite"),
        ((lambda x, z: np.ones(3), 3), "kernel must return one value per pair"),
        (
            (
                stax.serial(
                    stax.Dense(4), stax.FanOut(2), stax.parallel(stax.Dense(1), stax.Dense(1)), stax.FanInConcat(0)
                ),
                3,
            ),
            "kernel must return one value",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        spectra.sphere_spectrum(*arguments)


def test_bad_options():
    with pytest.raises(ValueError, match="precision"):
        spectra.sphere_spectrum(np.exp, 3, precision="quad")
    with pytest.raises(ValueError, match="get"):
        spectra.sphere_spectrum(spectra.fully_connected(1), 3, get="both")
    with pytest.raises(ValueError, match="radius"):
        spectra.ZonalKernel(np.exp, radius=0)
    with pytest.raises(ValueError, match='of must be "cosine" or "angle"'):
        spectra.ZonalKernel(np.exp, of="degree")
    with pytest.raises(ValueError, match="angles"):
        spectra.laplace()([4.0])
    found = spectra.sphere_spectrum(spectra.laplace(), 3, 20)
    for first, last in ((0, 10), (5, 21), (8, 8)):
        with pytest.raises(ValueError, match="first and last"):
            found.decay(first, last)
    with pytest.raises(ValueError, match="4 eigenvalues or more"):
        spectra.sphere_spectrum(np.exp, 3, 60).decay(40)
    with pytest.raises(ValueError, match="frequency must be odd"):
        found.parity_ratio(4)


def test_extended_precision_refuses_what_it_does_not_know():
    pytest.importorskip("mpmath")
    with pytest.raises(ValueError, match=r"knows Dense.*Received Erf"):
        spectra.sphere_spectrum(stax.serial(stax.Dense(2), stax.Erf(), stax.Dense(1)), 3, 2, precision="extended")
    with pytest.raises(ValueError, match="takes and returns mpmath numbers"):
        spectra.sphere_spectrum(lambda c: np.exp(np.asarray(c, dtype=object)), 3, 2, precision="extended")
    with pytest.raises(ValueError, match="digits"):
        spectra.sphere_spectrum(spectra.laplace(), 3, 2, precision="extended", digits=5)
