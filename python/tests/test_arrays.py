"""Arrays that come from callers: accepted layouts, refused contents, and the words of the refusals."""

import re

import numpy as np
import pytest

from ntkswift._arrays import check_array, check_lengths, check_widths
from ntkswift._random import generator, philox_key

BASE = np.arange(24.0).reshape(4, 6)


def _layouts(tmp_path):
    unaligned = np.frombuffer(b"x" + BASE.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(4, 6)
    field = np.zeros((4, 6), dtype=[("flag", "i1"), ("value", "f8")])
    field["value"] = BASE
    np.save(tmp_path / "x.npy", BASE)
    read_only = BASE.copy()
    read_only.flags.writeable = False
    return {
        "C": BASE,
        "Fortran": np.asfortranarray(BASE),
        "reversed": BASE[::-1, ::-1].copy()[::-1, ::-1],
        "strided": np.repeat(np.repeat(BASE, 2, 0), 3, 1)[::2, ::3],
        "byte-swapped": BASE.astype(BASE.dtype.newbyteorder()),
        "unaligned": unaligned,
        "field of records": field["value"],
        "read-only": read_only,
        "memory map": np.load(tmp_path / "x.npy", mmap_mode="r"),
        "list": BASE.tolist(),
    }


def test_layouts(tmp_path):
    for name, x in _layouts(tmp_path).items():
        array = check_array(x, "x")
        assert array.dtype == np.float64, name
        assert array.dtype.isnative, name
        assert array.flags.aligned, name
        assert np.array_equal(array, BASE), name


def test_usable_arrays_are_not_copied():
    for x in (BASE, BASE.T, BASE[::2], BASE.astype(np.float32)):
        assert np.shares_memory(check_array(x, "x"), x)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.longdouble])
def test_other_real_types_become_float64(dtype):
    assert check_array(np.ones((2, 2), dtype), "x").dtype == np.float64


def test_float32_stays():
    assert check_array(np.ones((2, 2), np.float32), "x").dtype == np.float32
    assert check_array(np.ones((2, 2), ">f4"), "x").dtype == np.float32


@pytest.mark.parametrize(
    "x",
    [
        np.ones((2, 2), complex),
        np.array([["a", "b"]]),
        np.array([[object(), None]]),
        np.array([["2020-01-01"]], dtype="M8[D]"),
        "text",
        None,
        {"a": 1},
    ],
    ids=["complex", "string", "object", "date", "str", "None", "dict"],
)
def test_types_that_are_not_numbers(x):
    with pytest.raises(TypeError, match=r"\[op\] x must be an array of real numbers"):
        check_array(x, "x", op="op")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_not_finite(bad, dtype):
    x = np.ones((5, 3), dtype)
    x[3, 1] = bad
    x[4, 2] = np.nan
    with pytest.raises(ValueError, match=r"x must be finite.* at index \(3, 1\) of shape \(5, 3\)"):
        check_array(x, "x")
    assert check_array(x, "x", finite=False) is x


def test_huge_numbers_are_finite():
    x = np.full((2, 2), np.finfo(float).max)
    assert check_array(x, "x") is x


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (), (0, 3), (3, 0)])
def test_shapes(shape):
    with pytest.raises(ValueError, match=rf"\[op\] x .*{str(shape).replace('(', '.').replace(')', '.')}"):
        check_array(np.ones(shape), "x", op="op")


def test_ragged_masked_and_sparse():
    with pytest.raises(ValueError, match="x must be an array"):
        check_array([[1, 2], [3]], "x")
    with pytest.raises(ValueError, match="masked"):
        check_array(np.ma.masked_array(BASE, BASE > 5), "x")
    assert np.array_equal(check_array(np.ma.masked_array(BASE), "x"), BASE)
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="dense"):
        check_array(sparse.csr_matrix(BASE), "x")


class _OnTheGPU:
    device = "cuda:0"

    def __dlpack__(self, **_):
        raise AssertionError("the device must be asked first")

    def __dlpack_device__(self):
        return (2, 0)


def test_dlpack():
    class Box:
        def __dlpack__(self, **how):
            return BASE.__dlpack__(**how)

        def __dlpack_device__(self):
            return BASE.__dlpack_device__()

    assert np.shares_memory(check_array(Box(), "x"), BASE)
    with pytest.raises(TypeError, match=r"memory of the CPU.*cuda:0"):
        check_array(_OnTheGPU(), "x")


def test_torch():
    torch = pytest.importorskip("torch")
    x = torch.arange(6.0).reshape(2, 3)
    assert np.array_equal(check_array(x, "x"), x.numpy())
    assert check_array(x, "x").dtype == np.float32
    assert check_array(x.requires_grad_(), "x").shape == (2, 3)
    assert check_array(torch.ones(2, 2, dtype=torch.bool), "x").dtype == np.float64


def test_two_arrays():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(4, 5\)"):
        check_widths(np.ones((2, 3)), np.ones((4, 5)), ("a", "b"))
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(4,\)"):
        check_lengths(np.ones((2, 3)), np.ones(4), ("a", "b"))


def test_seeds():
    for seed in (3, [1, 2], np.array([1, 2]), np.random.SeedSequence(3), np.int64(3)):
        assert generator(seed).integers(1000, size=3).tolist() == generator(seed).integers(1000, size=3).tolist()
        assert philox_key(seed) == philox_key(seed)
    assert philox_key(None) != philox_key(None)
    own = np.random.default_rng(1)
    assert generator(own) is own
    assert philox_key(own) != philox_key(own)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    philox_key(np.random.RandomState(0))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    for seed in (-1, "a", 1.5, np.array([0.5])):
        with pytest.raises((TypeError, ValueError), match="seed"):
            generator(seed)


@pytest.mark.parametrize("place", [(0, 0), (1500, 999), (2999, 0)])
def test_the_first_bad_number_of_a_large_array_is_named(place):
    x = np.ones((3000, 1000))
    x[place] = np.inf
    x[2999, 999] = np.nan
    with pytest.raises(ValueError, match=re.escape(f"Received inf at index {place} of shape (3000, 1000)")):
        check_array(x, "x")
    # Sums that overflow hide nothing and accuse nobody.
    x[place], x[2999, 999] = 1e308, 1e308
    x[0] = 1e308
    assert check_array(x, "x") is x
