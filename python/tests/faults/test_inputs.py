"""RELIABILITY 1 to 5: contents, shapes, types and layouts of every array that a public function takes."""

import gc

import numpy as np
import pytest


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_not_finite(case, argument, bad, dtype):
    x = case.values[argument].astype(dtype)
    index = tuple(min(i, n - 1) for i, n in zip((2, 1), x.shape, strict=False))
    x[index] = bad
    place = ", ".join(str(i) for i in index)
    with pytest.raises(ValueError, match=rf"{argument} must be finite, without NaN and inf\..* at index \({place},?\)"):
        case.run(**{argument: x})


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (3,), (4, 3, 2)])
def test_shapes(case, argument, shape):
    x = np.ones(shape)
    if case.values[argument].ndim == 1 and x.ndim == 1:
        pytest.skip("targets have one axis")
    with pytest.raises(ValueError, match=r"shape|array|length|axes"):
        case.run(**{argument: x})


def test_other_width(case):
    for name in case.features:
        with pytest.raises(ValueError, match=r"shape|features"):
            case.run(**{name: np.ones((4, 7))})


def test_other_length(case):
    if "y" not in case.values:
        pytest.skip("no targets")
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples|number of rows|must have"):
        case.run(y=case.values["y"][:-1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, bool, np.longdouble])
def test_real_types(case, dtype):
    if any("train_train" in name for name in case.values) or "is_gram" in case.name:
        pytest.skip("a kernel of rounded numbers is none")
    values = {name: (np.round(4 * x) % 3).astype(dtype) for name, x in case.values.items()}
    if case.is_estimator and "y" in values:
        values["y"] = case.values["y"]
    result = case.run(**values)
    expected = case.run(**{name: x.astype(np.float64) for name, x in values.items()})
    if dtype is np.float32 and case.name.startswith(("kernel_fn", "apply_fn", "predict")):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    else:
        assert np.array_equal(result, expected)


def test_float32_in_float32_out(case):
    if case.name not in ("kernel_fn(x1)", "apply_fn"):
        pytest.skip("estimators compute in float64")
    assert case.run(**{name: x.astype(np.float32) for name, x in case.values.items()}).dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.astype(complex),
        lambda x: np.full(x.shape, "a"),
        lambda x: np.full(x.shape, None),
        lambda x: np.full(x.shape, np.datetime64("2020-01-01")),
    ],
    ids=["complex", "string", "object", "date"],
)
def test_types_that_are_not_real(case, argument, make):
    if case.is_estimator and argument == "y" and "Classifier" in case.name:
        pytest.skip("labels may be anything")
    if case.is_estimator and make(np.zeros(1)).dtype.kind == "M":
        pytest.skip("scikit-learn takes dates for numbers")
    with pytest.raises((TypeError, ValueError)):
        case.run(**{argument: make(case.values[argument])})


def _layouts(x, folder):
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(x.shape)
    unaligned[...] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    np.save(folder / "x.npy", x)
    return {
        "Fortran": np.asfortranarray(x),
        "negative strides": x[::-1].copy()[::-1],
        "slice": np.repeat(x, 3, axis=0)[::3],
        "wide slice": np.ascontiguousarray(np.stack([x, x], axis=-1))[..., 0],
        "byte-swapped": x.astype(x.dtype.newbyteorder()),
        "unaligned": unaligned,
        "read-only": read_only,
        "memory map": np.load(folder / "x.npy", mmap_mode="r"),
        "list": x.tolist(),
    }


def test_layouts_give_the_same_bits_and_stay_as_they_are(case, argument, tmp_path):
    expected = case.run()
    for name, x in _layouts(case.values[argument], tmp_path).items():
        before = np.array(x)
        assert np.array_equal(case.run(**{argument: x}), expected), name
        assert np.array_equal(np.array(x), before), name


class _Exporter:
    """An array that is reachable through DLPack only."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **how):
        return self.array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class _OnGPU(_Exporter):
    def __dlpack_device__(self):
        return (2, 0)


def test_dlpack(case):
    if case.is_estimator:
        pytest.skip("scikit-learn decides what its estimators take")
    for name, x in case.values.items():
        assert np.array_equal(case.run(**{name: _Exporter(x)}), case.run())
        with pytest.raises(TypeError, match="memory of the CPU"):
            case.run(**{name: _OnGPU(x)})


def test_a_source_that_only_the_call_keeps_alive(case):
    def temporary(x):
        gc.collect()
        return _Exporter(x.copy())

    if case.is_estimator:
        pytest.skip("scikit-learn decides what its estimators take")
    gc.freeze()  # of all that was there before, nothing may go; so it need not be searched
    try:
        assert np.array_equal(case.run(**{name: temporary(x) for name, x in case.values.items()}), case.run())
    finally:
        gc.unfreeze()


def test_torch(case):
    torch = pytest.importorskip("torch")
    values = {name: torch.from_numpy(x.copy()) for name, x in case.values.items()}
    assert np.array_equal(case.run(**values), case.run())
