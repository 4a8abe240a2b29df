"""What a caller may pass by mistake: values of every other type, and arrays that are almost right."""

from __future__ import annotations

import decimal
import fractions
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ntkswift import curvature, stax
from ntkswift.training import Constant, EarlyStopping


def _itself() -> list[Any]:
    nested: list[Any] = [1]
    nested.append(nested)
    return nested


def _its_own_value() -> dict[str, Any]:
    nested: dict[str, Any] = {}
    nested["nested"] = nested
    return nested


def _raises(*arguments: Any) -> Any:
    raise RuntimeError("the caller's own error")


class Hostile:
    """An object whose attributes are there and make no sense."""

    shape = ("a", -1)
    dtype = "nothing"
    ndim = 2

    def __len__(self) -> int:
        return 3

    def __repr__(self) -> str:
        return "Hostile()"


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


# By the name that is announced; made anew for each call.
ANYTHING: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "0": lambda: 0,
    "-1": lambda: -1,
    "1": lambda: 1,
    "7": lambda: 7,
    "2**31": lambda: 2**31,
    "2**40": lambda: 2**40,
    "2**63": lambda: 2**63,
    "2**64": lambda: 2**64,
    "-2**70": lambda: -(2**70),
    "10**400": lambda: 10**400,
    "0.5": lambda: 0.5,
    "-0.0": lambda: -0.0,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: -float("inf"),
    "1e308": lambda: 1e308,
    "5e-324": lambda: 5e-324,
    "1e-100": lambda: 1e-100,
    "1e100": lambda: 1e100,
    "1j": lambda: 1j,
    "''": lambda: "",
    "'word'": lambda: "word",
    "'ntk'": lambda: "ntk",
    "'\\0\\ud800'": lambda: "\0\ud800",
    "b'bytes'": lambda: b"bytes",
    "[]": list,
    "()": lambda: (),
    "(1,)": lambda: (1,),
    "(1, 2)": lambda: (1, 2),
    "(1, 2, 3, 4)": lambda: (1, 2, 3, 4),
    "('nngp', 'ntk')": lambda: ("nngp", "ntk"),
    "[None]": lambda: [None],
    "[[], [1]]": lambda: [[], [1]],
    "[[1.0, 2.0], [3.0]]": lambda: [[1.0, 2.0], [3.0]],
    "((), (), ())": lambda: ((), (), ()),
    "{}": dict,
    "{'a': 1}": lambda: {"a": 1},
    "{1: nan}": lambda: {1: float("nan")},
    "set()": set,
    "range(3)": lambda: range(3),
    "a generator": lambda: (k for k in range(3)),
    "a list in itself": _itself,
    "a mapping in itself": _its_own_value,
    "object()": object,
    "Hostile()": Hostile,
    "type": lambda: int,
    "a function of anything": lambda: lambda *arguments, **keywords: None,
    "a function that raises": lambda: _raises,
    "a function of no argument": lambda: lambda: 1.0,
    "Path": lambda: pathlib.Path("no/such/folder/file"),
    "Fraction": lambda: fractions.Fraction(1, 3),
    "Decimal": lambda: decimal.Decimal("NaN"),
    "np.float32(2)": lambda: np.float32(2),
    "np.int8(3)": lambda: np.int8(3),
    "np.bool_": lambda: np.bool_(True),
    "np.datetime64": lambda: np.datetime64("2020-01-01"),
    "SeedSequence": lambda: np.random.SeedSequence(3),
    "Generator": lambda: np.random.default_rng(3),
    "RandomState": lambda: np.random.RandomState(3),
    "PCG64": lambda: np.random.PCG64(3),
    "array of 0 axes": lambda: np.array(2.0),
    "array of 3 axes": lambda: np.ones((2, 2, 2)),
    "array (0,)": lambda: np.empty(0),
    "array (0, 3)": lambda: np.empty((0, 3)),
    "array (3, 0)": lambda: np.empty((3, 0)),
    "array of objects": lambda: np.array([[1.0, None], ["a", object()]], dtype=object),
    "array of words": lambda: np.array([["a", "b"]]),
    "array of records": lambda: np.zeros(3, dtype=[("a", float), ("b", int)]),
    "array of seeds": lambda: np.arange(4, dtype=np.uint32),
    "masked": lambda: np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    "np.ma.masked": lambda: np.ma.masked,
    "matrix": lambda: np.matrix([[1.0, 2.0], [3.0, 4.0]]),
    "a layer": stax.Relu,
    "a network": lambda: stax.serial(stax.Dense(3), stax.Relu(), stax.Dense(1)),
    "a kernel function": lambda: stax.serial(stax.Dense(3)).kernel_fn,
    "a record": lambda: stax.serial(stax.Dense(3)).kernel_fn(np.eye(3)),
    "a Tracker": curvature.Tracker,
    "a schedule": Constant,
    "a stop": EarlyStopping,
}


def _with(x: np.ndarray, value: float) -> np.ndarray:
    y = np.array(x, np.float64)
    y.flat[-1 if y.size else 0 :] = value
    return y


# Arrays made of the one that is expected.
ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "with NaN": lambda x: _with(x, np.nan),
    "with inf": lambda x: _with(x, -np.inf),
    "with 1e200": lambda x: _with(x, 1e200),
    "zeros": np.zeros_like,
    "all the same": np.ones_like,
    "times 1e-120": lambda x: x * 1e-120,
    "times 1e120": lambda x: x * 1e120,
    "times 1e300": lambda x: x * 1e300,
    "times 1e-310": lambda x: x * 1e-310,
    "negative": lambda x: -x,
    "float32 times 1e15": lambda x: (x * 1e15).astype(np.float32),
    "float32 times 1e-15": lambda x: (x * 1e-15).astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "long double": lambda x: x.astype(np.longdouble),
    "integers": lambda x: np.round(3 * x).astype(np.int64),
    "booleans": lambda x: x > 0,
    "complex": lambda x: x + 0j,
    "objects": lambda x: x.astype(object),
    "words": lambda x: x.astype(str),
    "masked": lambda x: np.ma.masked_less(x, 0.5),
    "masked without masked": np.ma.masked_array,
    "swapped bytes": lambda x: x.astype(x.dtype.newbyteorder()),
    "Fortran's order": np.asfortranarray,
    "strided": lambda x: (
        np.repeat(np.repeat(x, 2, axis=0), 3, axis=-1)[::2, ..., ::3] if x.ndim > 1 else np.repeat(x, 2)[::2]
    ),
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "read-only": lambda x: _frozen(x.copy()),
    "unaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "broadcast": lambda x: np.broadcast_to(x.ravel()[:1].reshape((1,) * x.ndim), x.shape),
    "list": lambda x: x.tolist(),
    "transposed": lambda x: x.T,
    "one row less": lambda x: x[:-1],
    "one row": lambda x: x[:1],
    "no row": lambda x: x[:0],
    "one column less": lambda x: x[..., :-1],
    "one axis more": lambda x: x[..., None],
    "one axis": np.ravel,
    "twice the row": lambda x: np.repeat(x[:1], len(x), axis=0),
}


def draw(rng: np.random.Generator, example: Any) -> tuple[str, Any]:
    """A hostile value in place of `example`, and its name."""
    if isinstance(example, np.ndarray) and example.dtype.kind == "f" and rng.random() < 0.7:
        name = str(rng.choice(list(ARRAYS)))
        with np.errstate(all="ignore"):
            return f"the array, {name}", ARRAYS[name](example)
    if isinstance(example, tuple) and example and rng.random() < 0.4:
        # The same nesting with one hostile leaf, or cut short.
        place = int(rng.integers(len(example)))
        if rng.random() < 0.3:
            return f"the tuple up to {place}", example[:place]
        name, inner = draw(rng, example[place])
        return f"at [{place}] {name}", (*example[:place], inner, *example[place + 1 :])
    name = str(rng.choice(list(ANYTHING)))
    return name, ANYTHING[name]()
