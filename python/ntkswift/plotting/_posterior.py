"""A one-dimensional posterior: mean, 95 % band, observations, samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from .style import COLOURS, GREY, new_axes, tidy, vector

# The standard normal quantile at 97.5 %: mean +- Z * std covers 95 %.
Z = 1.959963984540054


class PosteriorDisplay:
    """Posterior mean and 95 % band of a function of one variable.

    Parameters
    ----------
    x, mean, std : array of shape (m,)
        Where the posterior was evaluated, its mean and its standard deviation.
    x_train, y_train : array of shape (n,), optional
        Observations.
    samples : array of shape (m, s), optional
        Functions drawn from the posterior.
    truth : array of shape (m,), optional
        The function behind the observations, where it is known.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Examples
    --------
    >>> from ntkswift.plotting import PosteriorDisplay
    >>> display = PosteriorDisplay.from_predictions([1.0, 0.0], [2.0, 3.0], [0.1, 0.2])
    >>> display.x.tolist(), display.mean.tolist()
    ([0.0, 1.0], [3.0, 2.0])
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        x: Any,
        mean: Any,
        std: Any,
        *,
        x_train: Any = None,
        y_train: Any = None,
        samples: Any = None,
        truth: Any = None,
    ) -> None:
        op = "PosteriorDisplay"
        x = vector(x, op, "x")
        order = np.argsort(x, kind="stable")
        self.x = x[order]
        self.mean = vector(mean, op, "mean", len(x))[order]
        self.std = vector(std, op, "std", len(x))[order]
        if (x_train is None) != (y_train is None):
            raise ValueError(f"[{op}] x_train and y_train must come together. Received one of them.")
        self.x_train = None if x_train is None else vector(x_train, op, "x_train")
        self.y_train = None if self.x_train is None else vector(y_train, op, "y_train", len(self.x_train))
        self.truth = None if truth is None else vector(truth, op, "truth", len(x))[order]
        self.samples = None if samples is None else np.asarray(samples, dtype=float)[order]

    @classmethod
    def from_predictions(cls, x: Any, mean: Any, std: Any, **observed: Any) -> PosteriorDisplay:
        """Return the display of given numbers; further arguments as for the class."""
        return cls(x, mean, std, **observed)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_train: Any,
        y_train: Any,
        *,
        x: Any = None,
        n_samples: int = 0,
        seed: Any = 0,
        truth: Any = None,
    ) -> PosteriorDisplay:
        """Return the display of a fitted regressor with `predict(X, return_std=True)` and one feature.

        Parameters
        ----------
        estimator : fitted regressor
            `NNGPRegressor`, `NTKRegressor` or any Gaussian process regressor of scikit-learn.
        X_train, y_train : arrays of shape (n, 1) or (n,), and (n,)
            Observations to show.
        x : array of shape (m,), optional
            Where to evaluate; 400 points over the observations and a fifth beyond on both sides by default.
        n_samples : int, default=0
            Functions to draw with `estimator.sample_y`.
        seed : int, default=0
            Seed of the samples.
        truth : callable, optional
            The true function, shown as a dashed line.
        """
        seen = vector(X_train, "PosteriorDisplay", "X_train")
        margin = 0.2 * (seen.max() - seen.min() or 1.0)
        where = (
            np.linspace(seen.min() - margin, seen.max() + margin, 400)
            if x is None
            else vector(x, "PosteriorDisplay", "x")
        )
        mean, std = estimator.predict(where[:, None], return_std=True)
        samples = estimator.sample_y(where[:, None], n_samples, seed) if n_samples else None
        return cls(
            where,
            mean,
            std,
            x_train=seen,
            y_train=y_train,
            samples=samples,
            truth=None if truth is None else truth(where),
        )

    def plot(
        self, ax: Any = None, *, color: str = COLOURS[0], xlabel: str = "x", ylabel: str = "y"
    ) -> PosteriorDisplay:
        """Draw band, samples, mean, truth and observations, from back to front."""
        self.ax_ = new_axes(ax)
        self.figure_ = self.ax_.figure
        low, high = self.mean - Z * self.std, self.mean + Z * self.std
        self.ax_.fill_between(self.x, low, high, color=color, alpha=0.2, linewidth=0, label="95 % band")
        if self.samples is not None:
            self.ax_.plot(self.x, self.samples, color=color, alpha=0.35, linewidth=0.8)
        if self.truth is not None:
            self.ax_.plot(self.x, self.truth, color=GREY, linestyle="--", linewidth=1.2, label="true function")
        self.ax_.plot(self.x, self.mean, color=color, linewidth=2, label="posterior mean")
        if self.x_train is not None:
            self.ax_.plot(self.x_train, self.y_train, "o", color="black", markersize=4, label="observations")
        self.ax_.set(xlabel=xlabel, ylabel=ylabel)
        self.ax_.set_xlim(self.x[0], self.x[-1])
        tidy(self.ax_)
        self.ax_.legend(frameon=False, fontsize="small")
        return self
