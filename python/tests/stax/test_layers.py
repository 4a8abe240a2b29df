"""Layers as values: what they accept, how they print, how they become op tables."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from ntkswift import stax
from ntkswift._core import OpKind
from ntkswift.stax._nonlinearity import catalogue
from ntkswift.stax._op_table import op_table

NETWORKS = [
    stax.Dense(3),
    stax.Dense(512, W_std=1.5, b_std=0.0, parameterization="standard", s=(2, 3), trainable=False),
    stax.serial(),
    stax.serial(stax.Dense(512, 1.5), stax.Relu(), stax.Dense(1)),
    stax.repeat(stax.serial(stax.Dense(64, b_std=0.1), stax.Erf(b=2)), 7),
    stax.serial(stax.FanOut(2), stax.parallel(stax.Identity(), stax.Dense(4)), stax.FanInSum()),
    stax.serial(stax.Dense(4), stax.LayerNorm(eps=1e-6), stax.Dropout(0.9, mode="test"), stax.Flatten()),
    stax.FanInConcat(0),
    stax.FanInConcat(),
    stax.FanInProd(),
    stax.LeakyRelu(0.1),
    stax.ABRelu(-0.5, 1.0, do_stabilize=True),
    stax.Polynomial([1, -2.5]),
    stax.Polynomial(np.array([1, -2.5, 3])),
    stax.Hermite(4),
    stax.Monomial(6),
    stax.RectifiedMonomial(2),
    stax.Elu(alpha=0.3, tol=1e-6),
    stax.ExpNormalized(gamma=2.0),
    *(
        stax.activation(name)
        for name in ("abs", "cos", "gelu", "rbf", "sign", "step", "tanh", "selu", "swish", "softplus")
    ),
]


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_repr_pickle_copy_and_hash(network):
    assert eval(repr(network), vars(stax)) == network
    for twin in (pickle.loads(pickle.dumps(network)), copy.copy(network), copy.deepcopy(network)):
        assert twin == network
        assert hash(twin) == hash(network)
        assert repr(twin) == repr(network)


def test_repr_leaves_defaults_out():
    assert repr(stax.serial(stax.Dense(512, W_std=1.5), stax.Relu(), stax.Dense(1))) == (
        "serial(Dense(512, W_std=1.5), Relu(), Dense(1))"
    )
    assert repr(stax.Dense(1, b_std=None, W_std=1)) == "Dense(1)"


def test_long_networks_print_one_layer_per_line():
    text = repr(stax.serial(*[stax.Dense(512, W_std=1.5), stax.Gelu()] * 4))
    assert text.splitlines()[:2] == ["serial(", "    Dense(512, W_std=1.5),"]


def test_layers_are_immutable():
    layer = stax.Dense(4)
    for change in (
        lambda: setattr(layer, "out_dim", 5),
        lambda: setattr(layer, "W_std", 2.0),
        lambda: setattr(layer, "colour", "red"),
        lambda: delattr(layer, "out_dim"),
        lambda: setattr(stax.Relu(), "colour", "red"),
        lambda: setattr(copy.copy(layer), "out_dim", 5),
    ):
        with pytest.raises(FrozenInstanceError):
            change()
    assert layer == stax.Dense(4)
    assert replace(layer, out_dim=5) == stax.Dense(5)


def test_layers_compare_by_value():
    assert stax.Dense(3) != stax.Dense(4)
    assert stax.Relu() != stax.Abs()
    assert len({stax.Dense(3), stax.Dense(3), stax.Dense(3, 2.0)}) == 2


def test_networks_unpack_into_three_functions():
    network = stax.serial(stax.Dense(3), stax.Relu())
    init_fn, apply_fn, kernel_fn = network
    assert kernel_fn == network.kernel_fn == network[2]
    assert init_fn.layer is apply_fn.layer is network
    assert len(network) == 3
    assert stax.serial((init_fn, apply_fn, kernel_fn), stax.Dense(1)) == stax.serial(network, stax.Dense(1))
    assert pickle.loads(pickle.dumps(kernel_fn)) == kernel_fn


WRONG = [
    (lambda: stax.Dense(-3), ValueError, r"\[Dense\] out_dim must be a positive integer. Received -3\."),
    (lambda: stax.Dense(2.5), TypeError, r"out_dim must be a positive integer. Received 2\.5"),
    (lambda: stax.Dense(True), TypeError, "out_dim"),
    (lambda: stax.Dense(3, W_std=float("nan")), ValueError, "W_std must be a finite number >= 0"),
    (lambda: stax.Dense(3, W_std="1"), TypeError, "W_std"),
    (lambda: stax.Dense(3, b_std=-1), ValueError, "b_std"),
    (lambda: stax.Dense(3, channel_axis=2), ValueError, "channel_axis must be -1 or 1"),
    (lambda: stax.Dense(3, parameterization="ntp"), ValueError, "parameterization"),
    (lambda: stax.Dense(3, s=(1, 0)), ValueError, r"s\[1\]"),
    (lambda: stax.Dense(3, trainable=1), TypeError, "trainable"),
    (lambda: stax.Dropout(0.0), ValueError, "rate"),
    (lambda: stax.Dropout(0.5, mode="eval"), ValueError, "mode"),
    (lambda: stax.LayerNorm(axis=0), ValueError, "axis"),
    (lambda: stax.LayerNorm(axis=(0, 1)), ValueError, "channel axis"),
    (lambda: stax.FanOut(0), ValueError, "num"),
    (lambda: stax.FanInConcat(2), ValueError, "axis"),
    (lambda: stax.Flatten(batch_axis=1), ValueError, "batch_axis"),
    (lambda: stax.Hermite(-1), ValueError, "degree"),
    (lambda: stax.Monomial(65), ValueError, "at most 64"),
    (lambda: stax.Polynomial([]), ValueError, "coef"),
    (lambda: stax.Polynomial([1, float("inf")]), ValueError, r"coef\[1\]"),
    (lambda: stax.Rbf(-1), ValueError, "gamma"),
    (lambda: stax.Tanh(tol=0), ValueError, "tol"),
    (lambda: stax.Elementwise(), ValueError, "needs fn"),
    (lambda: stax.Elementwise(fn=3), TypeError, "fn must be a function"),
    (lambda: stax.ElementwiseNumerical(np.tanh, deg=0), ValueError, "deg"),
    (lambda: stax.ElementwiseNumerical(None), TypeError, "fn must be a function"),
    (lambda: stax.serial(stax.Relu), TypeError, r"Did you mean Relu\(\)\?"),
    (lambda: stax.serial(3), TypeError, "needs layers"),
    (lambda: stax.repeat(stax.Relu(), -1), ValueError, "n must be a non-negative integer"),
    (lambda: stax.activation("rely"), ValueError, "relu"),
]


@pytest.mark.parametrize(("make", "error", "message"), WRONG, ids=[message for _, _, message in WRONG])
def test_wrong_parameters_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_numpy_numbers_are_numbers():
    assert stax.Dense(np.int64(3), W_std=np.float32(1.5)) == stax.Dense(3, W_std=1.5)


def test_op_table_is_postfix():
    network = stax.serial(
        stax.Dense(8, 1.5, 0.1, trainable=False),
        stax.FanOut(2),
        stax.parallel(stax.Relu(), stax.serial(stax.Monomial(2), stax.Dense(4, parameterization="standard", s=(2, 3)))),
        stax.FanInConcat(0),
    )
    ops, integers, reals = op_table(network).arrays()
    assert ops[:, 0].tolist() == [
        int(OpKind.DENSE),
        int(OpKind.FAN_OUT),
        catalogue()["ABRelu"].code,
        catalogue()["Polynomial"].code,
        int(OpKind.DENSE),
        int(OpKind.SERIAL),
        int(OpKind.PARALLEL),
        int(OpKind.FAN_IN_CONCAT),
        int(OpKind.SERIAL),
    ]
    assert ops[:, 1].tolist() == [0, 0, 0, 0, 0, 2, 2, 0, 4]
    parts = [
        (integers[first : first + count].tolist(), reals[start : start + length].tolist())
        for first, count, start, length in ops[:, 2:].tolist()
    ]
    assert parts[:5] == [
        ([8, 1 | 4, 1, 1], [1.5, 0.1]),
        ([2], []),
        ([], [0, 1]),
        ([], [0, 0, 1]),
        ([4, 2, 2, 3], [1, 0]),
    ]
    assert parts[7] == ([0], [])
    assert op_table(network).activations == 2


def test_every_public_name_is_documented():
    for name in stax.__all__:
        assert getattr(stax, name).__doc__, name


# What other packages of ntkswift take from here, besides the public names.
SHARED = {
    "FiniteNetwork",
    "KernelFunction",
    "Parallel",
    "Repeat",
    "Serial",
    "as_entry",
    "finite_network",
    "op_table",
    "resntk",
}


def test_exports_are_what_all_says():
    public = {
        name for name, value in vars(stax).items() if not name.startswith("_") and not isinstance(value, type(stax))
    }
    assert public == set(stax.__all__) | SHARED
