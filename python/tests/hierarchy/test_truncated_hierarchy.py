"""The truncated hierarchy: the scalar example, golden paths, the path of the network itself."""

from __future__ import annotations

import numpy as np
import pytest

import ntkswift
from ntkswift import stax
from ntkswift.hierarchy import gradient_flow, tangent_hierarchy, truncated_hierarchy

# f = theta^2 with y = 0 and one input, from f = 1: K_r = 4^(r-1), exact f = 1 / (1 + 4 t).
SCALAR = {
    0.1: {2: 0.670320, 3: 0.719726, 4: 0.713816, 5: 0.714318, 6: 0.714284},
    1.0: {2: 0.018316, 3: 4.111884, 4: 0.098814, 5: 0.273066, 6: 0.184690, 8: 0.199187},
}


@pytest.mark.parametrize("time", SCALAR)
def test_square(time):
    for order, expected in SCALAR[time].items():
        kernels = [np.full((1,) * r, 4.0 ** (r - 1)) for r in range(2, order + 1)]
        path = truncated_hierarchy([1.0], [0.0], kernels, [0.0, time], ntk=True)
        assert path.outputs[0, 0] == 1
        assert path.outputs[1, 0] == pytest.approx(expected, abs=6e-7)
        exact = 1 / (1 + 4 * time)
        assert (path.outputs[1, 0] < exact) == (order % 2 == 0)  # odd orders overshoot
        if order == 8:  # K2 = 4 f to the order below
            assert path.ntk[1, 0, 0] == pytest.approx(4 * exact, abs=0.2)


def test_golden_paths(golden, tanh_network):
    network, params = tanh_network
    kernels = tangent_hierarchy(network, params, golden["X"])
    times = np.linspace(0, float(golden["T"]), len(golden["f_p2"]))
    for order in (2, 3, 4):
        path = kernels.predict(golden["y"], times, order)
        np.testing.assert_allclose(path.outputs, golden[f"f_p{order}"], atol=3e-8)  # the golden one takes steps of 0.05


def test_frozen_kernel_is_the_linearised_network(golden, tanh_network):
    network, params = tanh_network
    x, y = golden["X"], golden["y"]
    kernels = tangent_hierarchy(network, params, x[:2], x[2:], order=2)
    gram = kernels.k2[:2]
    outputs = kernels.predict(y[:2], [0.0, 0.7, 3.0]).outputs
    predict = ntkswift.predict.gradient_descent_mse(gram, y[:2, None])
    train, test = predict([0.0, 0.7, 3.0], kernels.outputs[:2, None], kernels.outputs[2:, None], kernels.k2[2:])
    np.testing.assert_allclose(outputs[:, :2], train[..., 0], atol=1e-8)
    np.testing.assert_allclose(outputs[:, 2:], test[..., 0], atol=1e-8)


def test_even_orders_come_closer_to_the_network():
    x = np.eye(4)
    y = np.array([1.0, -1.0, 0.5, -0.5])
    network = stax.serial(stax.Dense(64, W_std=2.0), stax.Tanh(), stax.Dense(64), stax.Tanh(), stax.Dense(1))
    _, params = network.init_fn(0, x.shape)
    times, query = [0.5, 1.0, 2.0], np.full((1, 4), 0.5)
    truth = gradient_flow(network, params, x, y, times, query)
    kernels = tangent_hierarchy(network, params, x, query)
    errors = {p: np.abs(kernels.predict(y, times, p).outputs - truth.outputs).max(axis=0) for p in (2, 4)}
    assert (errors[4][:4] < 0.1 * errors[2][:4]).all()
    assert errors[4][4] < 0.3 * errors[2][4]


def test_bad_input_is_named(golden, tanh_network):
    k2, k3 = np.ones((3, 2)), np.ones((3, 2, 2))
    start, y = np.zeros(3), np.ones(2)
    with pytest.raises(ValueError, match=r"kernels\[1\] must have shape"):
        truncated_hierarchy(start, y, [k2, k3[:2]], [1.0])
    with pytest.raises(ValueError, match="at most 3 targets"):
        truncated_hierarchy(start, np.ones(4), [k2], [1.0])
    with pytest.raises(ValueError, match="times must ascend"):
        truncated_hierarchy(start, y, [k2], [1.0, 0.5])
    with pytest.raises(ValueError, match="tolerance"):
        truncated_hierarchy(start, y, [k2], [1.0], tolerance=2)
    with pytest.raises(ValueError, match="kernels must be a sequence"):
        truncated_hierarchy(start, y, [], [1.0])
    with pytest.raises(ValueError, match="outputs"):
        truncated_hierarchy([np.nan, 0, 0], y, [k2], [1.0])
    network, params = tanh_network
    with pytest.raises(ValueError, match="order must be at most 3"):
        tangent_hierarchy(network, params, golden["X"], order=3).predict(golden["y"], [1.0], 4)
