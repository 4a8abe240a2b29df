"""What is measured along a training run, how often, on how many samples, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _checks
from .._arrays import check_array
from .._call import Progress, double, takes_resources
from .._networks import loss_number, network_for, targets_for
from .._norm import euclidean_norm
from .._random import generator
from ._measures import MEASURES, RATED, SINGLE, Instruments
from ._spectrum import SpectralDensity

_OP = "Tracker"
# The paper's gradients: about twenty mini-batches of 128 inputs.
_BATCH, _GRADIENTS = 128, 20


class Tracker:
    """Measures curvature and gradient noise every few steps of a training run.

    It is a callback of `ntkswift.train`: network, data, loss, learning rate and batch size are those of the run (in mode
    "random_features" the last layer on its features). In any other loop, say first what it watches, and then call it with
    the step and the parameters: ``tracker.watch(network, x, y)``, ``tracker(step, params)``.

    Parameters
    ----------
    measure : sequence of str
        Of `MEASURES`: "covariance" (K of mini-batch gradients), "sample_covariance" (of single inputs), "hessian" (its
        `eigenvalues` largest ones, by Lanczos), "hessian_last" (the smallest), "trace" (Hutchinson), "density"
        (stochastic Lanczos quadrature, kept in `densities`), "gauss_newton" (its largest), "sharpness" (largest
        eigenvalue of the Hessian on the whole training set), "step" (alpha^* along the update of one step), "stability"
        (factor of Eq. (1); needs "hessian"). The loss and the norm of its gradient come with "covariance" and by
        themselves. "sample_covariance" and "stability" need networks without BatchNorm.
    every : int, default=10
        Measure at steps that are multiples of this, whatever `every` of `ntkswift.train` is.
    samples : int or None, default=None
        Inputs to measure on. None: 5 % of the training set, but at least 20 batches of 128 where there are so many.
    batch : int or None, default=None
        Size of the measuring mini-batches, whatever batch trains the network. None: 128 as in the paper, or less where
        the samples would make fewer than 8 of them.
    curvature_samples : int or None, default=None
        Inputs, of these `samples`, for everything that is not a covariance of gradients; None: 128, or all of them where
        they are fewer. A product with the Hessian costs as much as two gradients of these inputs.
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
    learning_rate : float or None
        Of the run when it began.

    Raises
    ------
    FloatingPointError
        When called with parameters or a loss that are not finite; what was measured before stays in `history`.
    ValueError
        At the start of a run of which it cannot measure what it is asked for: a learning rate of gradient flow, single
        inputs of a network with BatchNorm, a linearised network (mode "lazy").

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import curvature, stax, train
    >>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.random.default_rng(0).standard_normal((64, 3)), np.ones((64, 1))
    >>> _, params = network.init_fn(0, x.shape)
    >>> tracker = curvature.Tracker(every=5, batch=8)
    >>> run = train(network, params, x, y, steps=12, callback=tracker)
    >>> tracker.history["step"].tolist()
    [0, 5, 10]
    """

    def __init__(
        self,
        *,
        measure: Sequence[str] = ("covariance", "hessian"),
        every: int = 10,
        samples: int | None = None,
        batch: int | None = None,
        curvature_samples: int | None = None,
        eigenvalues: int = 1,
        tolerance: float = 1e-2,
        probes: int = 8,
        steps: int = 32,
        seed: int = 0,
    ) -> None:
        self.measure = _checked_measures(measure)
        self.every = _checks.integer(every, _OP, "every")
        self.samples, self.batch, self.curvature_samples = samples, batch, curvature_samples
        for name in ("samples", "batch", "curvature_samples"):
            if getattr(self, name) is not None:
                _checks.integer(getattr(self, name), _OP, name)
        self.eigenvalues = _checks.integer(eigenvalues, _OP, "eigenvalues")
        self.tolerance = _checks.tolerance(tolerance, _OP, "tolerance")
        self.probes, self.steps = _checks.integer(probes, _OP, "probes"), _checks.integer(steps, _OP, "steps")
        self.seed = _checks.seed_number(seed, _OP)
        self._instruments: Instruments | None = None
        self.learning_rate: float | None = None
        self._rate: float | None = None
        self._watched: Any = None
        self._forget()

    # MARK: what is watched

    def watch(
        self,
        network: Any,
        x: Any,
        y: Any,
        loss: str = "mse",
        *,
        learning_rate: float | None = None,
        batch_size: int | None = None,
    ) -> Tracker:
        """Watch a training run of another loop than `ntkswift.train`; return the tracker itself.

        Parameters
        ----------
        network : ApplyFunction or Layer
            The network that is trained.
        x, y : array_like
            The training set; what is measured on is drawn from it once.
        loss : {"mse", "cross_entropy", "logistic"}
            As in `ntkswift.empirical.loss_and_gradient`.
        learning_rate, batch_size : float, int or None
            Of the training run: "step" and "stability" need the former; its updates and Eq. (1) use the latter (None:
            full).

        Examples
        --------
        >>> import numpy as np
        >>> from ntkswift import curvature, empirical, stax
        >>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
        >>> x, y = np.random.default_rng(0).standard_normal((64, 3)), np.ones((64, 1))
        >>> _, params = network.init_fn(0, x.shape)
        >>> tracker = curvature.Tracker(every=5, batch=8).watch(network, x, y)
        >>> for step in range(11):
        ...     tracker(step, params)
        ...     _, ((dW, _), _, (dV, _)) = empirical.loss_and_gradient(network, params, x, y)
        ...     (W, _), _, (V, _) = params
        ...     params = (W - 0.1 * dW, None), (), (V - 0.1 * dV, None)
        >>> tracker.history["step"].tolist()
        [0, 5, 10]
        """
        finite, rows = network_for(network, x, _OP, "x")
        targets = targets_for(finite, y, len(rows), loss).rows
        if learning_rate is not None:
            _checks.real(learning_rate, _OP, "learning_rate", above=0)
        if batch_size is not None:
            _checks.integer(batch_size, _OP, "batch_size", maximum=len(rows))
        self._watch(finite, rows, targets, loss_number(loss, _OP), learning_rate, batch_size)
        self._forget()
        return self

    def begin(self, run: Any) -> None:
        """Watch a run of `ntkswift.train`, which calls this with a `Snapshot` when it starts.

        A run that goes on from a checkpoint goes on with the history, if it is later than all of it.
        """
        if run.problem.mode == "lazy":
            raise ValueError(
                f'[{_OP}] mode must be "full" or "random_features": a linearised network has the curvature of its start, '
                '`curvature.gauss_newton(network, params, x, y)`. Received "lazy".'
            )
        problem = run.problem
        loss = loss_number(problem.loss, _OP)
        self._watch(problem.network, problem.x, problem.y, loss, run.learning_rate, problem.batch_size)
        if not self._steps or self._steps[-1] >= run.step:
            self._forget()
        self._watched = problem

    def _watch(
        self, network: Any, rows: np.ndarray, targets: np.ndarray, loss: int, rate: float | None, batch_size: int | None
    ) -> None:
        for name in self.measure:
            if name in SINGLE and network.core.couples_batch:
                raise ValueError(
                    f"[{_OP}] measure must not be {name!r} where inputs depend on each other. "
                    "Received a network with BatchNorm."
                )
            if name in RATED and rate is None:
                raise ValueError(f"[{_OP}] learning_rate is needed by measure {name!r}. Received None.")
        samples, batch, few = _sizes(len(rows), self.samples, self.batch, self.curvature_samples)
        chosen = np.sort(generator(self.seed, op=_OP).permutation(len(rows))[:samples])
        order = generator([self.seed, 1], op=_OP).permutation(chosen)
        own = np.ascontiguousarray(rows[order]), np.ascontiguousarray(targets[order])
        self.learning_rate = self._rate = rate
        self._watched = None
        self._instruments = Instruments(
            network=network,
            loss=loss,
            everything=(rows, targets),
            chosen=own,
            few=(own[0][:few], own[1][:few]),
            batch=batch,
            batch_size=batch_size or len(rows),
            eigenvalues=self.eigenvalues,
            tolerance=self.tolerance,
            probes=self.probes,
            steps=self.steps,
            seed=self.seed,
        )

    def _forget(self) -> None:
        self._columns: dict[str, list[float]] = {name: [] for name in self.columns}
        self.cost: dict[str, float] = dict.fromkeys(("loss", *self.measure), 0.0)

    # MARK: measuring

    def __call__(self, step: Any, params: Any = None) -> None:
        """Measure, if the step is a multiple of `every`.

        `ntkswift.train` gives a `Snapshot`; other loops the number of the step and the parameters, nested or flat.
        """
        if params is None:
            run = step
            if self._watched is not run.problem:
                self.begin(run)
            self._rate = run.learning_rate
            step, params = run.step, run.vector
        if _checks.integer(step, _OP, "step", minimum=0) % self.every == 0:
            self.record(step, params)

    @takes_resources()
    def record(
        self, step: int, params: Any, *, memory_limit: int | None = None, progress: Progress | None = None
    ) -> dict[str, float]:
        """Measure now; return the new entries."""
        tools = self._tools()
        vector = self._vector(params, step)
        entry: dict[str, float] = {"step": int(step)}
        for name in ("loss", *self.measure):
            began = time.process_time()
            try:
                found = (
                    self._loss(vector, step) if name == "loss" else tools.measure(name, vector, step, self._rate or 0.0)
                )
            except OverflowError as error:
                raise FloatingPointError(self._message("finite derivatives", "NaN or infinity", step)) from error
            entry |= found
            self.cost[name] += time.process_time() - began
        for name, values in self._columns.items():
            values.append(entry[name])
        tools.count += 1
        return entry

    def _loss(self, vector: np.ndarray, step: int) -> dict[str, float]:
        # The covariance has the gradient's norm as well.
        wanted = "covariance" not in self.measure
        value, gradient = self._tools().loss_of(vector, wanted)
        if not np.isfinite(value):
            raise FloatingPointError(self._message("a finite loss", value, step))
        return {"loss": value, "gradient_norm": euclidean_norm(gradient) if wanted else np.nan}

    def _tools(self) -> Instruments:
        if self._instruments is None:
            raise ValueError(
                f"[{_OP}] needs something to measure: pass it to ntkswift.train as its callback, or call watch(network, x, y) "
                "first. Received neither."
            )
        return self._instruments

    def _vector(self, params: Any, step: int) -> np.ndarray:
        network = self._tools().network
        if not _is_finite(params):
            raise FloatingPointError(self._message("finite parameters", "others", step))
        flat = isinstance(params, np.ndarray) and params.ndim == 1
        vector = double(check_array(params, "params", ndim=1, op=_OP)) if flat else network.vector(params)
        if len(vector) != network.parameter_count:
            raise ValueError(f"[{_OP}] params must have {network.parameter_count} numbers. Received {len(vector)}.")
        return vector

    def _message(self, wanted: str, received: Any, step: int) -> str:
        kept = (
            f"the history up to step {int(self._steps[-1])} is kept" if self._steps else "nothing was measured before"
        )
        return f"[{_OP}] params must give {wanted}. Received {received} at step {step}; {kept}."

    # MARK: results

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
    def densities(self) -> list[tuple[int, SpectralDensity]]:
        """Spectral densities with their steps."""
        return [] if self._instruments is None else self._instruments.densities

    @property
    def seconds(self) -> float:
        """CPU seconds that all measurements took."""
        return sum(self.cost.values())

    @property
    def _steps(self) -> list[float]:
        return self._columns["step"]

    def __repr__(self) -> str:
        if self._instruments is None:
            return f"Tracker(measure={self.measure}, every={self.every})"
        costs = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.cost.items())
        return (
            f"Tracker({len(self._steps)} records on {len(self._instruments.chosen[0])} inputs in batches of "
            f"{self._instruments.batch}; {self.seconds:.2f} CPU s: {costs})"
        )


def _is_finite(params: Any) -> bool:
    if isinstance(params, (tuple, list)):
        return all(_is_finite(part) for part in params)
    return params is None or np.asarray(params).dtype.kind != "f" or bool(np.isfinite(params).all())


def _checked_measures(measure: Any) -> tuple[str, ...]:
    names = (measure,) if isinstance(measure, str) else tuple(measure)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"[{_OP}] measure must be of {tuple(MEASURES)}. Received {name!r}.")
    if "stability" in names and "hessian" not in names:
        raise ValueError(f'[{_OP}] measure must hold "hessian" where it holds "stability". Received {names}.')
    return tuple(sorted(set(names), key=list(MEASURES).index))


def _sizes(count: int, samples: int | None, batch: int | None, few: int | None) -> tuple[int, int, int]:
    """Inputs to measure on, the size of their mini-batches, and how many of them are for curvature."""
    if samples is None:
        samples = min(count, max(count // 20, _GRADIENTS * (batch or _BATCH)))
    elif samples > count:
        raise ValueError(f"[{_OP}] samples must be at most the {count} inputs of x. Received {samples}.")
    if batch is None:
        batch = min(_BATCH, max(1, samples // 8))
    if 2 * batch > samples:
        raise ValueError(f"[{_OP}] batch must be at most half of the {samples} samples. Received {batch}.")
    if few is None:
        few = min(_BATCH, samples)
    elif few > samples:
        raise ValueError(f"[{_OP}] curvature_samples must be at most the {samples} samples. Received {few}.")
    return samples, batch, few
