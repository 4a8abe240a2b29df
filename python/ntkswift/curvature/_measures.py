"""What a `Tracker` can measure of a training run at one moment, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from .._call import Resources
from .._norm import euclidean_norm
from .._random import generator
from ..stax import FiniteNetwork
from ._covariance import core_spectrum
from ._model import stability_factor
from ._spectrum import SpectralDensity

# Measure -> the columns of the history that it fills.
MEASURES: dict[str, tuple[str, ...]] = {
    "covariance": (
        "lambda_K",
        "lambda_K_last",
        "condition_K",
        "spread_K",
        "trace_K",
        "lambda_G",
        "gradient_share",
        "norm_ratio",
    ),
    "sample_covariance": ("sample_lambda_K", "sample_spread_K", "sample_trace_K", "sample_lambda_G"),
    "hessian": ("lambda_H", "top_sum_H", "spread_H"),
    "hessian_last": ("lambda_H_last",),
    "trace": ("trace_H", "trace_H_error"),
    "density": (),
    "gauss_newton": ("lambda_GN",),
    "sharpness": ("sharpness",),
    "step": ("alpha_star",),
    "stability": ("stability",),
}
# What needs the learning rate, and what needs inputs that do not depend on each other.
RATED, SINGLE = ("step", "stability"), ("sample_covariance", "stability")


@dataclass
class Instruments:
    """The measures of one network on chosen inputs; each is a method that returns its entries of the history."""

    network: FiniteNetwork
    loss: int
    # All inputs, those that are measured on, and those of these for everything but covariances of gradients.
    everything: tuple[np.ndarray, np.ndarray]
    chosen: tuple[np.ndarray, np.ndarray]
    few: tuple[np.ndarray, np.ndarray]
    batch: int
    batch_size: int
    eigenvalues: int
    tolerance: float
    probes: int
    steps: int
    seed: int
    densities: list[tuple[int, SpectralDensity]] = field(default_factory=list)
    # Top eigenvectors of the last time, by measure, and how often they were used.
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    count: int = 0

    def measure(self, name: str, vector: np.ndarray, step: int, rate: float) -> dict[str, float]:
        """The entries of one measure ("loss" or one of `MEASURES`)."""
        if name == "step":
            return self._step(vector, rate)
        if name == "stability":
            return self._stability(vector, rate)
        if name == "density":
            return self._density(vector, step)
        entries: dict[str, float] = getattr(self, f"_{name}")(vector)
        return entries

    def loss_of(self, vector: np.ndarray, wants_gradient: bool) -> tuple[float, Any]:
        """The loss at the few inputs, and its gradient where it is wanted."""
        found: tuple[float, Any] = _run(self.network.core.loss, vector, self.loss, *self.few, wants_gradient)
        return found

    # MARK: covariances of gradients

    def _covariance(self, vector: np.ndarray) -> dict[str, float]:
        k = core_spectrum(self.network.core, vector, self.loss, *self.chosen, self.batch, **Resources().settings)
        return {
            "gradient_norm": k.gradient_norm,
            "lambda_K": k.largest,
            "lambda_K_last": k.smallest,
            "condition_K": k.condition,
            "spread_K": k.spread,
            "trace_K": k.trace,
            "lambda_G": k.largest_uncentred,
            "gradient_share": k.gradient_share,
            "norm_ratio": k.norm_ratio,
        }

    def _sample_covariance(self, vector: np.ndarray) -> dict[str, float]:
        k = core_spectrum(self.network.core, vector, self.loss, *self.chosen, 0, count=1, **Resources().settings)
        return {
            "sample_lambda_K": k.largest,
            "sample_spread_K": k.spread,
            "sample_trace_K": k.trace,
            "sample_lambda_G": k.largest_uncentred,
        }

    # MARK: curvature

    def _hessian(self, vector: np.ndarray) -> dict[str, float]:
        values = self._top("hessian", vector, 0, self.eigenvalues)
        top = float(values[0])
        return {
            "lambda_H": top,
            "top_sum_H": float(values.sum()),
            "spread_H": float(values.sum()) / top if top else 0.0,
        }

    def _hessian_last(self, vector: np.ndarray) -> dict[str, float]:
        return {"lambda_H_last": float(self._top("hessian_last", vector, 0, 1, "smallest")[0])}

    def _gauss_newton(self, vector: np.ndarray) -> dict[str, float]:
        return {"lambda_GN": float(self._top("gauss_newton", vector, 1, 1)[0])}

    def _sharpness(self, vector: np.ndarray) -> dict[str, float]:
        return {"sharpness": float(self._top("sharpness", vector, 0, 1, data=self.everything)[0])}

    def _trace(self, vector: np.ndarray) -> dict[str, float]:
        samples = _run(self._operator(vector).trace, self.probes, self.seed)
        error = samples.std(ddof=1) / np.sqrt(len(samples)) if len(samples) > 1 else np.nan
        return {"trace_H": float(samples.mean()), "trace_H_error": float(error)}

    def _density(self, vector: np.ndarray, step: int) -> dict[str, float]:
        nodes, weights = _run(self._operator(vector).density, self.probes, self.steps, self.seed)
        self.densities.append((step, SpectralDensity(nodes, weights, len(vector))))
        return {}

    # MARK: steps

    def _step(self, vector: np.ndarray, rate: float) -> dict[str, float]:
        rows, targets = (part[: self.batch_size] for part in self.few)
        _, gradient = _run(self.network.core.loss, vector, self.loss, rows, targets, True)
        core = self.network.core
        alpha = _run(_core.step_to_raise, core, vector, self.loss, *self.few, rate * gradient, 1.2, 1000.0)
        return {"alpha_star": alpha}

    def _stability(self, vector: np.ndarray, rate: float) -> dict[str, float]:
        if "hessian" not in self.vectors:
            self._top("hessian", vector, 0, 1)
        top = self.vectors["hessian"]
        curvatures = _run(_core.sample_curvatures, self.network.core, vector, self.loss, *self.few, top)
        factor = stability_factor(rate, self.batch_size, curvatures, examples=len(self.everything[0]))
        return {"stability": factor}

    # MARK: the core

    def _operator(self, vector: np.ndarray, kind: int = 0, data: Any = None) -> Any:
        rows, targets = data or self.few
        return _core.SymmetricOperator.curvature(self.network.core, vector, kind, self.loss, rows, targets)

    def _top(
        self, name: str, vector: np.ndarray, kind: int, count: int, end: str = "largest", data: Any = None
    ) -> np.ndarray:
        """Eigenvalues at one end, beginning near the eigenvector of the last time."""
        start = self.vectors.get(name)
        if start is not None:
            # Something random keeps Lanczos from stopping at an eigenvector that is no longer the top one.
            noise = generator([self.seed, self.count], op="Tracker").standard_normal(len(start))
            start = start + 0.3 * noise / euclidean_norm(noise)
        values, _, vectors, _ = _run(
            self._operator(vector, kind, data).eigen,
            min(count, len(vector)),
            end,
            self.tolerance,
            vectors=True,
            seed=self.seed,
            start=start,
        )
        self.vectors[name] = np.ascontiguousarray(vectors[0])
        return np.asarray(values)


def _run(function: Any, *arguments: Any, **keywords: Any) -> Any:
    """A call of the core without a bar: a measurement stands inside the bar of its run."""
    return function(*arguments, **keywords, **Resources().settings)
