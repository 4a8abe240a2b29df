"""Seeds: what is accepted wherever something random happens, and the one generator behind it (Philox4x64-10)."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

_AT_ONCE = 1 << 20


def generator(seed: Any, *, op: str = "ntkswift") -> np.random.Generator:
    """A NumPy generator for `seed`: None (fresh entropy), an int, a sequence of ints, a SeedSequence, a
    BitGenerator, or a Generator (returned as it is, so that its stream goes on). Everything else starts
    Philox4x64-10 afresh.

    NumPy's global random state is neither read nor changed.

    Examples
    --------
    >>> bool(generator(3).integers(10) == generator(np.random.SeedSequence(3)).integers(10))
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, np.random.BitGenerator):
        return np.random.Generator(seed)
    if isinstance(seed, np.random.RandomState):
        # scikit-learn's random_state: draw a seed from it, as its own estimators do.
        seed = int(seed.randint(np.iinfo(np.int32).max))
    return np.random.Generator(np.random.Philox(_sequence(seed, op)))


def standard_normal(random: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    """What ``random.standard_normal(shape)`` draws, a million numbers at a time, so that Ctrl-C need not wait for all.

    Examples
    --------
    >>> a, b = (generator(0) for _ in range(2))
    >>> bool((standard_normal(a, (2, 3)) == b.standard_normal((2, 3))).all())
    True
    """
    numbers = np.empty(shape)
    flat = numbers.reshape(-1)
    for first in range(0, flat.size, _AT_ONCE):
        random.standard_normal(out=flat[first : first + _AT_ONCE])
    return numbers


def philox_key(seed: Any, *, op: str = "ntkswift") -> tuple[int, int]:
    """Two 64-bit words that key a Philox stream of the core for `seed` (see :func:`generator` for what it may be)."""
    if isinstance(seed, (np.random.Generator, np.random.BitGenerator, np.random.RandomState)):
        words: Any = generator(seed, op=op).integers(0, 2**64, size=2, dtype=np.uint64)
    else:
        words = _sequence(seed, op).generate_state(2, np.uint64)
    return int(words[0]), int(words[1])


def _sequence(seed: Any, op: str) -> np.random.SeedSequence:
    # SeedSequence takes nested sequences too, and descends without end into one that holds itself.
    if seed is None or isinstance(seed, np.random.SeedSequence):
        return seed or np.random.SeedSequence()
    is_list = isinstance(seed, (list, tuple, range)) or (isinstance(seed, np.ndarray) and seed.dtype.kind in "iu")
    words = list(np.ravel(seed)) if isinstance(seed, np.ndarray) and is_list else list(seed) if is_list else [seed]
    if any(isinstance(word, (bool, np.bool_)) or not isinstance(word, numbers.Integral) for word in words):
        raise TypeError(_message(seed, op))
    if any(word < 0 for word in words):
        raise ValueError(_message(seed, op))
    return np.random.SeedSequence([int(word) for word in words] if is_list else int(words[0]))


def _message(seed: Any, op: str) -> str:
    return (
        f"[{op}] a seed must be None, a non-negative integer, a sequence of them, a SeedSequence or a Generator. "
        f"Received {seed!r}."
    )
