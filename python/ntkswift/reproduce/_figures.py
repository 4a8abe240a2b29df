"""Figures that belong to a report alone: no window, no backend, no global state of matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..plotting.style import COLOURS, GREY, MARKERS, tidy

__all__ = ["COLOURS", "GREY", "MARKERS", "new_figure"]


def new_figure(columns: int = 1, *, rows: int = 1, size: tuple[float, float] | None = None, **options: Any) -> Any:
    """Return a figure and its axes, tidied (one Axes, or an array of them as `matplotlib.pyplot.subplots` gives it).

    `size` is in inches, 4.6 x 3.6 for each panel where it is None; `options` go to `Figure.subplots`.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            '[reproduce] figures need matplotlib, which is not installed. Get it with: pip install "ntkswift[plot]"'
        ) from error
    figure = Figure(figsize=size or (4.6 * columns, 3.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **options)
    for ax in np.ravel(axes):
        tidy(ax)
    return figure, axes
