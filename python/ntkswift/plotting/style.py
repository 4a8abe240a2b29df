"""What all figures share: colours, axes, and the wish for matplotlib only when something is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["COLOURS", "GREY", "MARKERS", "new_axes", "plain_log", "tidy"]

# Okabe and Ito (2008), without their yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#6b6b6b"


def new_axes(ax: Any, size: tuple[float, float] = (6.0, 4.2)) -> Any:
    """Return `ax`, or the axes of a new figure of this size in inches."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            '[plotting] figures need matplotlib, which is not installed. Get it with: pip install "ntkswift[plot]"'
        ) from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def tidy(ax: Any, grid: str | None = "both") -> None:
    """Remove the frame that carries no information; draw a light grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(True, axis=grid, color="#e4e4e4", linewidth=0.8)
        ax.set_axisbelow(True)


def plain_log(ax: Any) -> None:
    """Make the vertical axis logarithmic, with plain numbers at 1, 2 and 5 where it spans less than two decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    subs = (1.0, 2.0, 5.0) if high / max(low, 1e-300) < 100 else (1.0,)
    ax.yaxis.set_major_locator(LogLocator(subs=subs))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def square(matrix: Any, op: str) -> np.ndarray:
    """Return the matrix as an array; ValueError unless it is square, not empty and finite."""
    array = np.asarray(matrix, dtype=float)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise ValueError(f"[{op}] the matrix must be square with at least one row. Received shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"[{op}] the matrix must be finite. Received NaN or infinity.")
    return array


def vector(values: Any, op: str, name: str, length: int | None = None) -> np.ndarray:
    """Return one-dimensional floats; ValueError for another shape or length."""
    array = np.asarray(values, dtype=float)
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "one-dimensional" if length is None else f"one-dimensional with {length} elements"
        raise ValueError(f"[{op}] {name} must be {wanted}. Received shape {array.shape}.")
    return array
