"""The figures of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from ..estimators import NNGPRegressor
from ..plotting import DepthDisplay, GramMatrixDisplay, PosteriorDisplay, SpectrumDisplay
from ._models import network
from ._study import KERNELS, Result

DOTS_PER_INCH = 150


def draw(results: list[Result], folder: Path) -> dict[str, str]:
    """Write the figures as PNG files; return captions by file name."""
    import matplotlib.pyplot as plt

    captions: dict[str, str] = {}

    def save(name: str, figure: Any, caption: str) -> None:
        figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH)
        plt.close(figure)
        captions[f"{name}.png"] = caption

    first = results[0]
    save("gram", _new(plt, _gram, first), f"NTK of {first.task.name}, inputs ordered by class, as correlations.")
    for result in results:
        name = result.task.name
        save(
            f"depth-{name}",
            _new(plt, _depth, result),
            f"{name}: {result.task.metric} against depth, bars of one standard error.",
        )
    save(
        "posterior",
        _new(plt, _posterior),
        "Posterior of an infinitely wide network with 95 % band, fitted to 14 observations.",
    )
    save(
        "spectrum",
        _new(plt, _spectrum, first),
        f"Eigenvalues of the kernels of {first.task.name}, as shares of the trace.",
    )
    overview, axes = plt.subplots(2, 2, figsize=(12, 9), layout="constrained")
    _gram(axes[0, 0], first)
    _depth(axes[0, 1], first)
    _posterior(axes[1, 0])
    _spectrum(axes[1, 1], first)
    save("overview", overview, "The four figures side by side.")
    return captions


def _new(plt: Any, painter: Any, *arguments: Any) -> Any:
    figure, ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
    painter(ax, *arguments)
    return figure


def _gram(ax: Any, result: Result) -> None:
    X = StandardScaler().fit_transform(result.task.X)
    kernel_fn = network(3, "relu").kernel_fn
    GramMatrixDisplay.from_kernel(kernel_fn, X, labels=result.task.y, normalize=True).plot(ax)
    ax.set_title(f"{result.task.name}: NTK, 3 hidden ReLU layers")


def _depth(ax: Any, result: Result) -> None:
    scores = {
        f"{kernel.upper()} {activation}": [result.networks[kernel, activation, depth].scores for depth in result.depths]
        for activation in result.activations
        for kernel in KERNELS
    }
    baselines = {name: outcome.scores for name, outcome in result.baselines.items()}
    DepthDisplay.from_scores(result.depths, scores, baselines=baselines, metric=result.task.metric).plot(ax)
    ax.set_title(f"{result.task.name}: {result.task.metric} against depth")


def _posterior(ax: Any) -> None:
    random = np.random.default_rng(7)

    def truth(x: np.ndarray) -> np.ndarray:
        return np.sin(2.5 * x) + 0.3 * x

    x = np.sort(np.concatenate([random.uniform(-2, -0.4, 8), random.uniform(0.7, 2, 6)]))
    y = truth(x) + 0.1 * random.standard_normal(len(x))
    regressor = NNGPRegressor(depth=2, activation="erf", W_std=2.5, b_std=1.0, ridge=0.01).fit(x[:, None], y)
    where = np.linspace(-2.2, 2.2, 400)
    PosteriorDisplay.from_estimator(regressor, x[:, None], y, x=where, n_samples=5, truth=truth).plot(ax)
    ax.set_title("posterior of an infinite network, 2 Erf layers")


def _spectrum(ax: Any, result: Result) -> None:
    X = StandardScaler().fit_transform(result.task.X)
    rows = np.random.default_rng(0).permutation(len(X))[:800]
    depths = (result.depths[0], result.depths[-1])
    matrices = {
        f"{kernel.upper()}, depth {depth}": network(depth, "relu").kernel_fn(X[rows], None, kernel)
        for depth in depths
        for kernel in KERNELS
    }
    SpectrumDisplay.from_matrices(matrices, relative=True).plot(ax)
    ax.set_title(f"{result.task.name}: eigenvalue spectrum")
