"""One claim of a paper beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from .._arrays import check_array
from .._checks import integer, real


class Verdict(Enum):
    """Whether a claim was confirmed."""

    AGREES = "agrees"
    DIFFERS = "does not agree"
    NOT_SEEN = "not seen at this size"


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, what theory predicts for it and what was measured.

    Attributes
    ----------
    text : str
        The claim, in one sentence.
    predicted, measured : str
        What theory says for this size and what came out, with units where there are any.
    verdict : Verdict
        Whether they agree.
    spread : str
        How much the measurement varies over seeds; empty where nothing is random.
    note : str
        What a reader must know besides: the tolerance, the size of the experiment, a caveat.
    """

    text: str
    predicted: str
    measured: str
    verdict: Verdict
    spread: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.verdict, Verdict):
            raise TypeError(f"[Claim] verdict must be a Verdict. Received {type(self.verdict).__name__}.")

    @classmethod
    def compare(
        cls,
        text: str,
        *,
        predicted: float,
        measured: Sequence[float] | np.ndarray | float,
        tolerance: float,
        digits: int = 3,
        note: str = "",
    ) -> Claim:
        """Return the claim that a number takes its predicted value, measured over seeds.

        It agrees where the mean lies within `tolerance` of `predicted`; the spread is the standard deviation over the
        seeds. A measurement that is not finite never agrees.
        """
        op = "Claim.compare"
        predicted, tolerance = real(predicted, op, "predicted"), real(tolerance, op, "tolerance", minimum=0)
        digits = integer(digits, op, "digits", minimum=0, maximum=17)
        values = np.atleast_1d(check_array(measured, "measured", ndim=(0, 1), dtype=np.float64, finite=False, op=op))
        mean = float(values.mean())
        spread = f"{values.std(ddof=1):.{digits}f} over {values.size} seeds" if values.size > 1 else ""
        verdict = Verdict.AGREES if abs(mean - predicted) <= tolerance else Verdict.DIFFERS
        within = f"within {tolerance:g}"
        return cls(
            text,
            f"{predicted:.{digits}f}",
            f"{mean:.{digits}f}",
            verdict,
            spread,
            f"{within}; {note}" if str(note) else within,
        )
