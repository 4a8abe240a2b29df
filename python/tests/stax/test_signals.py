"""Which layers fit after which: widths, branches, and the Gaussian input that the infinite limit needs."""

import numpy as np
import pytest

from ntkswift import stax

X = np.random.default_rng(0).standard_normal((4, 3))
DENSE = stax.Dense(8)

NOT_GAUSSIAN = {
    "relu on data": stax.Relu(),
    "tanh on data": stax.Tanh(),
    "relu twice": stax.serial(DENSE, stax.Relu(), stax.Relu()),
    "layer norm on data": stax.LayerNorm(),
    "layer norm after relu": stax.serial(DENSE, stax.Relu(), stax.LayerNorm()),
    "dropout on data": stax.Dropout(0.5),
    "relu after dropout": stax.serial(DENSE, stax.Dropout(0.5), stax.Relu()),
    "sum of relus": stax.serial(DENSE, stax.FanOut(2), stax.parallel(stax.Relu(), DENSE), stax.FanInSum()),
    "relu after product": stax.serial(
        DENSE, stax.FanOut(2), stax.parallel(DENSE, DENSE), stax.FanInProd(), stax.Relu()
    ),
    "relu after concatenation": stax.serial(
        DENSE, stax.FanOut(2), stax.parallel(DENSE, DENSE), stax.FanInConcat(), stax.Relu()
    ),
    "batch of relus": stax.serial(DENSE, stax.FanOut(2), stax.parallel(stax.Relu(), DENSE), stax.FanInConcat(0)),
}


@pytest.mark.parametrize("network", NOT_GAUSSIAN.values(), ids=NOT_GAUSSIAN.keys())
def test_inputs_must_be_gaussian(network):
    with pytest.raises(ValueError, match=r"Gaussian|Dense layer"):
        network.kernel_fn(X)


MISFITS = {
    "ends in branches": stax.serial(DENSE, stax.FanOut(2)),
    "dense on branches": stax.serial(stax.FanOut(2), DENSE),
    "parallel without branches": stax.parallel(DENSE, DENSE),
    "fan in without branches": stax.FanInSum(),
    "counts differ": stax.serial(stax.FanOut(3), stax.parallel(DENSE, DENSE), stax.FanInSum()),
    "widths differ": stax.serial(stax.FanOut(2), stax.parallel(DENSE, stax.Dense(7)), stax.FanInSum()),
    "widths differ along the batch": stax.serial(
        stax.FanOut(2), stax.parallel(DENSE, stax.Dense(7)), stax.FanInConcat(0)
    ),
}


@pytest.mark.parametrize("network", MISFITS.values(), ids=MISFITS.keys())
def test_layers_must_fit(network):
    with pytest.raises(ValueError, match=r"branches|one input"):
        network.kernel_fn(X)
    with pytest.raises(ValueError, match=r"branches|one input"):
        network.apply_fn((), X)


def test_errors_name_the_layer_and_its_number():
    network = stax.serial(DENSE, stax.Relu(), stax.repeat(stax.Tanh(), 2))
    with pytest.raises(
        ValueError, match=r"\[Tanh\] the input must be Gaussian.* Received the output of .* \(layer 3\)"
    ):
        network.kernel_fn(X)
    network = stax.serial(DENSE, stax.FanOut(2), stax.parallel(DENSE, stax.Dense(7)), stax.FanInSum())
    with pytest.raises(ValueError, match=r"\[FanInSum\] needs branches of equal width.* Received 8, 7 \(layer 5\)"):
        network.init_fn(0, (-1, 3))


SPATIAL = [
    stax.Conv(3, (2, 2)),
    stax.AvgPool((2, 2)),
    stax.SumPool((2, 2)),
    stax.GlobalAvgPool(),
    stax.GlobalSumPool(),
    stax.BatchNorm(),
]


@pytest.mark.parametrize("layer", SPATIAL, ids=repr)
def test_layers_for_finite_networks_have_no_kernel(layer):
    with pytest.raises(ValueError, match=rf"\[{type(layer).__name__}\] has no infinite-width kernel in this version"):
        stax.serial(DENSE, layer).kernel_fn(X)
    layer.init_fn(0, (-1, 4, 5, 2))


@pytest.mark.parametrize("layer", SPATIAL[:5], ids=repr)
def test_spatial_layers_need_spatial_axes(layer):
    with pytest.raises(ValueError, match=rf"\[{type(layer).__name__}\] needs input with .* spatial axes"):
        layer.init_fn(0, (-1, 4))


def test_windows_must_have_the_axes_of_the_image_and_fit():
    for shape in [(-1, 6, 6, 1), (-1, 6, 1)]:
        layer = stax.Conv(3, (2,) * (5 - len(shape)))
        with pytest.raises(ValueError, match=r"\[Conv\] needs input with (one spatial axis|2 spatial axes)"):
            layer.init_fn(0, shape)
    with pytest.raises(ValueError, match=r"VALID window must fit in the image. Received a window of 7 x 1 on 6 x 5"):
        stax.Conv(3, (7, 1)).init_fn(0, (-1, 6, 5, 1))
    assert stax.Conv(3, (2,), strides=(2,)).init_fn(0, (-1, 6, 1))[0] == (-1, 3, 3)


def test_a_function_without_its_kernel():
    with pytest.raises(ValueError, match=r"\[Elementwise\] kernels need nngp_fn. Received fn only"):
        stax.serial(DENSE, stax.Elementwise(np.tanh)).kernel_fn(X)


def test_init_shapes():
    network = stax.serial(
        stax.Dense(8, b_std=0.1),
        stax.FanOut(2),
        stax.parallel(stax.Dense(5), stax.serial(stax.Relu(), stax.Dense(6))),
        stax.FanInConcat(),
        stax.Dense(2, parameterization="standard", s=(1, 3)),
    )
    shape, params = network.init_fn(0, (-1, 4))
    assert shape == (-1, 6)
    assert params[0][0].shape == (4, 8)
    assert params[0][1].shape == (1, 8)
    assert params[1] == ()
    assert params[2][0][0].shape == (8, 5)
    assert params[2][1][0] == ()
    assert params[4][0].shape == (11, 6)
    assert params[4][1] is None


def test_init_is_seeded():
    init_fn = stax.serial(stax.Dense(3, b_std=1), stax.Dense(2)).init_fn

    def weights(seed):
        return init_fn(seed, (1, 2))[1][1][0]

    assert np.array_equal(weights(5), weights(np.random.SeedSequence(5)))
    assert not np.array_equal(weights(5), weights(6))
    assert not np.array_equal(weights(None), weights(None))
    generator = np.random.default_rng(0)
    assert not np.array_equal(weights(generator), weights(generator))
    with pytest.raises(TypeError, match="seed"):
        weights("5")


def test_nested_shapes_for_single_layers():
    shape, params = stax.FanInSum().init_fn(0, [(2, 3), (2, 3)])
    assert (shape, params) == ((2, 3), ())
    assert stax.FanOut(2).init_fn(0, (2, 3))[0] == ((2, 3), (2, 3))


@pytest.mark.parametrize("shape", [(3,), (2, 0), (2, 3, 4, 5, 6), 5, "ab"])
def test_wrong_shapes(shape):
    with pytest.raises((ValueError, TypeError), match="input_shape"):
        stax.Dense(3).init_fn(0, shape)


def test_flatten_takes_images():
    assert stax.serial(stax.Flatten(), stax.Dense(3)).init_fn(0, (-1, 4, 5))[1][1][0].shape == (20, 3)


def test_weights_are_those_of_the_seed():
    """Drawn in the order of the layers: weights, then biases; (1, 5) in the standard parameterization scaled."""
    network = stax.serial(
        stax.Dense(3, b_std=0.1),
        stax.FanOut(2),
        stax.parallel(stax.Dense(2), stax.repeat(stax.Dense(2, 1.5, 0.2, parameterization="standard", s=(2, 1)), 2)),
        stax.FanInSum(),
        stax.BatchNorm(),
    )
    params = network.init_fn(np.random.default_rng(5), (-1, 4))[1]
    rng = np.random.default_rng(5)
    first = (rng.standard_normal((4, 3)), rng.standard_normal((1, 3)))
    left = rng.standard_normal((3, 2))
    right = [(rng.standard_normal((n, 2)), rng.standard_normal((1, 2))) for n in (3, 2)]
    np.testing.assert_array_equal(params[0][0], first[0])
    np.testing.assert_array_equal(params[0][1], first[1])
    np.testing.assert_array_equal(params[2][0][0], left)
    assert params[2][0][1] is None
    assert params[1] == params[3] == ()
    for n, (weights, bias), own in zip((3, 2), right, params[2][1], strict=True):
        np.testing.assert_allclose(own[0], weights * 1.5 / np.sqrt(n / 2), rtol=1e-15)
        np.testing.assert_allclose(own[1], bias * 0.2, rtol=1e-15)
    np.testing.assert_array_equal(params[4], [[1, 1], [0, 0]])


def test_other_distributions_of_convolutions():
    layer = stax.Conv(3, (2, 2), parameterization="standard", W_std=2.0)
    rng = np.random.default_rng(1)
    signs, _ = layer.init_fn(np.random.default_rng(1), (-1, 4, 4, 5), distribution="rademacher")[1]
    expected = (rng.integers(0, 2, (20, 3)) * 2.0 - 1).reshape(2, 2, 5, 3)
    np.testing.assert_allclose(signs, expected * 2 / np.sqrt(20), rtol=1e-15)
    blocks, _ = stax.Conv(3, (2, 2)).init_fn(1, (-1, 4, 4, 5), distribution="orthogonal")[1]
    for block in blocks.reshape(4, 5, 3):
        np.testing.assert_allclose(block.T @ block, 5 * np.eye(3), atol=1e-13)
