"""Duals to their stated tolerance: at all variances, near equal and opposite inputs, in both outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf, ndtr

from ntkswift import ConvergenceError, stax

GOLDEN = Path(__file__).parents[1] / "golden"
DUALS = json.loads((GOLDEN / "duals.json").read_text())
NETWORKS = json.loads((GOLDEN / "networks.json").read_text())
LAYERS = {
    "HardTanh": (stax.HardTanh(), 1e-12),
    "Relu6": (stax.Relu6(), 1e-12),
    "Elu": (stax.Elu(tol=1e-12), 1e-12),
    "Selu": (stax.Selu(tol=1e-12), 1e-12),
}


def inputs(v1, v2, correlations):
    """An input of variance v1 and others of variance v2, at these correlations with it behind a Dense layer."""
    # 1 - rho^2 without cancellation: one pair is 1e-8 away from correlation 1.
    sine = np.sqrt((1 - np.abs(correlations)) * (1 + np.abs(correlations)))
    others = np.sqrt(v2) * np.column_stack([correlations, sine])
    return np.sqrt(2) * np.vstack([[np.sqrt(v1), 0.0], others])


def three_layers(layer, **dense):
    return stax.serial(*[stax.Dense(1, **dense), layer] * 3, stax.Dense(1, **dense))


@pytest.mark.parametrize(("v1", "v2"), sorted({(row[1], row[2]) for row in DUALS}))
@pytest.mark.parametrize("name", LAYERS)
def test_duals_are_those_of_mpmath(name, v1, v2):
    layer, tolerance = LAYERS[name]
    rho, value, slope = np.array([row[3:] for row in DUALS if row[:3] == [name, v1, v2]]).T
    nngp, ntk = stax.serial(stax.Dense(1), layer).kernel_fn(inputs(v1, v2, rho), None, ("nngp", "ntk"))
    scale = np.sqrt(nngp[0, 0] * np.diag(nngp)[1:])
    assert np.max(np.abs(nngp[0, 1:] - value) / scale) <= tolerance
    # Td is bounded by the largest slope squared, here 3.1.
    assert np.max(np.abs(ntk[0, 1:] / np.sqrt(v1 * v2) - rho * slope)) <= 4 * tolerance


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: f"{row['layer']}-{row['variance']:g}")
def test_networks_keep_their_tolerance_in_both_outputs(row):
    x = np.sqrt(row["variance"]) * np.array([[1.0, 0.2, -0.4], [0.7, -1.1, 0.3], [1.0, 0.21, -0.41]])
    kernels = three_layers(getattr(stax, row["layer"])()).kernel_fn(x, None, ("nngp", "ntk"))
    for name in ("nngp", "ntk"):
        expected = np.array(row[name])
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert np.max(np.abs(kernels[("nngp", "ntk").index(name)] - expected) / scale) <= 1e-8, name


@pytest.mark.parametrize("variance", [1e-6, 1.0, 25.0, 1e4, 1e6])
def test_a_function_of_ones_own_is_as_good_as_its_closed_form(variance):
    x = np.sqrt(variance) * np.random.default_rng(3).standard_normal((5, 3))
    own, closed = (three_layers(f, b_std=0.1) for f in (stax.ElementwiseNumerical(erf), stax.Erf()))
    for get in ("nngp", "ntk"):
        expected = closed.kernel_fn(x, None, get)
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert np.max(np.abs(own.kernel_fn(x, None, get) - expected) / scale) <= 1e-8, get


def test_kinks_at_zero_need_no_series():
    x = np.random.default_rng(4).standard_normal((5, 3))
    own = three_layers(stax.ElementwiseNumerical(lambda x: np.maximum(x, 0), tol=1e-6)).kernel_fn(x, None, "ntk")
    np.testing.assert_allclose(own, three_layers(stax.Relu()).kernel_fn(x, None, "ntk"), rtol=0, atol=1e-6 * own.max())


def test_what_cannot_be_found_is_an_error():
    layer = stax.ElementwiseNumerical(lambda x: np.clip(x, -1, 1))
    with pytest.raises(ConvergenceError, match=r"must be found to tol = 1e-08. Received an error of about"):
        stax.serial(stax.Dense(1), layer).kernel_fn(np.ones((2, 2)))


@pytest.mark.parametrize("slopes", [(0.0, 1.0), (-0.3, 0.8), (-1.0, 1.0)])
def test_one_knot_is_a_leaky_relu(slopes):
    x = np.random.default_rng(5).standard_normal((6, 3))
    one, other = (three_layers(f, b_std=0.2) for f in (stax.PiecewiseLinear([0], slopes), stax.ABRelu(*slopes)))
    for get in ("nngp", "ntk"):
        np.testing.assert_allclose(one.kernel_fn(x, None, get), other.kernel_fn(x, None, get), rtol=1e-12)


@pytest.mark.parametrize(
    "layer",
    [
        stax.PiecewiseLinear([-1, 1], [0.2, 1, 0.2]),
        stax.PiecewiseLinear([-2, -0.5, 0.5, 2], [-1, 0.5, 0, -0.5, 1], 0.3),
        stax.PiecewiseLinear([-0.5, 0, 1, 2], [0.3, -1, 2, 0.1, 0], 0.4),
    ],
    ids=["odd", "even", "neither"],
)
@pytest.mark.parametrize("scale", [0.3, 1.4, 20.0])
def test_many_knots(layer, scale):
    x = scale * np.random.default_rng(6).standard_normal((3, 2))
    nngp, ntk = stax.serial(stax.Dense(1), layer).kernel_fn(x, None, ("nngp", "ntk"))
    c = x @ x.T / 2
    for i, j in [(0, 1), (1, 0), (1, 2)]:
        value, slope = one_integral(layer, c[i, i], c[j, j], c[i, j])
        assert nngp[i, j] == pytest.approx(value, rel=1e-11, abs=1e-11 * np.sqrt(nngp[i, i] * nngp[j, j]))
        assert ntk[i, j] == pytest.approx(c[i, j] * slope, rel=1e-11, abs=1e-11 * np.sqrt(c[i, i] * c[j, j]))


def one_integral(layer, q1, q2, c):
    """E f(u) f(v) and E f'(u) f'(v): the inner expectation in closed form, the outer one by Gauss-Legendre between kinks."""
    knots, slopes = np.array(layer.knots), np.array(layer.slopes)
    middle = slopes[np.sum(knots < 0)]
    signs, jumps = np.where(knots < 0, -1.0, 1.0), np.diff(slopes)

    def f(x):
        return layer.value + middle * x + np.maximum(signs * (x[..., None] - knots), 0) @ jumps

    def slope(x):
        return middle + (signs * (x[..., None] - knots) > 0) @ (signs * jumps)

    s1, spread = np.sqrt(q1), np.sqrt(q2 - c * c / q1)
    edges = np.unique(np.concatenate([np.arange(-10.0, 10.5, 0.5), np.clip(knots / s1, -10, 10), knots * s1 / c]))
    edges = np.unique(np.concatenate([edges, *(knots * s1 / c + k * spread * s1 / c for k in (-6, -3, -1, 1, 3, 6))]))
    edges = edges[np.abs(edges) <= 10]
    t, w = np.polynomial.legendre.leggauss(30)
    a, b = edges[:-1, None], edges[1:, None]
    z = ((a + b) / 2 + (b - a) / 2 * t).ravel()
    weight = ((b - a) / 2 * w).ravel() * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    mean = c / s1 * z
    y = signs * (mean[:, None] - knots) / spread
    inner = layer.value + middle * mean + spread * (np.exp(-y * y / 2) / np.sqrt(2 * np.pi) + y * ndtr(y)) @ jumps
    inner_slope = middle + ndtr(y) @ (signs * jumps)
    return weight @ (f(s1 * z) * inner), weight @ (slope(s1 * z) * inner_slope)


@pytest.mark.parametrize("layer", [stax.HardTanh(), stax.Elu(), stax.Tanh()], ids=repr)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_float32_and_pieces(layer, scale):
    x = scale * np.random.default_rng(7).standard_normal((40, 3))
    net = three_layers(layer, W_std=1.2, b_std=0.1)
    for get in ("nngp", "ntk"):
        full = net.kernel_fn(x, None, get)
        largest = np.max(np.abs(full))
        single = net.kernel_fn(x.astype(np.float32), None, get)
        np.testing.assert_allclose(single, full, rtol=0, atol=2e-5 * largest)
        part = net.kernel_fn(x[:7], x[7:], get)
        np.testing.assert_allclose(part, full[:7, 7:], rtol=0, atol=2e-9 * largest)
        assert np.array_equal(full, full.T)


def test_inputs_of_zeros():
    x = np.array([[0.0, 0.0], [30.0, 2.0]])
    for layer in (stax.Tanh(), stax.Sigmoid(), stax.HardSigmoid()):
        nngp = stax.serial(stax.Dense(1), layer).kernel_fn(x, None, "nngp")
        # f(0)^2 and f(0) E f(u), which is f(0)^2 too: these functions are odd but for a constant.
        at_zero = 0.0 if layer == stax.Tanh() else 0.5
        np.testing.assert_allclose(nngp[0], at_zero**2, atol=1e-8)


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


@pytest.mark.parametrize("name", ["Tanh", "Sigmoid", "Softplus"])
def test_coefficients_of_many_inputs_are_those_of_few(name):
    # Few inputs have a quadrature each; many are interpolated.
    x = np.random.default_rng(12).uniform(0.2, 0.7, (400, 1)) * np.array([[1.0, 0.5]])
    net = three_layers(getattr(stax, name)(tol=1e-10), b_std=0.1)
    for get in ("nngp", "ntk"):
        many = net.kernel_fn(x, None, get)
        np.testing.assert_allclose(
            net.kernel_fn(x[:5], None, get), many[:5, :5], rtol=0, atol=1e-10 * np.max(np.abs(many))
        )


def test_a_table_does_not_depend_on_what_came_before():
    x = np.random.default_rng(13).standard_normal((30, 2)) * np.geomspace(0.1, 50, 30)[:, None]
    net = stax.serial(stax.Dense(1), stax.Elu())
    first = net.kernel_fn(x, None, "ntk")
    for k in range(1, 10):
        stax.serial(stax.Dense(1), stax.Elu(alpha=k / 4)).kernel_fn(x[:k], None, "ntk")
    assert np.array_equal(net.kernel_fn(x, None, "ntk"), first)
