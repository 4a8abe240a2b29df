"""A score against the depth of the network, with its spread over folds, beside models that have no depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .style import COLOURS, GREY, MARKERS, new_axes, tidy


class DepthDisplay:
    """Score against depth.

    Parameters
    ----------
    depths : sequence of int
        Number of hidden layers.
    scores : mapping of str to array of shape (depths,) or (depths, folds)
        Scores by the name of the model.
    baselines : mapping of str to float or array of shape (folds,), optional
        Scores of models without depth, drawn as horizontal lines.
    metric : str, default="score"
        Name of the score, for the axis.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift.plotting import DepthDisplay
    >>> DepthDisplay.from_scores([1, 2], {"NTK": [[0.9, 0.8], [1.0, 0.9]]}).mean("NTK").round(3).tolist()
    [0.85, 0.95]
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        depths: Sequence[int],
        scores: Mapping[str, Any],
        *,
        baselines: Mapping[str, Any] | None = None,
        metric: str = "score",
    ) -> None:
        self.depths = list(depths)
        self.scores = {
            name: np.asarray(values, dtype=float).reshape(len(values), -1) for name, values in scores.items()
        }
        for name, values in self.scores.items():
            if len(values) != len(self.depths):
                raise ValueError(
                    f"[DepthDisplay] scores[{name!r}] must have one row per depth, {len(self.depths)}. Received {len(values)}."
                )
        self.baselines = {name: float(np.mean(values)) for name, values in (baselines or {}).items()}
        self.metric = metric

    @classmethod
    def from_scores(cls, depths: Sequence[int], scores: Mapping[str, Any], **options: Any) -> DepthDisplay:
        """Return the display of given scores; further arguments as for the class."""
        return cls(depths, scores, **options)

    def mean(self, name: str) -> np.ndarray:
        """Return the mean over folds for each depth."""
        return self.scores[name].mean(axis=1)

    def standard_error(self, name: str) -> np.ndarray:
        """Return the standard error over folds for each depth; 0 where there is one fold."""
        values = self.scores[name]
        return values.std(axis=1, ddof=1) / np.sqrt(values.shape[1]) if values.shape[1] > 1 else np.zeros(len(values))

    def plot(self, ax: Any = None) -> DepthDisplay:
        """Draw a line per model with bars of one standard error, and a horizontal line per baseline."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        count = len(self.scores)
        for i, name in enumerate(self.scores):
            # Shifted a little sideways so that error bars do not hide each other.
            shift = 0.03 * (i - (count - 1) / 2)
            self.ax_.errorbar(
                np.asarray(self.depths) + shift,
                self.mean(name),
                yerr=self.standard_error(name),
                label=name,
                color=COLOURS[i % len(COLOURS)],
                marker=MARKERS[i % len(MARKERS)],
                linestyle="-" if i % 2 == 0 else "--",
                linewidth=1.6,
                markersize=5,
                capsize=2,
            )
        for style, (name, value) in zip((":", "-.", (0, (5, 5))), self.baselines.items()):
            self.ax_.axhline(value, color=GREY, linestyle=style, linewidth=1.3, label=name)
        self.ax_.set(xlabel="hidden layers", ylabel=self.metric)
        self.ax_.set_xticks(self.depths)
        tidy(self.ax_, "y")
        handle_of = dict(zip(*reversed(self.ax_.get_legend_handles_labels())))
        names = [*self.scores, *self.baselines]
        handles = [handle_of[name] for name in names]
        self.ax_.legend(handles, names, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        return self
