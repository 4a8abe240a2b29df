"""How the learning rate changes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._checks import integer

_CONSTANT, _PIECEWISE, _COSINE = 0, 1, 2


@dataclass(frozen=True)
class Constant:
    """The learning rate itself.

    Parameters
    ----------
    warmup : int
        Steps over which the rate grows linearly first.
    """

    warmup: int = 0

    def _settings(self, steps: int) -> dict[str, Any]:
        return {"shape": _CONSTANT, "warmup": integer(self.warmup, "train", "warmup", minimum=0)}


@dataclass(frozen=True)
class Piecewise:
    """The learning rate, multiplied at given steps by given factors.

    Parameters
    ----------
    factors : mapping of int to float
        ``{1000: 0.1, 2000: 0.1}`` divides the rate by 10 from step 1000 on, and again from step 2000 on.
    warmup : int
        Steps over which the rate grows linearly first.
    """

    factors: Mapping[int, float] = field(default_factory=dict)
    warmup: int = 0

    def _settings(self, steps: int) -> dict[str, Any]:
        boundaries = [integer(step, "train", "a boundary of the schedule", minimum=0) for step in self.factors]
        return {
            "shape": _PIECEWISE,
            "warmup": integer(self.warmup, "train", "warmup", minimum=0),
            "boundaries": boundaries,
            "factors": [float(factor) for factor in self.factors.values()],
        }


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the learning rate to `final` times it (Loshchilov and Hutter, arXiv:1608.03983).

    Parameters
    ----------
    steps : int, optional
        Steps after the warm-up until the rate is at its end; all steps of the run by default.
    final : float
        Factor at the end.
    warmup : int
        Steps over which the rate grows linearly first.
    """

    steps: int | None = None
    final: float = 0.0
    warmup: int = 0

    def _settings(self, steps: int) -> dict[str, Any]:
        warmup = integer(self.warmup, "train", "warmup", minimum=0)
        own = (
            max(1, steps - warmup)
            if self.steps is None
            else integer(self.steps, "train", "steps of the schedule", minimum=0)
        )
        return {"shape": _COSINE, "warmup": warmup, "cosine_steps": own, "cosine_final": float(self.final)}


Schedule = Constant | Piecewise | Cosine


def schedule_of(value: Any) -> Schedule:
    """The schedule that a caller means."""
    if value is None or value == "constant":
        return Constant()
    if value == "cosine":
        return Cosine()
    if isinstance(value, (Constant, Piecewise, Cosine)):
        return value
    raise ValueError(
        '[train] schedule must be None, "constant", "cosine", or a Constant, Piecewise or Cosine of ntkswift.training. '
        f"Received {value!r}."
    )
