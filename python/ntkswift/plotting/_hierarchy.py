"""Errors of the truncated neural tangent hierarchy over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .style import COLOURS, MARKERS, new_axes, tidy, vector


class HierarchyErrorDisplay:
    """How far the truncated hierarchy is from the network, one line per order; even orders solid, odd ones dashed.

    Parameters
    ----------
    times : array of shape (T,)
        Times of gradient flow.
    errors : mapping of int to array of shape (T,)
        Norms of the error of the outputs by the order of the truncation.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift.plotting import HierarchyErrorDisplay
    >>> sorted(HierarchyErrorDisplay([1.0, 2.0], {4: [1e-4, 2e-4], 2: [1e-2, 2e-2]}).errors)
    [2, 4]
    """

    ax_: Any
    figure_: Any

    def __init__(self, times: Any, errors: Mapping[int, Any]) -> None:
        self.times = vector(times, "HierarchyErrorDisplay", "times")
        self.errors = {
            int(order): vector(values, "HierarchyErrorDisplay", f"errors[{order}]", len(self.times))
            for order, values in errors.items()
        }

    @classmethod
    def from_paths(cls, truth: Any, predictions: Mapping[int, Any]) -> HierarchyErrorDisplay:
        """Return the display of paths of `ntkswift.hierarchy`: the network's own and the predicted ones by order."""
        errors = {order: np.linalg.norm(path.outputs - truth.outputs, axis=1) for order, path in predictions.items()}
        return cls(truth.times, errors)

    def plot(self, ax: Any = None) -> HierarchyErrorDisplay:
        """Draw the errors on logarithmic axes; a time or an error of zero is left out."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        for i, order in enumerate(sorted(self.errors)):
            values = self.errors[order]
            shown = (self.times > 0) & (values > 0)
            self.ax_.loglog(
                self.times[shown],
                values[shown],
                color=COLOURS[i % len(COLOURS)],
                marker=MARKERS[i % len(MARKERS)],
                markersize=4,
                linestyle="--" if order % 2 else "-",
                label=f"order {order}",
            )
        self.ax_.set(xlabel="time of gradient flow", ylabel="error of the outputs (norm)")
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self
