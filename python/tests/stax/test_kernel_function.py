"""What kernel_fn takes and returns; the numbers are compared in tests/golden and tests/properties."""

import pickle

import numpy as np
import pytest

import ntkswift
from ntkswift import Kernel, stax

RNG = np.random.default_rng(0)
X1, X2 = RNG.standard_normal((5, 3)), RNG.standard_normal((4, 3))
NETWORK = stax.serial(stax.Dense(512, 1.5, 0.1), stax.Relu(), stax.Dense(7))
KERNEL_FN = NETWORK.kernel_fn


def test_get_decides_what_comes_back():
    kernel = KERNEL_FN(X1, X2)
    assert isinstance(kernel, Kernel)
    assert kernel.nngp.shape == kernel.ntk.shape == (5, 4)
    assert kernel.cov1.shape == (5,)
    assert kernel.cov2.shape == (4,)
    assert kernel.shape1 == (5, 7)
    assert kernel.shape2 == (4, 7)
    assert (kernel.x1_is_x2, kernel.is_gaussian, kernel.diagonal_batch) == (False, True, True)
    assert np.array_equal(KERNEL_FN(X1, X2, "ntk"), kernel.ntk)
    assert np.array_equal(KERNEL_FN(X1, X2, get="nngp"), kernel.nngp)
    assert np.array_equal(KERNEL_FN(X1, X2, "cov2"), kernel.cov2)
    several = KERNEL_FN(X1, X2, ("ntk", "nngp", "is_gaussian"))
    assert several._fields == ("ntk", "nngp", "is_gaussian")
    assert np.array_equal(several.nngp, kernel.nngp)
    assert several.is_gaussian is True


def test_get_may_stand_second():
    assert np.array_equal(KERNEL_FN(X1, "ntk"), KERNEL_FN(X1, None, "ntk"))
    assert KERNEL_FN(X1, ("nngp",))._fields == ("nngp",)
    with pytest.raises(TypeError, match="once"):
        KERNEL_FN(X1, "ntk", "nngp")


def test_same_inputs():
    kernel = KERNEL_FN(X1)
    assert kernel.x1_is_x2
    assert kernel.cov2 is None
    assert np.array_equal(kernel.ntk, kernel.ntk.T)
    assert np.array_equal(np.diag(kernel.nngp), kernel.cov1)
    assert KERNEL_FN(X1, X1).x1_is_x2


@pytest.mark.parametrize("get", ["ntkk", ("ntk", "ntk"), (), ("ntk", 3)])
def test_wrong_get(get):
    with pytest.raises(ValueError, match="get must"):
        KERNEL_FN(X1, X2, get)


@pytest.mark.parametrize(("option", "value"), [("pattern", X1), ("mask_constant", 0.0), ("diagonal_batch", False)])
def test_options_that_are_not_here_say_so(option, value):
    with pytest.raises(ValueError, match=option):
        KERNEL_FN(X1, X2, **{option: value})
    with pytest.raises(TypeError):
        KERNEL_FN(X1, X2, no_such_option=value)


def test_compatible_options():
    assert np.array_equal(
        KERNEL_FN(X1, X2, "ntk", diagonal_batch=True, diagonal_spatial=False), KERNEL_FN(X1, X2, "ntk")
    )


def test_dtypes():
    single = KERNEL_FN(X1.astype(np.float32), X2.astype(np.float32))
    assert single.nngp.dtype == single.ntk.dtype == np.float32
    assert single.cov1.dtype == np.float64
    assert KERNEL_FN(X1.astype(np.float32), X2, "ntk").dtype == np.float64
    whole = np.arange(6).reshape(2, 3)
    assert np.array_equal(KERNEL_FN(whole, "ntk"), KERNEL_FN(whole.astype(float), "ntk"))


def test_out(tmp_path):
    room = np.empty((5, 4))
    assert KERNEL_FN(X1, X2, "ntk", out=room) is room
    assert np.array_equal(room, KERNEL_FN(X1, X2, "ntk"))
    rooms = [np.empty((5, 4)), np.lib.format.open_memmap(tmp_path / "ntk.npy", "w+", np.float64, (5, 4))]
    both = KERNEL_FN(X1, X2, ("nngp", "ntk"), out=rooms)
    assert both.nngp is rooms[0]
    assert both.ntk is rooms[1]
    rooms[1].flush()
    assert np.array_equal(np.load(tmp_path / "ntk.npy"), room)
    symmetric = np.asfortranarray(np.empty((5, 5)))
    KERNEL_FN(X1, None, "nngp", out=symmetric)
    assert np.array_equal(symmetric, KERNEL_FN(X1, None, "nngp"))


def test_wrong_out():
    read_only = np.empty((5, 4))
    read_only.flags.writeable = False
    for room in (np.empty((4, 5)), np.empty((5, 4), np.float32), read_only):
        with pytest.raises(ValueError, match="out for ntk"):
            KERNEL_FN(X1, X2, "ntk", out=room)
    with pytest.raises(ValueError, match="one array for each"):
        KERNEL_FN(X1, X2, ("ntk", "nngp"), out=np.empty((5, 4)))
    square = RNG.standard_normal((3, 3))
    with pytest.raises(ValueError, match="share memory"):
        KERNEL_FN(square, None, "ntk", out=square)


def test_a_kernel_goes_on_where_it_ended():
    first, second = (
        stax.serial(stax.Dense(16, 1.5, 0.1), stax.Erf()),
        stax.serial(stax.Dense(8, 1.2), stax.Gelu(), stax.Dense(1)),
    )
    whole = stax.serial(first, second).kernel_fn
    for x2 in (X2, None):
        direct, stepped = whole(X1, x2), second.kernel_fn(first.kernel_fn(X1, x2))
        for name in ("nngp", "ntk", "cov1"):
            np.testing.assert_allclose(getattr(stepped, name), getattr(direct, name), rtol=1e-13)
        assert stepped.shape1 == direct.shape1
        assert stepped.is_gaussian == direct.is_gaussian
        np.testing.assert_allclose(second.kernel_fn(first.kernel_fn(X1, x2), get="ntk"), direct.ntk, rtol=1e-13)


def test_a_nonlinearity_may_follow_a_gaussian_kernel():
    first, second = stax.Dense(16, 1.5, 0.1), stax.serial(stax.Relu(), stax.Dense(3))
    stepped = second.kernel_fn(first.kernel_fn(X1, X2))
    np.testing.assert_allclose(stepped.ntk, stax.serial(first, second).kernel_fn(X1, X2, "ntk"), rtol=1e-13)


def test_a_tolerance_that_is_missed_is_told():
    with pytest.warns(RuntimeWarning, match="converge slowly"):
        stax.serial(stax.Dense(3), stax.ElementwiseNumerical(lambda x: np.maximum(x, 0), tol=1e-12)).kernel_fn(X1)


def test_a_kernel_carries_its_width():
    first, second = stax.serial(stax.Dense(16), stax.Relu()), stax.Dense(8, parameterization="standard")
    np.testing.assert_allclose(
        second.kernel_fn(first.kernel_fn(X1, X2), "ntk"),
        stax.serial(first, second).kernel_fn(X1, X2, "ntk"),
        rtol=1e-13,
    )


def test_kernels_that_do_not_fit():
    kernel = stax.serial(stax.Dense(16), stax.Relu()).kernel_fn(X1, X2)
    with pytest.raises(ValueError, match="Gaussian"):
        stax.Relu().kernel_fn(kernel)
    with pytest.raises(TypeError, match="no x2, out, plan or places"):
        stax.Dense(1).kernel_fn(kernel, X2)
    with pytest.raises(ValueError, match="NTK"):
        stax.Dense(1).kernel_fn(kernel.replace(ntk=None), "ntk")
    assert stax.Dense(1).kernel_fn(kernel.replace(ntk=None)).ntk is None
    with pytest.raises(ValueError, match="one row per entry"):
        stax.Dense(1).kernel_fn(kernel.replace(cov1=kernel.cov1[:-1]))


def test_kernel_record():
    kernel = KERNEL_FN(X1, X2)
    assert kernel.replace(ntk=None).ntk is None
    with pytest.raises(TypeError, match="ntkk"):
        kernel.replace(ntkk=None)
    assert kernel.asdict()["nngp"] is kernel.nngp
    assert kernel.astuple()[0] is kernel.nngp
    assert "nngp=<float64 array of shape (5, 4)" in repr(kernel)
    assert np.array_equal(pickle.loads(pickle.dumps(kernel)).ntk, kernel.ntk)
    with pytest.raises(AttributeError):
        kernel.ntk = None


def test_images_need_flatten():
    images = RNG.standard_normal((3, 4, 5))
    network = stax.serial(stax.Flatten(), stax.Dense(3), stax.Relu(), stax.Dense(1))
    assert np.array_equal(network.kernel_fn(images, "ntk"), network.kernel_fn(images.reshape(3, -1), "ntk"))
    with pytest.raises(ValueError, match="spatial layers are not part of this version"):
        KERNEL_FN(images)


def test_frozen_layers_add_nothing():
    first = stax.serial(stax.Dense(16, 1.5, 0.1, trainable=False), stax.Relu(), stax.Dense(1, 1.2, trainable=False))
    assert np.array_equal(first.kernel_fn(X1, X2, "ntk"), np.zeros((5, 4)))
    last = stax.serial(stax.Dense(16, 1.5, 0.1, trainable=False), stax.Relu(), stax.Dense(1, 1.2))
    kernels = last.kernel_fn(X1, X2)
    np.testing.assert_allclose(kernels.ntk, kernels.nngp, rtol=1e-14)


def test_dropout_in_train_mode_sees_equal_inputs():
    kernel_fn = stax.serial(stax.Dense(16), stax.Dropout(0.5), stax.Dense(1)).kernel_fn
    assert np.array_equal(kernel_fn(X1, X1.copy(), "ntk"), kernel_fn(X1, None, "ntk"))
    np.testing.assert_allclose(np.diag(kernel_fn(X1, "nngp")), 2 * np.diag(stax.Dense(16).kernel_fn(X1, "nngp")))


SHAPES = [
    (NETWORK, 7, 1, True),
    (
        stax.serial(stax.Dense(4), stax.FanOut(2), stax.parallel(stax.Dense(3), stax.Dense(5)), stax.FanInConcat()),
        8,
        1,
        False,
    ),
    (
        stax.serial(stax.Dense(4), stax.FanOut(3), stax.parallel(*[stax.Dense(2)] * 3), stax.FanInConcat(0)),
        2,
        3,
        True,
    ),
    (stax.serial(stax.Dense(4, parameterization="standard", s=(1, 3))), 12, 1, True),
    (stax.serial(stax.Dense(4), stax.Relu()), 4, 1, False),
]


@pytest.mark.parametrize(("network", "width", "blocks", "is_gaussian"), SHAPES)
def test_kernels_know_their_shape_and_law(network, width, blocks, is_gaussian):
    kernel = network.kernel_fn(X1, X2)
    assert kernel.shape1 == (5 * blocks, width)
    assert kernel.shape2 == (4 * blocks, width)
    assert kernel.nngp.shape == kernel.ntk.shape == (5 * blocks, 4 * blocks)
    assert kernel.is_gaussian is is_gaussian
    after = stax.Dense(7).kernel_fn(kernel)
    assert after.shape1 == (5 * blocks, 7)


@pytest.mark.parametrize(
    "layer", [stax.Relu(), stax.LayerNorm(), stax.serial(stax.FanOut(2), stax.FanInSum())], ids=repr
)
def test_given_kernels_must_be_gaussian_where_inputs_must(layer):
    kernel = stax.Dense(4).kernel_fn(X1)
    layer.kernel_fn(kernel)
    with pytest.raises(ValueError, match="Gaussian"):
        layer.kernel_fn(kernel.replace(is_gaussian=False))


def test_progress_and_memory_limit():
    with pytest.raises(MemoryError, match="bytes"):
        KERNEL_FN(X1, X2, memory_limit=1)
    with ntkswift.memory_limit(1), pytest.raises(MemoryError):
        KERNEL_FN(X1, X2)
    seen = []
    KERNEL_FN(RNG.standard_normal((3000, 10)), None, "ntk", progress=seen.append)
    assert all(0 <= fraction <= 1 for fraction in seen)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_diagonals_without_pairs(dtype):
    x = np.random.default_rng(0).standard_normal((130, 5)).astype(dtype)
    layers = (stax.Dense(8, 1.4, 0.2), stax.Erf(), stax.Dense(8, 1.2), stax.Dropout(0.8, "train"), stax.Dense(1))
    for network in (stax.serial(*layers), stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1))):
        kernel = network.kernel_fn(x)
        for name in ("nngp", "ntk"):
            diagonal = network.kernel_fn.diagonal(x, name)
            assert diagonal.dtype == np.float64
            rtol = 1e-13 if dtype == np.float64 else 1e-6
            np.testing.assert_allclose(diagonal, np.diagonal(getattr(kernel, name)), rtol=rtol)


def test_diagonals_of_joined_outputs():
    branches = [
        stax.serial(stax.Dense(4, w), layer, stax.Dense(1)) for w, layer in ((1.1, stax.Relu()), (0.7, stax.Sin()))
    ]
    network = stax.serial(stax.FanOut(2), stax.parallel(*branches), stax.FanInConcat(axis=0))
    x = np.random.default_rng(0).standard_normal((7, 3))
    np.testing.assert_allclose(network.kernel_fn.diagonal(x), np.diagonal(network.kernel_fn(x).ntk), rtol=1e-13)


def test_axes_before_flatten_are_read_where_they_stand():
    x = np.random.default_rng(0).standard_normal((9, 2, 3, 4))
    network = stax.serial(stax.Flatten(), stax.Dense(4), stax.Relu(), stax.Dense(1))
    for view in (x, x.transpose(0, 3, 1, 2), x[::2, ::-1], np.asfortranarray(x), x[:, :, :1], x[:, :0:-1, :, ::3]):
        flat = np.ascontiguousarray(view).reshape(len(view), -1)
        assert np.array_equal(network.kernel_fn(view).ntk, network.kernel_fn(flat).ntk)
    with pytest.raises(ValueError, match="2 axes"):
        network.kernel_fn(np.ones((2,) + 8 * (1,)))


def test_places_make_inputs_the_same():
    x = np.random.default_rng(0).standard_normal((20, 3))
    kernel_fn = stax.serial(stax.Dense(4), stax.Relu(), stax.Dropout(0.5, "train"), stax.Dense(1)).kernel_fn
    whole = kernel_fn(x, None, "nngp")
    apart = kernel_fn(x[:8], x[5:], "nngp")
    together = kernel_fn(x[:8], x[5:], "nngp", places=(0, 5))
    assert np.array_equal(together, whole[:8, 5:])
    assert np.array_equal(np.flatnonzero(together != apart), np.ravel_multi_index(([5, 6, 7], [0, 1, 2]), (8, 15)))
    for places, error in (((0,), TypeError), ((0, -1), ValueError), ((0, 1.5), TypeError)):
        with pytest.raises(error, match="places"):
            kernel_fn(x, x[5:], "nngp", places=places)
