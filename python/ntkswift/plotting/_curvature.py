"""Curvature and gradient noise along training runs, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._checks import mapping, real
from .style import COLOURS, GREY, MARKERS, plain_log, tidy, vector

# Columns of a tracker's history that a panel shows (the first that is there), its label, and whether it is logarithmic.
_PANELS: tuple[tuple[tuple[str, ...], str, bool], ...] = (
    (("loss",), "training loss", True),
    (("sharpness", "lambda_H"), r"largest Hessian eigenvalue $\lambda_H^1$", True),
    (("lambda_K",), r"largest eigenvalue of $K$, $\lambda_K^1$", True),
    (("spread_K",), r"condition $\mathrm{Tr}(K)\,/\,\lambda_K^1$", False),
)


class CurvatureDisplay:
    """Loss, sharpness, gradient covariance and its condition over the steps of several training runs.

    Parameters
    ----------
    histories : mapping of str to mapping of str to array
        What `ntkswift.curvature.Tracker.history` holds, by the name of the run.
    learning_rates : mapping of str to float, optional
        By the name of the run: draws 2 / learning_rate, where full-batch gradient descent becomes unstable.

    Attributes
    ----------
    axes_ : array of matplotlib Axes
        One per quantity that was measured.
    figure_ : matplotlib Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift.plotting import CurvatureDisplay
    >>> run = {"step": [0, 10], "loss": [1.0, 0.5], "lambda_K": [0.1, 0.4]}
    >>> [label for _, label, _ in CurvatureDisplay({"run": run}).panels]
    ['training loss', 'largest eigenvalue of $K$, $\\\\lambda_K^1$']
    """

    axes_: Any
    figure_: Any

    def __init__(
        self, histories: Mapping[str, Mapping[str, Any]], *, learning_rates: Mapping[str, float] | None = None
    ) -> None:
        op = "CurvatureDisplay"
        self.histories = {
            name: {
                column: vector(values, op, f"histories[{name!r}][{column!r}]")
                for column, values in mapping(history, op, f"histories[{name!r}]").items()
            }
            for name, history in mapping(histories, op, "histories").items()
        }
        self.learning_rates = dict(mapping({} if learning_rates is None else learning_rates, op, "learning_rates"))
        for name, history in self.histories.items():
            if "step" not in history:
                raise ValueError(f"[CurvatureDisplay] histories[{name!r}] must have a column 'step'. Received none.")
        if not self.panels:
            raise ValueError("[CurvatureDisplay] histories must hold a measured quantity. Received none.")

    @classmethod
    def from_trackers(
        cls, trackers: Mapping[str, Any], *, learning_rates: Mapping[str, float] | None = None
    ) -> CurvatureDisplay:
        """Return the display of `Tracker`s by name; learning rates come from those that know theirs."""
        known = {name: t.learning_rate for name, t in trackers.items() if t.learning_rate is not None}
        histories = {name: tracker.history for name, tracker in trackers.items()}
        return cls(histories, learning_rates=known if learning_rates is None else learning_rates)

    @property
    def panels(self) -> list[tuple[str, str, bool]]:
        """The columns that are shown, with their labels and whether their axis is logarithmic."""
        found = []
        for columns, label, logarithmic in _PANELS:
            present = [c for c in columns if any(c in history for history in self.histories.values())]
            if present:
                found.append((present[0], label, logarithmic))
        return found

    def plot(self, axes: Any = None) -> CurvatureDisplay:
        """Draw a panel per quantity, on `axes` (an array of as many Axes) or in a new figure."""
        panels = self.panels
        self.axes_ = np.atleast_1d(_new_row(len(panels)) if axes is None else axes).ravel()
        if len(self.axes_) < len(panels):
            raise ValueError(f"[CurvatureDisplay] axes must be {len(panels)} Axes. Received {len(self.axes_)}.")
        self.figure_ = self.axes_[0].figure
        for ax, (column, label, logarithmic) in zip(self.axes_, panels):
            for i, (name, history) in enumerate(self.histories.items()):
                if column in history:
                    self._line(ax, i, name, history["step"], history[column])
                    if column in ("sharpness", "lambda_H") and name in self.learning_rates:
                        limit = 2 / self.learning_rates[name]
                        ax.axhline(limit, color=COLOURS[i % len(COLOURS)], linestyle=":", linewidth=1.3)
            if logarithmic:
                plain_log(ax)
            self._scale_steps(ax)
            ax.set(xlabel="step", ylabel=label)
            tidy(ax)
            if column in ("sharpness", "lambda_H") and self.learning_rates:
                (limit_line,) = ax.plot([], [], color=GREY, linestyle=":", linewidth=1.3)
                ax.legend([limit_line], [r"$2/\eta$"], frameon=False, fontsize="small")
        self.axes_[0].legend(frameon=False, fontsize="small")
        return self

    def _line(self, ax: Any, i: int, name: str, steps: np.ndarray, values: np.ndarray) -> None:
        ax.plot(
            steps,
            values,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            markevery=max(1, len(steps) // 8),
            markersize=4,
            linewidth=1.6,
            label=name,
        )

    def _scale_steps(self, ax: Any) -> None:
        """Logarithmic from the first measured step on, with step 0 a little to the left of it."""
        steps = np.concatenate([history["step"] for history in self.histories.values()])
        if not (steps > 0).any():
            return
        first, last = float(steps[steps > 0].min()), float(steps.max())
        ax.set_xscale("symlog", linthresh=first, linscale=0.4)
        places = [c * 10.0**k for k in range(9) for c in (1, 2, 5)]
        shown = [p for p in places if first <= p <= last]
        if len(shown) > 6:
            shown = [p for p in shown if f"{p:.0e}".startswith("1")]
        ax.set_xticks([0.0, *shown], ["0", *(f"{p:g}" for p in shown)])
        ax.minorticks_off()
        ax.set_xlim(left=0, right=1.05 * last)


class SpectralDensityDisplay:
    """Densities of eigenvalues of symmetric operators, on a logarithmic axis so that outliers are seen.

    Parameters
    ----------
    densities : mapping of str to SpectralDensity
        From `ntkswift.curvature.spectral_density`, by name.
    width : float, optional
        Standard deviation of the Gaussian into which each node is spread; by default a two hundredth of the range.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.
    """

    ax_: Any
    figure_: Any

    def __init__(self, densities: Mapping[str, Any], *, width: float | None = None) -> None:
        op = "SpectralDensityDisplay"
        if not mapping(densities, op, "densities"):
            raise ValueError("[SpectralDensityDisplay] densities must hold at least one. Received none.")
        for name, density in densities.items():
            if not hasattr(density, "density") or not hasattr(density, "nodes"):
                raise TypeError(
                    f"[{op}] densities[{name!r}] must be a SpectralDensity. Received {type(density).__name__}."
                )
        self.densities = dict(densities)
        low = min(float(d.nodes.min()) for d in self.densities.values())
        high = max(float(d.nodes.max()) for d in self.densities.values())
        self.range = (low, high)
        self.width = max(high - low, 1e-300) / 200 if width is None else real(width, op, "width", above=0)

    @classmethod
    def from_density(
        cls, density: Any, *, name: str = "spectrum", width: float | None = None
    ) -> SpectralDensityDisplay:
        """Return the display of one density."""
        return cls({name: density}, width=width)

    def plot(self, ax: Any = None) -> SpectralDensityDisplay:
        """Draw a line per density; the axis ends where less than a hundredth of an eigenvalue is left."""
        self.ax_ = _new_row(1) if ax is None else ax
        self.figure_ = self.ax_.figure
        margin = 5 * self.width
        grid = np.linspace(self.range[0] - margin, self.range[1] + margin, 2000)
        floor = min(0.01 / d.dimension for d in self.densities.values()) / self.width
        for i, (name, density) in enumerate(self.densities.items()):
            values = density.density(grid, self.width)
            self.ax_.semilogy(grid, values, color=COLOURS[i % len(COLOURS)], linewidth=1.5, label=name)
        self.ax_.set_ylim(bottom=floor)
        self.ax_.set(xlabel="eigenvalue", ylabel="density of eigenvalues")
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self


def _new_row(count: int) -> Any:
    """The axes of a new figure with `count` panels side by side."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            '[plotting] figures need matplotlib, which is not installed. Get it with: pip install "ntkswift[plot]"'
        ) from error
    return plt.subplots(1, count, figsize=(4.2 * count if count > 1 else 6.0, 3.6), layout="constrained")[1]
