"""What a reproduction found: claims, figures and numbers, as text, JSON and files."""

from __future__ import annotations

import json
import platform
import textwrap
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from .._config import get_num_threads
from .._files import try_folder
from ._claim import Claim, Verdict

WIDTH = 100
FORMATS = ("svg", "pdf", "png")
DOTS_PER_INCH = 150


class Report:
    """The outcome of a reproduction. Printing it shows the claims; `write` saves it with its figures.

    Attributes
    ----------
    name, title, source : str
        The reproduction, the paper, and where to find it.
    full : bool
        Whether the full sizes were run: the paper's, where they are known and fit a machine.
    seed : int
        Seed of everything random.
    settings : dict
        Sizes and constants of the run, shown at the head of the text.
    claims : list of Claim
        In the order in which they were made.
    numbers : dict
        Everything measured, by name: numbers, arrays, dicts of them.
    figures : dict of str to (matplotlib Figure, caption)
        In the order in which they were drawn.
    seconds : float
        How long the run took; NaN before it ended.
    """

    def __init__(self, name: str, title: str = "", source: str = "", *, full: bool = False, seed: int = 0) -> None:
        self.name, self.title, self.source, self.full, self.seed = name, title, source, full, seed
        self.settings: dict[str, Any] = {}
        self.claims: list[Claim] = []
        self.numbers: dict[str, Any] = {}
        self.figures: dict[str, tuple[Any, str]] = {}
        self.seconds = float("nan")

    def claim(self, claim: Claim) -> Claim:
        """Add a claim, and return it."""
        if not isinstance(claim, Claim):
            raise TypeError(f"[Report.claim] needs a Claim. Received {type(claim).__name__}.")
        self.claims.append(claim)
        return claim

    def figure(self, name: str, figure: Any, caption: str) -> None:
        """Add a matplotlib figure under a name that becomes its file name."""
        if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_"):
            raise ValueError(
                f"[Report.figure] name must consist of lower case letters, digits and dashes. Received {name!r}."
            )
        self.figures[name] = (figure, caption)

    def count(self, verdict: Verdict) -> int:
        """Return how many claims have this verdict."""
        return sum(claim.verdict is verdict for claim in self.claims)

    # ------------------------------------------------------------------ text

    def __repr__(self) -> str:
        head = f"{self.name}: {self.title}" + (f" ({self.source})" if self.source else "")
        lines = textwrap.wrap(head, WIDTH)
        size = "full sizes" if self.full else "small sizes (full=True or --full runs the full ones)"
        settings = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        lines += textwrap.wrap(f"{size}; seed {self.seed}" + (f"; {settings}" if settings else ""), WIDTH)
        for number, claim in enumerate(self.claims, 1):
            lines += ["", *_claim_lines(number, claim)]
        return "\n".join([*lines, "", self.summary()])

    def summary(self) -> str:
        """Return how many claims agree, do not, or could not be seen, as one line."""
        parts = [f"{self.count(v)} {v.value}" for v in Verdict if self.count(v)]
        took = f" ({self.seconds:.1f} s)" if np.isfinite(self.seconds) else ""
        return f"{len(self.claims)} claims: {', '.join(parts) or 'none'}{took}"

    # ------------------------------------------------------------------ files

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the drawings, as JSON takes it: lists for arrays, None for what is not finite."""
        return _plain(
            {
                "name": self.name,
                "title": self.title,
                "source": self.source,
                "full": self.full,
                "seed": self.seed,
                "settings": self.settings,
                "seconds": self.seconds,
                "machine": _machine(),
                "claims": [vars(claim) for claim in self.claims],
                "numbers": self.numbers,
                "figures": {name: caption for name, (_, caption) in self.figures.items()},
            }
        )

    def write(self, folder: Any = None) -> Path:
        """Write `report.json`, `report.txt` and each figure as SVG, PDF and PNG; return the folder.

        Parameters
        ----------
        folder : path or None, default=None
            Made where it does not exist. None: ``reports/reproduce/<name>``.
        """
        folder = try_folder(Path("reports/reproduce") / self.name if folder is None else folder, self.name, "folder")
        (folder / "report.json").write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")
        captions = "".join(f"\nFigure {name}: {caption}\n" for name, (_, caption) in self.figures.items())
        (folder / "report.txt").write_text(f"{self!r}\n{captions}", encoding="utf-8")
        for name, (figure, _) in self.figures.items():
            for suffix in FORMATS:
                figure.savefig(folder / f"{name}.{suffix}", dpi=DOTS_PER_INCH)
        return folder


def _claim_lines(number: int, claim: Claim) -> list[str]:
    """A claim as an indented block: the sentence with its verdict, then one line each for theory and measurement."""
    measured = claim.measured + (f"  (spread {claim.spread})" if claim.spread else "")
    lines = textwrap.wrap(claim.text, WIDTH, initial_indent=f"{number:2d}. ", subsequent_indent="    ")
    rows = {"theory": claim.predicted, "measured": measured, "verdict": claim.verdict.value, "note": claim.note}
    for label, text in rows.items():
        if text:
            lines += textwrap.wrap(text, WIDTH, initial_indent=f"      {label:<10}", subsequent_indent=" " * 16)
    return lines


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _machine() -> dict[str, Any]:
    return {
        "ntkswift": _core.version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
        "cpu_level": _core.cpu_level(),
        "threads": get_num_threads(),
    }
