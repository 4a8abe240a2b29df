"""Arrays that come from a caller: what is accepted, what is refused, and in which words.

Every public function passes its array arguments through :func:`check_array`. Nothing here copies an array that is
already usable, and nothing here ever writes to one.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np

_CPU_DEVICES = (1,)  # DLPack's kDLCPU
_REAL_KINDS = "fiub"
_AT_ONCE = 1 << 20
# Entries between these have squares, and sums of many of them, in the range of float64.
_LEAST_ROOT, _LARGEST_ROOT = 2.0**-500, 2.0**500


def check_array(
    x: Any,
    name: str,
    *,
    ndim: int | tuple[int, ...] | None = 2,
    dtype: Any = None,
    finite: bool = True,
    squares: bool = False,
    min_rows: int = 1,
    min_cols: int = 1,
    op: str = "ntkswift",
) -> np.ndarray:
    """The array behind `x` as a float32 or float64 NumPy array in native byte order.

    Accepted are NumPy arrays of any layout (strided, Fortran, read-only, byte-swapped, unaligned, memory-mapped),
    objects with ``__dlpack__`` on the CPU (PyTorch among them), objects with ``__array__`` (pandas among them), and
    nested sequences of numbers. float32 stays float32; every other real type (bool, integers, float16, long double)
    becomes float64. An array that is already fit is returned as it is, without a copy; the input is never written to.

    Parameters
    ----------
    x : array_like
        What the caller passed.
    name : str
        The argument's name, for messages.
    ndim : int, tuple of int or None
        Accepted numbers of axes; None accepts any.
    dtype : dtype, optional
        Force this floating dtype.
    finite : bool
        Refuse NaN and infinities.
    squares : bool
        Also refuse arrays whose largest entry has no square in the range of float64.
    min_rows, min_cols : int
        Smallest lengths of the first and of every further axis.
    op : str
        The public function on whose behalf this is checked, for messages.

    Raises
    ------
    TypeError
        For complex, object, string or date arrays, sparse matrices, and arrays that are not in the memory of the CPU.
    ValueError
        For a wrong number of axes, too small a shape, ragged sequences, masked entries, NaN or infinity (naming the
        first bad index).

    Examples
    --------
    >>> check_array([[1, 2], [3, 4]], "x").dtype
    dtype('float64')
    >>> check_array([[1.0, float("nan")]], "x", op="fit")
    Traceback (most recent call last):
    ...
    ValueError: [fit] x must be finite, without NaN and inf. Received nan at index (0, 1) of shape (1, 2).
    """
    array = _real(_as_numpy(x, name, op), name, op, dtype)
    _check_shape(array, name, op, ndim, min_rows, min_cols)
    if finite:
        check_finite(array, name, op=op)
    if squares:
        _check_squares(array, name, op)
    return array


def unit_of(array: np.ndarray) -> float:
    """The power of two below the largest entry of a finite `array`; 1 where all are 0. To divide by it is exact."""
    return _power(float(np.abs(array).max())) if array.size else 1.0


def _power(size: float) -> float:
    return float(np.ldexp(1.0, int(np.frexp(size)[1]) - 1)) if size > 0 else 1.0


def _check_squares(array: np.ndarray, name: str, op: str) -> None:
    size = float(np.abs(array).max()) if array.size else 0.0
    if size != 0 and not _LEAST_ROOT <= size <= _LARGEST_ROOT:
        raise ValueError(
            f"[{op}] {name} must have a largest entry between {_LEAST_ROOT:.3g} and {_LARGEST_ROOT:.3g}, or be 0: squares of "
            f"it are used. Received {size:.3g}: divide {name} by {_power(size):.6g}, a power of two."
        )


def check_finite(array: np.ndarray, name: str, *, op: str = "ntkswift") -> None:
    """Raises ValueError naming the first NaN or infinity of `array`; returns nothing where there is none."""
    if array.size <= _AT_ONCE:
        index = _first_bad(array)
    else:
        index = None
        for rows in row_blocks(array):
            found = _first_bad(array[rows])
            if found is not None:
                index = (rows.start + found[0], *found[1:])
                break
    if index is not None:
        raise ValueError(
            f"[{op}] {name} must be finite, without NaN and inf. "
            f"Received {array[index]} at index {index} of shape {array.shape}."
        )


def _first_bad(array: np.ndarray) -> tuple[int, ...] | None:
    """The index of the first NaN or infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float64)
    if np.isfinite(total):  # no temporary for the usual case; a huge but finite array falls through
        return None
    finite = np.isfinite(array)
    if finite.all():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), array.shape))


def row_blocks(array: np.ndarray) -> Iterator[slice]:
    """Rows of `array`, about a million numbers at a time: temporaries stay small, and Ctrl-C need not wait for the whole."""
    at_once = max(1, _AT_ONCE * len(array) // max(1, array.size))
    for first in range(0, len(array), at_once):
        yield slice(first, first + at_once)


def check_widths(x1: np.ndarray, x2: np.ndarray, names: tuple[str, str], *, op: str = "ntkswift") -> None:
    """Raises ValueError unless both arrays have the same number of columns; the message shows both shapes."""
    if x1.shape[1:] != x2.shape[1:]:
        raise ValueError(
            f"[{op}] {names[0]} and {names[1]} must have the same number of features. "
            f"Received shapes {x1.shape} and {x2.shape}."
        )


def check_lengths(x: np.ndarray, y: np.ndarray, names: tuple[str, str], *, op: str = "ntkswift") -> None:
    """Raises ValueError unless both arrays have the same number of rows; the message shows both shapes."""
    if x.shape[:1] != y.shape[:1] or x.ndim == 0:
        raise ValueError(
            f"[{op}] {names[0]} and {names[1]} must have the same number of rows. "
            f"Received shapes {x.shape} and {y.shape}."
        )


def integers(x: Any, op: str, name: str) -> np.ndarray:
    """The whole numbers in a list or an array of one axis, as int64; TypeError for other types."""
    array = np.empty(()) if x is None else _as_numpy(x, name, op)
    if array.shape == (0,):
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array > np.iinfo(np.int64).max).any():
        raise TypeError(f"[{op}] {name} must be a list of integers. Received {x!r}.")
    return array.astype(np.int64)


def _as_numpy(x: Any, name: str, op: str) -> np.ndarray:
    if isinstance(x, np.ma.MaskedArray):
        if np.ma.is_masked(x):
            raise ValueError(
                f"[{op}] {name} must have no masked entries. Received {int(np.ma.count_masked(x))} of them."
            )
        return np.asarray(x.data)
    if isinstance(x, np.ndarray):
        return np.asarray(x)
    if hasattr(x, "nngp") and hasattr(x, "ntk"):
        raise TypeError(
            f"[{op}] {name} must be one matrix: pass its field ntk or nngp. Received a {type(x).__name__} with both."
        )
    if x is None or callable(x) or isinstance(x, (str, bytes, dict, set)):
        raise TypeError(f"[{op}] {name} must be an array of real numbers. Received {type(x).__name__}.")
    if hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__"):
        return _from_dlpack(x, name, op)
    if hasattr(x, "tocsr"):
        raise TypeError(f"[{op}] {name} must be a dense array (call .toarray()). Received sparse {type(x).__name__}.")
    try:
        return np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as error:
        raise type(error)(
            f"[{op}] {name} must be an array of real numbers. Received {type(x).__name__}: {error}"
        ) from error


def _from_dlpack(x: Any, name: str, op: str) -> np.ndarray:
    device = tuple(int(part) for part in x.__dlpack_device__())
    if device[0] not in _CPU_DEVICES:
        raise TypeError(
            f"[{op}] {name} must be in the memory of the CPU (move it there first). "
            f"Received {type(x).__name__} on device {getattr(x, 'device', device)}."
        )
    if getattr(x, "requires_grad", False):
        x = x.detach()
    try:
        return np.from_dlpack(x)
    except (TypeError, ValueError, RuntimeError, BufferError, AttributeError):
        pass  # some dtypes (bool in older NumPy) and wrappers only speak __array__
    try:
        return np.asarray(x)
    except Exception as error:
        raise TypeError(
            f"[{op}] {name} must be an array of real numbers. Received {type(x).__name__}: {error}"
        ) from error


def _real(array: np.ndarray, name: str, op: str, dtype: Any) -> np.ndarray:
    if array.dtype.kind == "O":
        raise TypeError(f"[{op}] {name} must be an array of real numbers. Received {_first_other(array)}.")
    if array.dtype.kind not in _REAL_KINDS:
        raise TypeError(f"[{op}] {name} must be an array of real numbers. Received dtype {array.dtype}.")
    if dtype is None:
        dtype = np.float32 if array.dtype.itemsize == 4 and array.dtype.kind == "f" else np.float64
    target = np.dtype(dtype)
    if array.dtype != target or not array.dtype.isnative:
        with np.errstate(over="ignore"):
            array = array.astype(target)
    # The core counts strides in whole elements of aligned memory.
    if not array.flags.aligned or any(stride % target.itemsize for stride in array.strides):
        array = array.copy()
    return array


def _first_other(array: np.ndarray) -> str:
    """What in an array of objects is no number."""
    for index, value in np.ndenumerate(array):
        if not isinstance(value, numbers.Real):
            kind = "None" if value is None else type(value).__name__
            return f"{kind} at index {tuple(int(i) for i in index)}" if index else kind
    return "an array of objects"


def _check_shape(
    array: np.ndarray, name: str, op: str, ndim: int | tuple[int, ...] | None, min_rows: int, min_cols: int
) -> None:
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        axes = " or ".join(str(n) for n in allowed)
        hint = ""
        if allowed == (2,) and array.ndim == 1:
            hint = " Use x[:, None] for one feature or x[None, :] for one sample."
        raise ValueError(f"[{op}] {name} must have {axes} axes. Received an array of shape {array.shape}.{hint}")
    if array.ndim > 0 and array.shape[0] < min_rows:
        raise ValueError(f"[{op}] {name} must have at least {min_rows} rows. Received an array of shape {array.shape}.")
    if any(length < min_cols for length in array.shape[1:]):
        raise ValueError(
            f"[{op}] {name} must have at least {min_cols} columns. Received an array of shape {array.shape}."
        )
