"""Checks of numbers that the functions here share, in the words of :mod:`ntkswift.stax`."""

from __future__ import annotations

from typing import Any

from ..stax import _checks

MOST_FREQUENCIES = 5_000
LARGEST_DIMENSION = 10_000


def dimension(value: Any, op: str) -> int:
    """The dimension d of the space around the sphere S^(d-1), 2 or more."""
    number = _checks.integer(value, op, "dimension", minimum=2)
    if number > LARGEST_DIMENSION:
        raise ValueError(f"[{op}] dimension must be at most {LARGEST_DIMENSION}. Received {number}.")
    return number


def frequency(value: Any, op: str, name: str = "max_frequency") -> int:
    """A frequency, 0 or more."""
    number = _checks.integer(value, op, name, minimum=0)
    if number > MOST_FREQUENCIES:
        raise ValueError(f"[{op}] {name} must be at most {MOST_FREQUENCIES}. Received {number}.")
    return number


def positive(value: Any, op: str, name: str) -> float:
    """A finite number above 0."""
    number = _checks.real(value, op, name)
    if number <= 0:
        raise ValueError(f"[{op}] {name} must be above 0. Received {value!r}.")
    return number


def kernel_name(value: Any, op: str) -> str:
    """ "ntk" or "nngp"."""
    if value not in ("ntk", "nngp"):
        raise ValueError(f'[{op}] get must be "ntk" or "nngp". Received {value!r}.')
    return str(value)
