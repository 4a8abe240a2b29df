"""Checks of numbers, flags and labels that callers pass, in one wording: ``[op] what is required. Received what.``

Arrays have :mod:`ntkswift._arrays`. Each function takes the value, the public function or class on whose behalf it is
checked, and the argument's name; it returns the value as a plain Python object.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

__all__ = [
    "axes",
    "axis",
    "between",
    "choice",
    "flag",
    "function",
    "instance",
    "integer",
    "mapping",
    "pair",
    "real",
    "seed_number",
    "tolerance",
    "words",
]

# Below what the core's integers and products of a few of them hold.
_LARGEST = 2**40 - 1
_LARGEST_SEED = 2**64 - 1

T = TypeVar("T")


def integer(value: Any, op: str, name: str, *, minimum: int = 1, maximum: int = _LARGEST) -> int:
    """`value` as an int within bounds; TypeError for what is no integer, ValueError beyond the bounds."""
    kind = {0: "a non-negative integer", 1: "a positive integer"}.get(minimum, f"an integer of at least {minimum}")
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"[{op}] {name} must be {kind}. Received {value!r}.")
    number = int(value)
    if number < minimum or number > max(maximum, _LARGEST):
        raise ValueError(f"[{op}] {name} must be {kind}. Received {value!r}.")
    if number > maximum:
        raise ValueError(f"[{op}] {name} must be at most {maximum}. Received {value!r}.")
    return number


def seed_number(value: Any, op: str, name: str = "seed") -> int:
    """`value` as a seed that is one word of 64 bits."""
    return integer(value, op, name, minimum=0, maximum=_LARGEST_SEED)


def real(
    value: Any,
    op: str,
    name: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
) -> float:
    """`value` as a finite float of at least `minimum`, more than `above`, at most `maximum`."""
    number = value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
    is_real = isinstance(number, numbers.Real) and not isinstance(number, (bool, np.bool_))
    if is_real:
        try:
            result = float(number)
        except OverflowError:
            result = math.inf
        too_small = (minimum is not None and result < minimum) or (above is not None and result <= above)
        if math.isfinite(result) and not too_small and (maximum is None or result <= maximum):
            return result
    bounds = [
        f"{sign} {bound:g}" for sign, bound in ((">=", minimum), (">", above), ("<=", maximum)) if bound is not None
    ]
    kind = " ".join(["a finite number", " and ".join(bounds)]).rstrip()
    error = ValueError if is_real else TypeError
    raise error(f"[{op}] {name} must be {kind}. Received {value!r}.")


def between(value: Any, op: str, name: str, *, least: float, most: float) -> float:
    """`value` as a float strictly between the bounds."""
    number = real(value, op, name)
    if not least < number < most:
        kind = "positive" if (least, most) == (0, math.inf) else f"between {least:g} and {most:g}"
        raise ValueError(f"[{op}] {name} must be {kind}. Received {value!r}.")
    return number


def tolerance(value: Any, op: str, name: str = "tol") -> float:
    """`value` as a float strictly between 0 and 1."""
    return between(value, op, name, least=0, most=1)


def flag(value: Any, op: str, name: str) -> bool:
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"[{op}] {name} must be True or False. Received {value!r}.")
    return bool(value)


def choice(value: Any, op: str, name: str, allowed: Iterable[str]) -> str:
    """`value` if it is one of the `allowed` words (the keys of a mapping)."""
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        *first, last = (f'"{word}"' for word in words)
        listed = f"{', '.join(first)} or {last}" if first else last
        raise ValueError(f"[{op}] {name} must be {listed}. Received {value!r}.")
    return value


def words(value: Any, op: str, name: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """`value` as words that are all `allowed` and differ: one of them, or a tuple or list."""
    known = tuple(allowed)
    given = (value,) if isinstance(value, str) else value
    is_known = isinstance(given, (tuple, list)) and all(isinstance(word, str) and word in known for word in given)
    if not is_known or not given or len(set(given)) != len(given):
        raise ValueError(f"[{op}] {name} must be one of {known}, or a tuple of them, each once. Received {value!r}.")
    return tuple(given)


def mapping(value: Any, op: str, name: str) -> Mapping[Any, Any]:
    """`value` if it is a mapping."""
    if not isinstance(value, Mapping):
        raise TypeError(f"[{op}] {name} must be a mapping, as a dict. Received {type(value).__name__}.")
    return value


def instance(value: Any, kind: type[T], op: str, name: str) -> T:
    """`value` if it is an object of class `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"[{op}] {name} must be a {kind.__name__}. Received {type(value).__name__}.")
    return value


def function(value: Any, op: str, name: str) -> Callable[..., Any] | None:
    """`value` if it is callable or None."""
    if value is not None and not callable(value):
        raise TypeError(f"[{op}] {name} must be a function or None. Received {value!r}.")
    return value


def axis(value: Any, op: str, name: str, *, allowed: dict[int, int]) -> int:
    """The canonical axis for `value`: `allowed` maps every axis that flat data have to it."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"[{op}] {name} must be an integer. Received {value!r}.")
    if int(value) not in allowed:
        choices = " or ".join(str(a) for a in allowed)
        raise ValueError(f"[{op}] {name} must be {choices} (inputs are flat: batch, channel). Received {value!r}.")
    return allowed[int(value)]


def axes(value: Any, op: str, name: str, *, rank: int, of: str) -> tuple[int, ...]:
    """The axes 0 ... rank - 1 that `value` names, an integer or a tuple or list of them, in its order."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    for number in given:
        is_integer = isinstance(number, numbers.Integral) and not isinstance(number, (bool, np.bool_))
        if not is_integer or not -rank <= int(number) < rank:
            raise ValueError(f"[{op}] {name} must be axes of {of}, which has {rank}. Received {value!r}.")
    return tuple(int(number) % rank for number in given)


def pair(value: Any, op: str, name: str) -> tuple[int, int]:
    """`value` as two positive integers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"[{op}] {name} must be two positive integers. Received {value!r}.")
    return integer(value[0], op, f"{name}[0]"), integer(value[1], op, f"{name}[1]")
