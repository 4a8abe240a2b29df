"""Energies, norms in the kernel's space, learning curves against simulated regressions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntkswift import spectra

NETWORK = spectra.fully_connected(2)


def sphere(rng, n, d=3):
    points = rng.standard_normal((n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def legendre_mix(t):
    """Energies 1/3, 1/5 and 0.25/9 in frequencies 1, 2 and 4."""
    return t + (1.5 * t**2 - 0.5) + 0.5 * (35 * t**4 - 30 * t**2 + 3) / 8


MIX = [0, 1 / 3, 1 / 5, 0, 0.25 / 9]


def test_zonal_energies():
    np.testing.assert_allclose(spectra.zonal_energies(legendre_mix, 3, 6), [*MIX, 0, 0], atol=1e-15)
    # They add up to the mean square, here that of x_1^2 on S^4: 3 / (5 * 7).
    assert spectra.zonal_energies(np.square, 5, 4).sum() == pytest.approx(3 / 35, rel=1e-13)


def test_energies_of_samples_are_unbiased():
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(40):
        X = sphere(rng, 300)
        runs.append(spectra.frequency_energies(X * rng.uniform(0.5, 2, (300, 1)), legendre_mix(X[:, 2]), 6))
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / math.sqrt(40)
    assert (np.abs(mean - [*MIX, 0, 0]) < 4.5 * error + 1e-12).all()


def test_energies_do_not_depend_on_threads():
    import ntkswift

    rng = np.random.default_rng(1)
    X, y = sphere(rng, 500, 4), rng.standard_normal(500)
    results = []
    for threads in (1, 2, 5):
        with ntkswift.num_threads(threads):
            results.append(spectra.frequency_energies(X, y, 9))
    assert all(np.array_equal(results[0], other) for other in results[1:])
    # The same sum by NumPy, for frequency 2 on S^3: P_2 = (4 t^2 - 1) / 3, N = 9.
    t = X @ X.T
    pairs = np.outer(y, y) * (4 * t**2 - 1) / 3
    expected = 9 * (pairs.sum() - np.trace(pairs)) / (500 * 499)
    assert results[0][2] == pytest.approx(expected, rel=1e-10)


def test_norm_of_a_kernel_section():
    # || k(x, .) ||^2 = k(x, x): its energies are N lambda^2.
    found = spectra.sphere_spectrum(NETWORK, 3, 400)
    energies = spectra.zonal_energies(spectra.ZonalKernel(NETWORK), 3, 400)
    assert found.rkhs_norm(energies) == pytest.approx(math.sqrt(found.trace * (1 - found.tail)), rel=1e-10)


def test_norm_is_infinite_where_nothing_is_learnt():
    two_layers = spectra.sphere_spectrum(spectra.fully_connected(1), 3, 10)
    assert two_layers.rkhs_norm([0, 0, 0, 1.0]) == math.inf
    assert two_layers.rkhs_norm([0, 0, 1.0]) == pytest.approx(two_layers.eigenvalues[2] ** -0.5)


def test_interpolants_approach_the_norm_from_below():
    norm = spectra.sphere_spectrum(NETWORK, 3, 20).rkhs_norm(MIX)
    rng = np.random.default_rng(2)
    X = sphere(rng, 400)
    norms = [spectra.interpolant_norm(NETWORK, X[:n], legendre_mix(X[:n, 0])) for n in (20, 100, 400)]
    assert norms[0] < norms[1] < norms[2] < norm * (1 + 1e-6)
    assert norms[2] > 0.98 * norm


@pytest.mark.parametrize(("ridge", "noise"), [(0.0, 0.0), (0.01, 0.1)])
def test_learning_curve_is_that_of_regressions(ridge, noise):
    samples = [10, 40, 160]
    curve = spectra.learning_curve(spectra.sphere_spectrum(NETWORK, 3, 200), MIX, samples, ridge=ridge, noise=noise)
    rng = np.random.default_rng(3)
    for n, predicted in zip(samples, curve.error):
        errors = []
        for _ in range(20):
            X, test = sphere(rng, n), sphere(rng, 400)
            y = legendre_mix(X[:, 0]) + math.sqrt(noise) * rng.standard_normal(n)
            gram = NETWORK.kernel_fn(X, None, "ntk") + (ridge + 1e-13) * np.eye(n)
            guess = NETWORK.kernel_fn(test, X, "ntk") @ np.linalg.solve(gram, y)
            errors.append(np.mean((guess - legendre_mix(test[:, 0])) ** 2))
        mean, error = np.mean(errors), np.std(errors, ddof=1) / math.sqrt(len(errors))
        # The theory is one of many dimensions: a fifth off at n = 10 in three, besides the spread of the simulation.
        assert abs(mean - predicted) < 0.25 * predicted + 4 * error


def test_learning_curve_of_a_finite_spectrum():
    # kappa(cos) = 1 + cos on S^2: four functions, known exactly from more than four samples without noise.
    found = spectra.sphere_spectrum(lambda c: 1 + c, 3, 1)
    curve = spectra.learning_curve(found, [0.5, 1.0], [2, 8, 100], noise=0.2)
    assert curve.effective_ridge[1:] == pytest.approx(0, abs=1e-12)
    # Ordinary least squares: noise * p / (n - p).
    np.testing.assert_allclose(curve.error[1:], [0.2 * 4 / 4, 0.2 * 4 / 96], rtol=1e-6)
    assert curve.learnt_frequencies()[2] == [0, 1]


def test_refusals():
    found = spectra.sphere_spectrum(NETWORK, 3, 5)
    with pytest.raises(ValueError, match="energies"):
        spectra.learning_curve(found, [1, -1], [10])
    with pytest.raises(ValueError, match="energies"):
        found.rkhs_norm(np.ones(7))
    with pytest.raises(ValueError, match="samples"):
        spectra.learning_curve(found, [1], [0])
    with pytest.raises(TypeError, match="spectrum"):
        spectra.learning_curve(found.eigenvalues, [1], [10])
    for option in ("ridge", "noise"):
        with pytest.raises(ValueError, match=option):
            spectra.learning_curve(found, [1], [10], **{option: -1})
    with pytest.raises(ValueError, match="zero rows"):
        spectra.frequency_energies(np.zeros((3, 2)), np.ones(3))
    with pytest.raises(ValueError, match="same number of rows"):
        spectra.frequency_energies(np.ones((3, 2)), np.ones(4))
    with pytest.raises(ValueError, match="y must be finite"):
        spectra.frequency_energies(np.ones((3, 2)), [1, 2, np.nan])
    with pytest.raises(ValueError, match="max_frequency"):
        spectra.zonal_energies(np.square, 3, -2)
