"""Dimensions and frequencies within what the sums over frequencies can hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._checks import integer

MOST_FREQUENCIES = 5_000
LARGEST_DIMENSION = 10_000


def dimension(value: Any, op: str) -> int:
    """The dimension d of the space around the sphere S^(d-1), 2 or more."""
    return integer(value, op, "dimension", minimum=2, maximum=LARGEST_DIMENSION)


def frequency(value: Any, op: str, name: str = "max_frequency") -> int:
    """A frequency, 0 or more."""
    return integer(value, op, name, minimum=0, maximum=MOST_FREQUENCIES)


def check_energies(energies: Any, most: int, op: str) -> np.ndarray:
    """Energies as float64, not negative, at most `most` of them."""
    array = check_array(energies, "energies", ndim=1, dtype=np.float64, op=op)
    if (array < 0).any() or len(array) > most:
        raise ValueError(
            f"[{op}] energies must be 0 or more, one for each of at most {most} frequencies. "
            f"Received {len(array)} with a smallest of {array.min():.3g}."
        )
    return array
