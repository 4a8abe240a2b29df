"""Checks of layer parameters, in one wording: ``[Layer] what is required. Received what.``"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def integer(value: Any, layer: str, name: str, *, minimum: int = 1, maximum: int | None = None) -> int:
    """`value` as an int from `minimum` to `maximum`; ValueError or TypeError naming layer and parameter otherwise."""
    kind = {0: "a non-negative integer", 1: "a positive integer"}.get(minimum, f"an integer of at least {minimum}")
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"[{layer}] {name} must be {kind}. Received {value!r}.")
    number = int(value)
    if not minimum <= number < 2**40:
        raise ValueError(f"[{layer}] {name} must be {kind}. Received {value!r}.")
    if maximum is not None and number > maximum:
        raise ValueError(f"[{layer}] {name} must be at most {maximum}. Received {value!r}.")
    return number


def real(value: Any, layer: str, name: str, *, minimum: float | None = None) -> float:
    """`value` as a finite float of at least `minimum`."""
    kind = "a finite number" if minimum is None else f"a finite number >= {minimum:g}"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"[{layer}] {name} must be {kind}. Received {value!r}.")
    if not math.isfinite(value) or (minimum is not None and value < minimum):
        raise ValueError(f"[{layer}] {name} must be {kind}. Received {value!r}.")
    return float(value)


def between(value: Any, layer: str, name: str, *, least: float, most: float) -> float:
    """`value` as a float strictly between the bounds."""
    number = real(value, layer, name)
    if not least < number < most:
        kind = "positive" if (least, most) == (0, math.inf) else f"between {least:g} and {most:g}"
        raise ValueError(f"[{layer}] {name} must be {kind}. Received {value!r}.")
    return number


def reals(value: Any, layer: str, name: str, *, counts: tuple[int, int]) -> tuple[float, ...]:
    """`value` as a tuple of finite floats, from counts[0] to counts[1] of them."""
    given = value.tolist() if isinstance(value, np.ndarray) else value
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not counts[0] <= len(given) <= counts[1]:
        how_many = f"{counts[0]}" if counts[0] == counts[1] else f"{counts[0]} to {counts[1]}"
        raise ValueError(f"[{layer}] {name} must be a sequence of {how_many} numbers. Received {value!r}.")
    return tuple(real(number, layer, f"{name}[{i}]") for i, number in enumerate(given))


def tolerance(value: Any, layer: str, name: str = "tol") -> float:
    """`value` as a float strictly between 0 and 1."""
    return between(value, layer, name, least=0, most=1)


def flag(value: Any, layer: str, name: str) -> bool:
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"[{layer}] {name} must be True or False. Received {value!r}.")
    return bool(value)


def function(value: Any, layer: str, name: str) -> Callable[..., Any] | None:
    """`value` if it is callable or None."""
    if value is not None and not callable(value):
        raise TypeError(f"[{layer}] {name} must be a function or None. Received {value!r}.")
    return value


def axis(value: Any, layer: str, name: str, *, allowed: dict[int, int]) -> int:
    """The canonical axis for `value`: `allowed` maps every axis that flat data have to it."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"[{layer}] {name} must be an integer. Received {value!r}.")
    if int(value) not in allowed:
        choices = " or ".join(str(a) for a in allowed)
        raise ValueError(f"[{layer}] {name} must be {choices} (inputs are flat: batch, channel). Received {value!r}.")
    return allowed[int(value)]


def pair(value: Any, layer: str, name: str) -> tuple[int, int]:
    """`value` as two positive integers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"[{layer}] {name} must be two positive integers. Received {value!r}.")
    return integer(value[0], layer, f"{name}[0]"), integer(value[1], layer, f"{name}[1]")
