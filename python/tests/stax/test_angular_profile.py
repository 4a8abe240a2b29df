"""Networks that are one function of the angle between inputs: the fitted function against the layers themselves.

Below 2^14 pairs the layers run, above it the function: blocks of a large kernel, computed one by one, are what to compare with.
"""

import numpy as np
import pytest

from ntkswift import num_threads, stax

RNG = np.random.default_rng(20)
ROWS, BLOCK = 144, 72


def _inputs(dtype=np.float64):
    x = RNG.standard_normal((ROWS, 6))
    x[1] = x[0]
    x[2], x[3] = -x[0], 3 * x[0]
    x[4] = 0
    for k, distance in enumerate((1e-12, 1e-9, 1e-6, 1e-3)):
        x[5 + 2 * k] = x[0] + distance * x[20]
        x[6 + 2 * k] = -x[0] + distance * x[21]
    return x.astype(dtype)


def _unit_inputs():
    x = np.delete(_inputs(), 4, axis=0)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _network(layer, depth, b_std=None, W_std=1.5):
    layers = [part for _ in range(depth) for part in (stax.Dense(8, W_std, b_std), layer)]
    return stax.serial(*layers, stax.Dense(1, W_std, b_std)).kernel_fn


def _by_layers(kernel_fn, x, get):
    blocks = [[kernel_fn(a, b, get) for b in np.split(x, [BLOCK])] for a in np.split(x, [BLOCK])]
    return np.block(blocks)


def _relative(difference, kernel):
    scale = np.sqrt(np.outer(np.diag(kernel), np.diag(kernel)))
    return np.abs(difference / np.where(scale > 0, scale, 1)).max()


HOMOGENEOUS = [
    (stax.Relu(), 2),
    (stax.Relu(), 10),
    (stax.Relu(), 30),
    (stax.LeakyRelu(0.2), 3),
    (stax.Abs(), 3),
    (stax.RectifiedMonomial(2), 2),
    (stax.Sign(), 2),
]


@pytest.mark.parametrize("get", ["nngp", "ntk"])
@pytest.mark.parametrize(("layer", "depth"), HOMOGENEOUS, ids=repr)
def test_homogeneous_networks(layer, depth, get):
    x, kernel_fn = _inputs(), _network(layer, depth)
    kernel, layers = kernel_fn(x, None, get), _by_layers(kernel_fn, x, get)
    # The layers' own rounding grows to 5e-15 at depth 30.
    assert _relative(kernel - layers, layers) < 1.5e-14
    assert np.array_equal(kernel, kernel.T)
    assert kernel[0, 0] == kernel[0, 1] == kernel[1, 1]
    assert np.all(kernel[4] == 0)
    assert np.array_equal(kernel, kernel_fn(x, x.copy(), get))


@pytest.mark.parametrize("layer", [stax.Relu(), stax.Erf(), stax.Gelu(), stax.Sin(), stax.Tanh()], ids=repr)
def test_inputs_of_equal_length(layer):
    x, kernel_fn = _unit_inputs(), _network(layer, 3, b_std=0.3)
    kernel = kernel_fn(x, None, ("nngp", "ntk"))
    for get in ("nngp", "ntk"):
        layers = _by_layers(kernel_fn, x, get)
        assert _relative(getattr(kernel, get) - layers, layers) < 1e-14


def test_float32():
    x = _inputs(np.float32)
    kernel_fn = _network(stax.Relu(), 3)
    exact = _by_layers(kernel_fn, x.astype(np.float64), "ntk")
    kernel = kernel_fn(x, None, "ntk")
    assert kernel.dtype == np.float32
    assert _relative(kernel - exact, exact) < 5e-7


def test_against_extended_precision():
    """The recursion in angles (arXiv:1904.11955, section 3), in the widest type NumPy has."""
    wide = np.longdouble
    pi = np.arctan2(wide(0), wide(-1))
    x = RNG.standard_normal((ROWS, 6))
    unit = x.astype(wide)
    lengths = np.sqrt((unit**2).sum(axis=1))
    unit /= lengths[:, None]
    apart, together = (np.sqrt(((unit[:, None] + s * unit[None]) ** 2).sum(axis=-1)) for s in (-1, 1))
    angle = 2 * np.arctan2(apart, together)
    variance = 2 * np.outer(lengths, lengths) / 6
    theta = variance * np.cos(angle)
    for _ in range(3):
        cosine = (np.sin(angle) + (pi - angle) * np.cos(angle)) / pi
        theta = theta * (pi - angle) / pi + variance * cosine
        angle = np.arccos(np.clip(cosine, -1, 1))
    kernel = _network(stax.Relu(), 3, W_std=np.sqrt(2))(x, None, "ntk")
    off = ~np.eye(ROWS, dtype=bool)
    assert _relative((kernel - theta) * off, theta) < 3e-15


def test_dropout_tells_duplicates_from_the_input_itself():
    layers = [stax.Dense(8), stax.Relu(), stax.Dropout(0.7, mode="train")] * 2
    kernel_fn = stax.serial(*layers, stax.Dense(1)).kernel_fn
    x = _inputs()
    kernel, blocks = kernel_fn(x, None, "ntk"), _by_layers(kernel_fn, x, "ntk")
    off = ~np.eye(ROWS, dtype=bool)
    assert _relative((kernel - blocks) * off, blocks) < 1e-14
    assert kernel[0, 0] > 1.2 * kernel[0, 1]


def test_a_bias_and_unequal_lengths_leave_it_to_the_layers():
    x, kernel_fn = _inputs(), _network(stax.Relu(), 3, b_std=0.5)
    assert np.array_equal(kernel_fn(x, None, "ntk")[:BLOCK, BLOCK:], kernel_fn(x[:BLOCK], x[BLOCK:], "ntk"))


def test_threads_do_not_change_bits():
    x, kernel_fn = RNG.standard_normal((500, 5)), _network(stax.Relu(), 3)
    kernels = []
    for threads in (1, 2, 5):
        with num_threads(threads):
            kernels.append(kernel_fn(x, None, "ntk"))
    assert np.array_equal(kernels[0], kernels[1])
    assert np.array_equal(kernels[0], kernels[2])
