"""Residual blocks and the ResNTK: golden numbers, closed forms, finite networks, refusals."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import ntkswift
from ntkswift import stax

GOLDEN = np.load(Path(__file__).parents[1] / "spectra" / "resntk.npz")


def circle(angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize(("depth", "alpha"), [(3, 0.5), (10, 0.1), (20, 1.0)])
def test_golden_profile_on_the_sphere(depth, alpha):
    points = circle(GOLDEN["theta"])
    ntk = ntkswift.resntk(depth, alpha, input_dim=2).kernel_fn(points[:1], points, "ntk")[0]
    np.testing.assert_allclose(ntk, GOLDEN[f"theta_L{depth}_a{alpha}"], rtol=0, atol=1e-14)


def test_golden_off_the_sphere():
    kernel = ntkswift.resntk(3, 0.6, normalize=False, input_dim=5).kernel_fn(GOLDEN["X"])
    np.testing.assert_allclose(kernel.nngp, GOLDEN["offsphere_K_L3_a0.6"], rtol=1e-13)
    np.testing.assert_allclose(kernel.ntk, GOLDEN["offsphere_T_L3_a0.6"], rtol=1e-13)


def test_golden_with_trained_ends():
    # With weights of variance 1 in both matrices of a block, alpha^2 is halved.
    network = ntkswift.resntk(5, 0.3 / math.sqrt(2), normalize=False, train_ends=True)
    kernel = network.kernel_fn(GOLDEN["X"])
    np.testing.assert_allclose(kernel.nngp, GOLDEN["full_K_L5_a0.3_sw1"], rtol=1e-13)
    np.testing.assert_allclose(kernel.ntk, GOLDEN["full_T_L5_a0.3_sw1"], rtol=1e-13)


@pytest.mark.parametrize("train_ends", [False, True])
@pytest.mark.parametrize(("depth", "gamma"), [(1, 0.5), (50, 1.0), (500, 0.5), (500, 0.0)])
def test_normalized_to_one_on_the_unit_sphere(depth, gamma, train_ends):
    network = ntkswift.resntk(depth, gamma=gamma, train_ends=train_ends, input_dim=3)
    x = np.array([[0.6, 0.0, -0.8], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(np.diag(network.kernel_fn(x, None, "ntk")), 1, rtol=1e-11)
    # Homogeneous of degree 1 in each input.
    np.testing.assert_allclose(
        network.kernel_fn(3 * x, x, "ntk"), 3 * network.kernel_fn(x, None, "ntk"), rtol=1e-11, atol=1e-14
    )


def test_without_input_dim_the_sphere_has_radius_sqrt_d():
    x = np.array([[1.0, 1.0, 1.0, 1.0]])
    assert ntkswift.resntk(4, 0.5).kernel_fn(x, None, "ntk")[0, 0] == pytest.approx(1, rel=1e-14)


def test_block_is_the_recursion():
    angle = 0.7
    x = circle(np.array([0.0, angle])) * [[1.5], [0.5]]
    start = stax.Dense(64, W_std=math.sqrt(2.0), trainable=False)
    block = stax.ResidualBlock(0.8, 64)
    k = stax.serial(start, block, block).kernel_fn(x[:1], x[1:])
    # K <- K + alpha^2 v kappa1, Theta <- Theta (1 + alpha^2 kappa0) + alpha^2 (v kappa1 + K kappa0)
    covariance, theta, v, q = 0.75 * math.cos(angle), 0.0, 0.75, 0.64
    for _ in range(2):
        at = math.acos(covariance / v)
        kappa0, kappa1 = (math.pi - at) / math.pi, (math.sin(at) + (math.pi - at) * math.cos(at)) / math.pi
        theta = theta * (1 + q * kappa0) + q * (v * kappa1 + covariance * kappa0)
        covariance, v = covariance + q * v * kappa1, v * (1 + q)
    assert k.nngp[0, 0] == pytest.approx(covariance, rel=1e-13)
    assert k.ntk[0, 0] == pytest.approx(theta, rel=1e-13)


def test_finite_networks_have_the_covariance_of_the_kernel():
    network = ntkswift.resntk(3, 0.5, normalize=False, input_dim=3, width=400)
    x = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]])
    outputs = []
    for seed in range(300):
        _, params = network.init_fn(seed, x.shape)
        outputs.append(network.apply_fn(params, x)[:, 0])
    empirical = np.cov(np.array(outputs).T, bias=True)
    expected = network.kernel_fn(x, None, "nngp")
    # Standard error of a covariance of 300 draws: sqrt((k_ii k_jj + k_ij^2) / 300), here below 0.16; 4 of them.
    assert np.abs(empirical - expected).max() < 4 * math.sqrt(2 / 300) * expected.max()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": 2.5}, "depth"),
        ({"depth": 3000}, "depth must be at most 2048"),
        ({"depth": 3, "alpha": 0.0}, "alpha"),
        ({"depth": 3, "alpha": math.nan}, "alpha"),
        ({"depth": 3, "alpha": 0.1, "gamma": 0.5}, "alpha or gamma"),
        ({"depth": 3, "gamma": "half"}, "gamma"),
        ({"depth": 3, "input_dim": 0}, "input_dim"),
        ({"depth": 3, "width": -1}, "width"),
        ({"depth": 3, "normalize": 1}, "normalize"),
        ({"depth": 3, "train_ends": None}, "train_ends"),
    ],
)
def test_refusals_name_the_argument(arguments, name):
    with pytest.raises((ValueError, TypeError), match=rf"\[resntk\] .*{name}"):
        ntkswift.resntk(**arguments)


def test_block_refuses():
    with pytest.raises(ValueError, match="alpha"):
        stax.ResidualBlock(math.inf)
    with pytest.raises(TypeError, match="ResidualBlock"):
        stax.ResidualBlock(0.1, activation=np.tanh)
