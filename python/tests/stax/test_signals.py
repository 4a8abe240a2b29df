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
