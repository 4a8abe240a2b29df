"""What is trained: the word for it that every training algorithm takes."""

from __future__ import annotations

from typing import Any

MODES = ("full", "lazy", "random_features")
# The short names of Ghorbani, Mei, Misiakiewicz & Montanari (arXiv:1906.08899).
_ALIASES = {"nn": "full", "nt": "lazy", "rf": "random_features"}


def mode_of(mode: Any, op: str) -> str:
    """The full name of a mode; ValueError for what is none."""
    name = mode.lower() if isinstance(mode, str) else mode
    found = _ALIASES.get(name, name) if isinstance(name, str) else None
    if found not in MODES:
        raise ValueError(
            f'[{op}] mode must be "full" ("nn"), "lazy" ("nt") or "random_features" ("rf"). Received {mode!r}.'
        )
    return str(found)
