"""What is measured along a training run, how often, on how many samples, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _checks, _core
from .._arrays import check_array, check_lengths
from .._call import call_settings
from .._networks import loss_number, network_for
from .._norm import euclidean_norm
from .._random import generator
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
_OP = "Tracker"
# The paper's gradients: about twenty mini-batches of 128 inputs.
_BATCH, _GRADIENTS = 128, 20


class Tracker:
    """Measures curvature and gradient noise every few steps of a training run.

    It is a callback: of `ntkswift.train`, or of any loop that calls ``tracker(step, params)``.

    Parameters
    ----------
    network : ApplyFunction or Layer
        The network that is trained. BatchNorm is fine (but for "sample_covariance" and "stability").
    x, y : array_like
        The training set; what is measured on is drawn from it once.
    loss : {"mse", "cross_entropy"}
        As in `ntkswift.empirical.loss_and_gradient`.
    measure : sequence of str
        Of `MEASURES`: "covariance" (K of mini-batch gradients), "sample_covariance" (of single inputs), "hessian" (its
        `eigenvalues` largest ones, by Lanczos), "hessian_last" (the smallest), "trace" (Hutchinson), "density"
        (stochastic Lanczos quadrature, kept in `densities`), "gauss_newton" (its largest), "sharpness" (largest
        eigenvalue of the Hessian on the whole training set), "step" (alpha^* along the update of one step), "stability"
        (factor of Eq. (1); needs "hessian"). The loss and the norm of its gradient come with "covariance" and by
        themselves.
    every : int, default=10
        Measure at steps that are multiples of this.
    samples : int or None, default=None
        Inputs to measure on. None: 5 % of the training set, but at least 20 batches of 128 where there are so many.
    batch : int or None, default=None
        Size of the measuring mini-batches, whatever batch trains the network. None: 128 as in the paper, or less where
        the samples would make fewer than 8 of them.
    curvature_samples : int or None, default=None
        Inputs, of these `samples`, for everything that is not a covariance of gradients; None: 128, or all of them where
        they are fewer. A product with the Hessian costs as much as two gradients of these inputs.
    learning_rate, batch_size : float, int or None
        Of the training run: "step" and "stability" need the former; its updates and Eq. (1) use the latter (None: full).
    eigenvalues : int, default=1
        How many of the Hessian; the paper sums 5.
    tolerance : float, default=1e-2
        Relative error of eigenvalues; each further digit takes about one product more.
    probes, steps : int
        Random vectors for trace and density; Lanczos steps for the density.
    seed : int, default=0
        Of samples and probes.

    Attributes
    ----------
    history : dict of str to ndarray
        "step", "loss", "gradient_norm" and the columns of each measure; one entry per measured step.
    densities : list of (step, SpectralDensity)
    cost : dict of str to float
        CPU seconds by measure.

    Raises
    ------
    FloatingPointError
        When called with parameters or a loss that are not finite; what was measured before stays in `history`.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import empirical, stax, curvature
    >>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.random.default_rng(0).standard_normal((64, 3)), np.ones((64, 1))
    >>> _, params = network.init_fn(0, x.shape)
    >>> tracker = curvature.Tracker(network, x, y, every=5, batch=8)
    >>> for step in range(11):
    ...     tracker(step, params)
    ...     _, ((dW, _), _, (dV, _)) = empirical.loss_and_gradient(network, params, x, y)
    ...     (W, _), _, (V, _) = params
    ...     params = (W - 0.1 * dW, None), (), (V - 0.1 * dV, None)
    >>> tracker.history["step"].tolist()
    [0, 5, 10]
    """

    def __init__(
        self,
        network: Any,
        x: Any,
        y: Any,
        loss: str = "mse",
        *,
        measure: Sequence[str] = ("covariance", "hessian"),
        every: int = 10,
        samples: int | None = None,
        batch: int | None = None,
        curvature_samples: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        eigenvalues: int = 1,
        tolerance: float = 1e-2,
        probes: int = 8,
        steps: int = 32,
        seed: int = 0,
    ) -> None:
        self._network, rows = network_for(network, x, _OP, "x")
        targets = check_array(y, "y", ndim=None, dtype=np.float64, op=_OP)
        check_lengths(rows, targets, ("x", "y"), op=_OP)
        targets = self._network.targets(targets, len(rows), "y")
        self._loss = loss_number(loss, _OP)
        self.measure = _checked_measures(measure, self._network.core.couples_batch, learning_rate)
        self.every = _checks.integer(every, _OP, "every")
        self.samples, self.batch = _sizes(len(rows), samples, batch)
        self.curvature_samples = min(_BATCH, self.samples) if curvature_samples is None else curvature_samples
        if _checks.integer(self.curvature_samples, _OP, "curvature_samples") > self.samples:
            raise ValueError(
                f"[{_OP}] curvature_samples must be at most the {self.samples} samples. Received {curvature_samples}."
            )
        self.learning_rate, self.batch_size = learning_rate, batch_size
        if learning_rate is not None and _checks.real(learning_rate, _OP, "learning_rate") <= 0:
            raise ValueError(f"[{_OP}] learning_rate must be positive. Received {learning_rate!r}.")
        if batch_size is not None and not 1 <= _checks.integer(batch_size, _OP, "batch_size") <= len(rows):
            raise ValueError(f"[{_OP}] batch_size must be at most the {len(rows)} inputs. Received {batch_size!r}.")
        self.eigenvalues = _checks.integer(eigenvalues, _OP, "eigenvalues")
        self.tolerance = _checks.tolerance(tolerance, _OP, "tolerance")
        self.probes, self.steps = _checks.integer(probes, _OP, "probes"), _checks.integer(steps, _OP, "steps")
        self._seed = _checks.seed_number(seed, _OP)
        chosen = np.sort(generator(seed, op=_OP).permutation(len(rows))[: self.samples])
        order = generator([self._seed, 1], op=_OP).permutation(chosen)
        self._rows, self._targets = np.ascontiguousarray(rows[order]), np.ascontiguousarray(targets[order])
        self._all = (rows, targets)
        self._few = (self._rows[: self.curvature_samples], self._targets[: self.curvature_samples])
        self._columns: dict[str, list[float]] = {name: [] for name in self.columns}
        self._vectors: dict[str, np.ndarray] = {}
        self.densities: list[tuple[int, SpectralDensity]] = []
        self.cost: dict[str, float] = dict.fromkeys(("loss", *self.measure), 0.0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in `history`."""
        return ("step", "loss", "gradient_norm", *(name for one in self.measure for name in MEASURES[one]))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """What was measured, by name; one entry per measured step."""
        return {
            name: np.asarray(values, dtype=np.int64 if name == "step" else np.float64)
            for name, values in self._columns.items()
        }

    @property
    def seconds(self) -> float:
        """CPU seconds that all measurements took."""
        return sum(self.cost.values())

    def __call__(self, step: Any, params: Any = None, history: Any = None) -> None:
        """Measure, if `step` is a multiple of `every`.

        As the callback of `ntkswift.train` it receives a `Snapshot` instead; elsewhere `params` may be nested or a flat
        vector, and `history` is not used.
        """
        if params is None:
            step, params = step.step, step.vector
        if step % self.every == 0:
            self.record(step, params)

    def record(self, step: int, params: Any) -> dict[str, float]:
        """Measure now; return the new entries."""
        vector = self._vector(params, step)
        entry: dict[str, float] = {"step": int(step)}
        for name in ("loss", *self.measure):
            began = time.process_time()
            try:
                entry |= getattr(self, f"_{name}_entries")(vector, int(step))
            except (ValueError, OverflowError) as error:
                if "finite" not in str(error):
                    raise
                raise FloatingPointError(self._message("finite derivatives", "NaN or infinity", step)) from error
            self.cost[name] += time.process_time() - began
        for name, values in self._columns.items():
            values.append(entry[name])
        return entry

    def __repr__(self) -> str:
        count = len(self._columns["step"])
        costs = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.cost.items())
        return (
            f"Tracker({count} records on {self.samples} inputs in batches of {self.batch}; "
            f"{self.seconds:.2f} CPU s: {costs})"
        )

    # ------------------------------------------------------------------ measures

    def _loss_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        # The covariance has the gradient's norm as well.
        wanted = "covariance" not in self.measure
        value, gradient = self._run(self._network.core.loss, vector, self._loss, *self._few, wanted)
        if not np.isfinite(value):
            raise FloatingPointError(self._message("a finite loss", value, step))
        return {"loss": value, "gradient_norm": euclidean_norm(gradient) if wanted else np.nan}

    def _covariance_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        k = core_spectrum(
            self._network.core, vector, self._loss, self._rows, self._targets, self.batch, **call_settings()
        )
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

    def _sample_covariance_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        k = core_spectrum(
            self._network.core, vector, self._loss, self._rows, self._targets, 0, count=1, **call_settings()
        )
        return {
            "sample_lambda_K": k.largest,
            "sample_spread_K": k.spread,
            "sample_trace_K": k.trace,
            "sample_lambda_G": k.largest_uncentred,
        }

    def _hessian_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        values = self._top("hessian", vector, 0, self.eigenvalues)
        top = float(values[0])
        return {
            "lambda_H": top,
            "top_sum_H": float(values.sum()),
            "spread_H": float(values.sum()) / top if top else 0.0,
        }

    def _hessian_last_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        return {"lambda_H_last": float(self._top("hessian_last", vector, 0, 1, "smallest")[0])}

    def _gauss_newton_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        return {"lambda_GN": float(self._top("gauss_newton", vector, 1, 1)[0])}

    def _sharpness_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        return {"sharpness": float(self._top("sharpness", vector, 0, 1, data=self._all)[0])}

    def _trace_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        samples = self._run(self._operator(vector).trace, self.probes, self._seed)
        error = samples.std(ddof=1) / np.sqrt(len(samples)) if len(samples) > 1 else np.nan
        return {"trace_H": float(samples.mean()), "trace_H_error": float(error)}

    def _density_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        nodes, weights = self._run(self._operator(vector).density, self.probes, self.steps, self._seed)
        self.densities.append((step, SpectralDensity(nodes, weights, len(vector))))
        return {}

    def _step_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        rows, targets = (part[: self.batch_size] for part in self._few)
        _, gradient = self._run(self._network.core.loss, vector, self._loss, rows, targets, True)
        alpha = self._run(
            _core.step_to_raise,
            self._network.core,
            vector,
            self._loss,
            *self._few,
            (self.learning_rate or 0.0) * gradient,
            1.2,
            1000.0,
        )
        return {"alpha_star": alpha}

    def _stability_entries(self, vector: np.ndarray, step: int) -> dict[str, float]:
        if "hessian" not in self._vectors:
            self._top("hessian", vector, 0, 1)
        curvatures = self._run(
            _core.sample_curvatures,
            self._network.core,
            vector,
            self._loss,
            *self._few,
            self._vectors["hessian"],
        )
        examples = len(self._all[0])
        return {
            "stability": stability_factor(
                self.learning_rate or 0.0, self.batch_size or examples, curvatures, examples=examples
            )
        }

    # ------------------------------------------------------------------ the core

    def _run(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        return function(*arguments, **keywords, **call_settings())

    def _operator(self, vector: np.ndarray, kind: int = 0, data: Any = None) -> Any:
        rows, targets = data or self._few
        return _core.SymmetricOperator.curvature(self._network.core, vector, kind, self._loss, rows, targets)

    def _top(
        self, name: str, vector: np.ndarray, kind: int, count: int, end: str = "largest", data: Any = None
    ) -> np.ndarray:
        """Eigenvalues at one end, beginning near the eigenvector of the last time."""
        start = self._vectors.get(name)
        if start is not None:
            # Something random keeps Lanczos from stopping at an eigenvector that is no longer the top one.
            noise = generator([self._seed, len(self._columns["step"])], op=_OP).standard_normal(len(start))
            start = start + 0.3 * noise / euclidean_norm(noise)
        values, _, vectors, _ = self._run(
            self._operator(vector, kind, data).eigen,
            min(count, len(vector)),
            end,
            self.tolerance,
            vectors=True,
            seed=self._seed,
            start=start,
        )
        self._vectors[name] = np.ascontiguousarray(vectors[0])
        return values

    def _vector(self, params: Any, step: int) -> np.ndarray:
        flat = isinstance(params, np.ndarray) and params.ndim == 1
        try:
            vector = (
                np.ascontiguousarray(check_array(params, "params", ndim=1, dtype=np.float64, op=_OP))
                if flat
                else self._network.vector(params)
            )
        except ValueError as error:
            if "finite" not in str(error):
                raise
            raise FloatingPointError(self._message("finite parameters", "others", step)) from error
        if len(vector) != self._network.parameter_count:
            raise ValueError(
                f"[{_OP}] params must have {self._network.parameter_count} numbers. Received {len(vector)}."
            )
        return vector

    def _message(self, wanted: str, received: Any, step: int) -> str:
        steps = self._columns["step"]
        kept = f"the history up to step {int(steps[-1])} is kept" if steps else "nothing was measured before"
        return f"[{_OP}] params must give {wanted}. Received {received} at step {step}; {kept}."


def _checked_measures(measure: Any, couples_batch: bool, learning_rate: Any) -> tuple[str, ...]:
    names = (measure,) if isinstance(measure, str) else tuple(measure)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"[{_OP}] measure must be of {tuple(MEASURES)}. Received {name!r}.")
        if couples_batch and name in ("sample_covariance", "stability"):
            raise ValueError(
                f"[{_OP}] measure must not be {name!r} where inputs depend on each other. Received a network with BatchNorm."
            )
        if name in ("step", "stability") and learning_rate is None:
            raise ValueError(f"[{_OP}] learning_rate is needed by measure {name!r}. Received None.")
    if "stability" in names and "hessian" not in names:
        raise ValueError(f'[{_OP}] measure must hold "hessian" where it holds "stability". Received {names}.')
    return tuple(sorted(set(names), key=list(MEASURES).index))


def _sizes(count: int, samples: int | None, batch: int | None) -> tuple[int, int]:
    """Inputs to measure on, whole batches of them, and the size of these."""
    if batch is not None:
        _checks.integer(batch, _OP, "batch")
    if samples is None:
        samples = min(count, max(count // 20, _GRADIENTS * (batch or _BATCH)))
    elif _checks.integer(samples, _OP, "samples") > count:
        raise ValueError(f"[{_OP}] samples must be at most the {count} inputs of x. Received {samples}.")
    if batch is None:
        batch = min(_BATCH, max(1, samples // 8))
    if 2 * batch > samples:
        raise ValueError(f"[{_OP}] batch must be at most half of the {samples} samples. Received {batch}.")
    return int(samples), int(batch)
