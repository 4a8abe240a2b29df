"""Spectra of kernel matrices on data."""

from __future__ import annotations

import numpy as np
import pytest

import ntkswift
from ntkswift import spectra

NETWORK = ntkswift.resntk(3, 0.5)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    return X, np.sign(X[:, 0])


def test_top_eigenvalues_are_lapacks(data):
    X, _ = data
    gram = NETWORK.kernel_fn(X, None, "ntk")
    expected = np.linalg.eigvalsh(gram)[::-1]
    values, rows = spectra.gram_eigenvalues(NETWORK, X, vectors=True)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12 * expected[0])
    top, vectors = spectra.gram_eigenvalues(NETWORK, X, 12, vectors=True)
    np.testing.assert_allclose(top, expected[:12], rtol=1e-10)
    assert np.abs(gram @ vectors.T - vectors.T * top).max() < 1e-8 * top[0]
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(12), atol=1e-12)
    np.testing.assert_allclose(rows @ rows.T, np.eye(300), atol=1e-12)
    np.testing.assert_allclose(spectra.gram_eigenvalues(gram, k=12), top, rtol=1e-9)


def test_multiple_eigenvalues_are_all_found():
    # Points on a regular polygon: every frequency has two eigenvectors.
    angles = 2 * np.pi * np.arange(64) / 64
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    gram = NETWORK.kernel_fn(X, None, "ntk")
    np.testing.assert_allclose(spectra.gram_eigenvalues(NETWORK, X, 7), np.linalg.eigvalsh(gram)[::-1][:7], rtol=1e-9)
    # They approximate the eigenvalues on the circle, times n.
    circle = spectra.sphere_spectrum(spectra.ZonalKernel(NETWORK), 2, 3).eigenvalues
    np.testing.assert_allclose(spectra.gram_eigenvalues(NETWORK, X, 3), 64 * circle[[0, 1, 1]], rtol=1e-2)


def test_effective_dimension_is_the_trace(data):
    X, _ = data
    gram = NETWORK.kernel_fn(X, None, "ntk")
    values = spectra.gram_eigenvalues(gram)
    for ridge in (1e-3, 1.0):
        expected = np.trace(np.linalg.solve(gram + ridge * np.eye(300), gram))
        assert spectra.effective_dimension(values, ridge) == pytest.approx(expected, rel=1e-9)


def test_alignment(data):
    X, y = data
    gram = NETWORK.kernel_fn(X, None, "ntk")
    centring = np.eye(300) - 1 / 300
    a, b = centring @ gram @ centring, centring @ np.outer(y, y) @ centring
    expected = np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)
    assert spectra.kernel_alignment(gram, y) == pytest.approx(expected, rel=1e-10)
    assert spectra.kernel_alignment(np.outer(y, y) + 3, y) == pytest.approx(1, rel=1e-10)
    _, vectors = spectra.gram_eigenvalues(gram, vectors=True)
    found = spectra.label_alignment(vectors, y)
    assert found.cumulative[-1] == pytest.approx(1, rel=1e-10)
    assert found.energies == pytest.approx((vectors @ y) ** 2 / 300, rel=1e-9, abs=1e-14)


def test_refusals(data):
    X, _ = data
    with pytest.raises(ValueError, match="k must be at most the number of rows"):
        spectra.gram_eigenvalues(NETWORK, X, 301)
    with pytest.raises(ValueError, match="k must be a positive integer"):
        spectra.gram_eigenvalues(NETWORK, X, 0)
    with pytest.raises(ValueError, match="X must be given"):
        spectra.gram_eigenvalues(NETWORK)
    with pytest.raises(ValueError, match="symmetric"):
        spectra.gram_eigenvalues(np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="square"):
        spectra.gram_eigenvalues(np.ones((3, 2)))
    with pytest.raises(TypeError, match="kernel must be a stax network"):
        spectra.gram_eigenvalues(3, X)
    with pytest.raises(ValueError, match="ridge"):
        spectra.effective_dimension([1.0], 0)
    with pytest.raises(ValueError, match="eigenvalues must be finite"):
        spectra.effective_dimension([1.0, np.nan], 1)
    with pytest.raises(ValueError, match="constants"):
        spectra.kernel_alignment(np.eye(3), np.ones(3))
    with pytest.raises(ValueError, match="elements"):
        spectra.label_alignment(np.eye(3), np.ones(4))
