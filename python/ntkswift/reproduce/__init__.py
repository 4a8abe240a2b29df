"""Papers' claims, computed again: what theory predicts, what was measured, and whether the two agree.

``python -m ntkswift reproduce --list`` names them; ``python -m ntkswift reproduce NAME`` runs one and writes its report;
``ntkswift.reproduce.run("NAME")`` does the same in a notebook and returns the `Report`. Figures need
``pip install "ntkswift[plot]"``.

>>> from ntkswift.reproduce import Claim, Verdict
>>> claim = Claim.compare("the mean of a fair coin", predicted=0.5, measured=[0.49, 0.52, 0.5], tolerance=0.01)
>>> claim.verdict is Verdict.AGREES, claim.measured, claim.spread
(True, '0.503', '0.015 over 3 seeds')
"""

from __future__ import annotations

from typing import Any

from ._claim import Claim, Verdict
from ._registry import REPRODUCTIONS, Reproduction, find
from ._report import Report

__all__ = ["Claim", "Report", "Reproduction", "Verdict", "names", "run"]


def names() -> list[str]:
    """Return the names of the reproductions, as the command line takes them."""
    return list(REPRODUCTIONS)


def run(
    name: str,
    *,
    full: bool = False,
    data: Any = None,
    output: Any = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Run the reproduction `name` and return its report.

    Parameters
    ----------
    name : str
        One of `names()`.
    full : bool, default=False
        The sizes of the paper instead of those that fit in a minute on two cores.
    data : path or None, default=None
        A file of the user's own data, for the reproductions that take one.
    output : path or None, default=None
        Folder for the JSON and the figures, made where it does not exist. None: nothing is written.
    seed : int, default=0
        Seed of everything random; the seeds of repeated runs follow it.
    progress : bool or None, default=None
        Show a progress bar; None: in a terminal or a notebook.

    Raises
    ------
    ValueError
        For an unknown name, or a data file where none is taken.
    """
    return find(name).run(full=full, data=data, output=output, seed=seed, progress=progress)
