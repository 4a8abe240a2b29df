"""The main job on real data: infinitely wide networks of several depths beside an RBF kernel machine and a random forest.

`python -m ntkswift demo` runs it; `run` is the same from Python. It needs `pip install "ntkswift[demo]"`.
"""

from __future__ import annotations

from pathlib import Path

from .._files import try_folder

__all__ = ["run"]


def run(output: str | Path = "reports/demo", *, quick: bool = False, progress: bool | None = None) -> Path:
    """Cross-validate networks and baselines, print a table, write figures and numbers; return the report folder.

    Parameters
    ----------
    output : path, default="reports/demo"
        Folder of the report; made where it does not exist.
    quick : bool, default=False
        Two data sets, three depths, one activation: seconds instead of minutes.
    progress : bool or None, default=None
        Show a progress bar; None: in a terminal.
    """
    from ._data import tasks
    from ._figures import draw
    from ._report import write
    from ._study import study
    from ._table import table

    folder = try_folder(output, "demo", "output")
    results = study(tasks(quick), quick=quick, progress=progress)
    text = "\n\n".join(table(result) for result in results)
    print(text)
    figures = draw(results, folder)
    write(results, text, figures, folder)
    print(f"\nReport with {len(figures)} figures and the numbers as JSON: {folder}/")
    return folder
