"""K2, K3 and K4 of finite networks: golden numbers, finite differences, symmetries, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import stax
from ntkswift.empirical import empirical_ntk_fn, loss_and_gradient
from ntkswift.hierarchy import kernel_velocity, loss_kernel_velocity, tangent_hierarchy


def moved(params, direction, step):
    """Nested parameters plus `step` times nested parameters."""
    if params is None:
        return None
    if isinstance(params, (tuple, list)):
        return tuple(moved(p, d, step) for p, d in zip(params, direction))
    return params + step * direction


def gradients(network, params, x):
    """Nested gradients of the output at each row of x: of the loss 0.5 (f - y)^2 with y = f - 1."""
    out = []
    for row in x:
        f = network.apply_fn(params, row[None])
        out.append(loss_and_gradient(network, params, row[None], f - 1)[1])
    return out


def varied_network():
    """Biases, a frozen layer, a skip connection, a normalisation, two kinds of nonlinearities."""
    block = stax.serial(
        stax.FanOut(2),
        stax.parallel(stax.serial(stax.Dense(7, b_std=0.3), stax.Gelu()), stax.Dense(7)),
        stax.FanInSum(),
    )
    return stax.serial(
        stax.Dense(5, W_std=1.3, b_std=0.2), stax.Erf(), block, stax.LayerNorm(), stax.Dense(4, trainable=False), stax.Tanh(),
        stax.Dense(1, b_std=0.1),
    )  # fmt: skip


def test_golden(golden, tanh_network):
    network, params = tanh_network
    found = tangent_hierarchy(network, params, golden["X"])
    np.testing.assert_allclose(found.outputs, golden["f"], atol=1e-14)
    for kernel, name in zip(found.kernels, ("K2", "K3", "K4")):
        np.testing.assert_allclose(kernel, golden[name], atol=1e-13)


@pytest.mark.parametrize("is_varied", [False, True], ids=["tanh", "varied"])
def test_each_kernel_is_the_derivative_of_the_one_before(is_varied, tanh_network):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 3))
    network, params = tanh_network
    if is_varied:
        network = varied_network()
        _, params = network.init_fn(3, x.shape)
    found = tangent_hierarchy(network, params, x)
    np.testing.assert_allclose(found.k2, empirical_ntk_fn(network)(x, None, params), rtol=1e-12)
    step = 1e-5
    for c, gradient in enumerate(gradients(network, params, x)):
        ahead, behind = (tangent_hierarchy(network, moved(params, gradient, s), x, order=3) for s in (step, -step))
        third, fourth = np.abs(found.k3).max(), np.abs(found.k4).max()
        np.testing.assert_allclose((ahead.k2 - behind.k2) / (2 * step), found.k3[..., c], atol=1e-7 * third)
        np.testing.assert_allclose((ahead.k3 - behind.k3) / (2 * step), found.k4[..., c], atol=1e-7 * fourth)
        velocity = kernel_velocity(network, params, x, gradient)
        np.testing.assert_allclose(velocity, found.k3[..., c], atol=1e-12 * third)


def test_symmetries_are_those_of_the_definition(golden, tanh_network):
    network, params = tanh_network
    found = tangent_hierarchy(network, params, golden["X"])
    np.testing.assert_allclose(found.k3, found.k3.transpose(1, 0, 2), atol=1e-14)
    np.testing.assert_allclose(found.k4, found.k4.transpose(1, 0, 2, 3), atol=1e-13)
    assert np.abs(found.k3 - found.k3.transpose(0, 2, 1)).max() > 0.1
    assert np.abs(found.k4 - found.k4.transpose(0, 1, 3, 2)).max() > 0.1


def test_passive_inputs_are_rows_of_the_whole():
    network = varied_network()
    x = np.random.default_rng(1).standard_normal((5, 3))
    _, params = network.init_fn(0, x.shape)
    whole, part = tangent_hierarchy(network, params, x), tangent_hierarchy(network, params, x[:2], x[2:])
    np.testing.assert_allclose(part.k2, whole.k2[:, :2], rtol=1e-12)
    np.testing.assert_allclose(part.k3, whole.k3[:, :2, :2], atol=1e-12 * np.abs(whole.k3).max())
    np.testing.assert_allclose(part.k4, whole.k4[:, :2, :2, :2], atol=1e-12 * np.abs(whole.k4).max())


def test_velocity_in_gradient_flow_is_k3_times_the_residual(golden, tanh_network):
    network, params = tanh_network
    x, y = golden["X"], golden["y"]
    found = tangent_hierarchy(network, params, x, order=3)
    expected = -found.k3 @ (found.outputs - y) / len(y)
    np.testing.assert_allclose(loss_kernel_velocity(network, params, x, y), expected, atol=1e-14)
    _, gradient = loss_and_gradient(network, params, x, y[:, None])
    kernel = empirical_ntk_fn(network)
    difference = (
        kernel(x, None, moved(params, gradient, -1e-5)) - kernel(x, None, moved(params, gradient, 1e-5))
    ) / 2e-5
    np.testing.assert_allclose(loss_kernel_velocity(network, params, x, y), difference, atol=1e-9)
    np.testing.assert_allclose(loss_kernel_velocity(network, params, x, y, x[:2]), expected[:2, :2], atol=1e-14)


def test_higher_kernels_shrink_with_the_width():
    widths = (16, 64, 256)
    x = np.eye(3)
    sizes = []
    for width in widths:
        network = stax.serial(stax.Dense(width), stax.Tanh(), stax.Dense(width), stax.Tanh(), stax.Dense(1))
        draws = [tangent_hierarchy(network, network.init_fn(seed, x.shape)[1], x).kernels for seed in range(8)]
        sizes.append([np.sqrt(np.mean([np.mean(d[k] ** 2) for d in draws])) for k in range(3)])
    slopes = np.polyfit(np.log(widths), np.log(sizes), 1)[0]
    assert np.all(np.abs(slopes - [0, -1, -1]) < [0.1, 0.25, 0.25])


def test_same_bits_for_any_number_of_threads():
    import ntkswift

    network = varied_network()
    x = np.random.default_rng(2).standard_normal((4, 3))
    _, params = network.init_fn(0, x.shape)
    with ntkswift.num_threads(1):
        one = tangent_hierarchy(network, params, x)
    with ntkswift.num_threads(3):
        three = tangent_hierarchy(network, params, x)
    for a, b in zip(one.kernels, three.kernels):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layer", [stax.Relu(), stax.Sign(), stax.Elu(), stax.RectifiedMonomial(2)], ids=repr)
def test_kinks_are_refused(layer):
    network = stax.serial(stax.Dense(4), layer, stax.Dense(1))
    _, params = network.init_fn(0, (2, 3))
    with pytest.raises(ValueError, match="smooth nonlinearities"):
        tangent_hierarchy(network, params, np.ones((2, 3)))


def test_bad_input_is_named(golden, tanh_network):
    network, params = tanh_network
    x = golden["X"]
    with pytest.raises(ValueError, match="order must be"):
        tangent_hierarchy(network, params, x, order=5)
    with pytest.raises(ValueError, match="x_train"):
        tangent_hierarchy(network, params, np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="x_test"):
        tangent_hierarchy(network, params, x, np.ones((2, 4)))
    with pytest.raises(ValueError, match="direction must hold"):
        kernel_velocity(network, params, x, np.ones(3))
    with pytest.raises(MemoryError):
        tangent_hierarchy(network, params, x, memory_limit=1000)
    several = stax.serial(stax.Dense(4), stax.Tanh(), stax.Dense(2))
    with pytest.raises(ValueError, match="one output"):
        tangent_hierarchy(several, several.init_fn(0, x.shape)[1], x)
    spatial = stax.serial(stax.Conv(3, (3,)), stax.Tanh(), stax.Flatten(), stax.Dense(1))
    with pytest.raises(ValueError, match="fully connected"):
        tangent_hierarchy(spatial, spatial.init_fn(0, (2, 5, 1))[1], np.ones((2, 5, 1)))
