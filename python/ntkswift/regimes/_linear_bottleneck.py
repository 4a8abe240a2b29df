"""The deep linear network with a bottleneck, whose training is an ordinary differential equation of few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array, check_lengths
from .._call import Progress, Resources, takes_resources
from .._checks import choice, integer, real
from .._errors import DivergenceError
from .._random import generator
from .._runs import History, Loop
from ._bottleneck_history import time_to_threshold
from ._parameters import Parameters

_DIVERGENCE = 1e6


class LinearBottleneck(Parameters):
    """An infinitely wide deep linear network ``F(x) = scale w . A x`` with a bottleneck of `units` units.

    Only A (units, d) and w (units,) matter of the infinitely wide halves. With ``q = scale sum_i c_i x_i`` and
    ``c = (F - y) / n`` on the loss ``0.5 mean (F - y)^2`` ::

        A' = -inner_depth w q^T        w' = -outer_depth A q

    because the NTK of a linear network of L layers is L times its NNGP. Gradient flow conserves
    ``outer_depth A A^T - inner_depth w w^T``. (Littwin et al., arXiv:2107.00364, for the setting; the equations follow from
    the chain rule, cf. Saxe et al., arXiv:1312.6120.)

    Parameters
    ----------
    units : int, default=2
        Width k of the bottleneck.
    learning_rate : float, default=0.01
        Step size of gradient descent.
    steps : int, default=1000
        Steps of gradient descent.
    time : float or sequence of float, optional
        Gradient flow: its end (200 losses are recorded), or the times of the losses. ``learning_rate * steps`` if None.
    dynamics : {"gd", "flow"}, default="flow"
        Gradient descent or gradient flow.
    inner_depth, outer_depth : float, default=2
        Numbers of layers of the two halves.
    scale : float, optional
        Factor in front; ``1 / sqrt(units d)`` if None, with which the kernel at infinite width is
        ``(inner_depth + outer_depth) x . x' / d``.
    tolerance : float, default=1e-9
        Gradient flow: local error of a step relative to the largest weight.
    random_state : int, Generator or None
        Seed of A and w, standard normal.

    Attributes
    ----------
    history_ : History
        Losses and their times. Ctrl-C ends `fit` after a whole step, and `history_.interrupted` says so.
    inner_, outer_ : ndarray of shape (units, d), (units,)
        A and w at the end.
    coef_ : ndarray of shape (d,)
        ``scale A^T w``.
    conservation_error_ : float
        Largest change of the conserved matrix, relative to its largest element or that of ``A A^T``.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import LinearBottleneck
    >>> x = np.eye(4) * 2
    >>> model = LinearBottleneck(3, time=20.0, random_state=0).fit(x, x @ [1.0, 0.0, -2.0, 0.5])
    >>> model.coef_.round(3).tolist(), model.conservation_error_ < 1e-7
    ([1.0, 0.0, -2.0, 0.5], True)
    """

    def __init__(
        self,
        units: int = 2,
        learning_rate: float = 0.01,
        *,
        steps: int = 1000,
        time: Any = None,
        dynamics: str = "flow",
        inner_depth: float = 2,
        outer_depth: float = 2,
        scale: float | None = None,
        tolerance: float = 1e-9,
        random_state: Any = None,
    ) -> None:
        self.units = units
        self.learning_rate = learning_rate
        self.steps = steps
        self.time = time
        self.dynamics = dynamics
        self.inner_depth = inner_depth
        self.outer_depth = outer_depth
        self.scale = scale
        self.tolerance = tolerance
        self.random_state = random_state

    @takes_resources()
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        inner: Any = None,
        outer: Any = None,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> LinearBottleneck:
        """Train on X (n, d) and y (n,) from A = `inner` and w = `outer` (drawn where None), and return self.

        Raises
        ------
        DivergenceError
            Where gradient descent diverges. Its `history`, which is also `history_`, holds the losses up to there.
        """
        op = "LinearBottleneck.fit"
        choice(self.dynamics, op, "dynamics", ("gd", "flow"))
        x = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
        targets = check_array(y, "y", ndim=1, dtype=np.float64, op=op)
        check_lengths(x, targets, ("X", "y"), op=op)
        k, d = integer(self.units, op, "units", minimum=1), x.shape[1]
        self.scale_ = 1 / np.sqrt(k * d) if self.scale is None else self._positive("scale", op)
        depths = self._positive("inner_depth", op), self._positive("outer_depth", op)
        random = generator(self.random_state, op=op)
        drawn = random.standard_normal((k, d)), random.standard_normal(k)
        a = drawn[0] if inner is None else check_array(inner, "inner", dtype=np.float64, op=op)
        w = drawn[1] if outer is None else check_array(outer, "outer", ndim=1, dtype=np.float64, op=op)
        if a.shape != (k, d) or w.shape != (k,):
            raise ValueError(
                f"[{op}] inner and outer must have shapes {(k, d)}, {(k,)}. Received {a.shape}, {w.shape}."
            )
        self.inner_start_, self.outer_start_ = a, w
        problem = (x, targets[:, None], k, self.scale_, *depths)
        run = self._run(problem, np.concatenate([a.ravel(), w]), op)
        try:
            run.run()
        except DivergenceError as error:
            self._keep(run)
            raise DivergenceError(str(error), error.history) from None
        self._keep(run)
        return self

    def _positive(self, name: str, op: str) -> float:
        return real(getattr(self, name), op, name, above=0)

    def _run(self, problem: tuple[Any, ...], state: np.ndarray, op: str) -> _Descent | _Flow:
        rate = self._positive("learning_rate", op)
        steps = integer(self.steps, op, "steps", minimum=0)
        if self.dynamics == "gd":
            return _Descent(op, problem, state, rate, steps)
        times = np.linspace(0, rate * steps, 201) if self.time is None else self.time
        times = np.linspace(0, real(times, op, "time", minimum=0), 201) if np.ndim(times) == 0 else times
        times = np.ascontiguousarray(check_array(times, "time", ndim=1, dtype=np.float64, min_rows=1, op=op))
        return _Flow(op, problem, state, times, real(self.tolerance, op, "tolerance", minimum=1e-13, maximum=0.1))

    def _keep(self, run: _Descent | _Flow) -> None:
        k = len(self.outer_start_)
        self.inner_, self.outer_ = run.state[:-k].reshape(k, -1).copy(), run.state[-k:].copy()
        self.history_: History = run.history()
        before, after = (
            self._conserved(a, w) for a, w in ((self.inner_start_, self.outer_start_), (self.inner_, self.outer_))
        )
        size = max(np.abs(before).max(), self.outer_depth * np.abs(self.inner_start_ @ self.inner_start_.T).max())
        self.conservation_error_ = float(np.abs(after - before).max() / max(size, np.finfo(float).tiny))
        self.coef_ = self.scale_ * self.inner_.T @ self.outer_

    def _conserved(self, a: np.ndarray, w: np.ndarray) -> np.ndarray:
        return self.outer_depth * a @ a.T - self.inner_depth * np.outer(w, w)

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs of the trained network, shape (p,)."""
        x = self._rows(X, "LinearBottleneck.predict")
        return x @ self.coef_

    def kernel(self, X: Any, X2: Any = None, *, initial: bool = False) -> np.ndarray:
        """Return the instantaneous kernel of the trained network, or of the initial one, shape (p, p2)."""
        op = "LinearBottleneck.kernel"
        x = self._rows(X, op)
        x2 = x if X2 is None else self._rows(X2, op)
        a, w = (self.inner_start_, self.outer_start_) if initial else (self.inner_, self.outer_)
        moved = self.outer_depth * (x @ a.T) @ (x2 @ a.T).T
        return self.scale_**2 * (self.inner_depth * (w @ w) * x @ x2.T + moved)

    def _rows(self, X: Any, op: str) -> np.ndarray:
        if not hasattr(self, "coef_"):
            raise ValueError(f"[{op}] fit must be called first. Received an object that is not fitted.")
        x = check_array(X, "X", dtype=np.float64, op=op)
        if x.shape[1] != len(self.coef_):
            raise ValueError(f"[{op}] X must have {len(self.coef_)} columns. Received an array of shape {x.shape}.")
        return x

    def time_to_threshold(self, threshold: float = 1e-3) -> float:
        """Time at which the loss first was at most `threshold` times that at the start; inf where it never was."""
        return time_to_threshold(self.history_.loss, threshold, self.history_.time)

    def balanced_growth(self, target: float, start: float, times: Any) -> np.ndarray:
        """Return ``|coef|(t)`` of gradient flow in closed form, for a start that is balanced and points at the target.

        For inputs with ``X^T X = n I``, targets ``X b`` with ``|b| = target``, and A, w of rank one along b with
        ``outer_depth |A|^2 = inner_depth |w|^2``, the coefficients stay along b and their length m grows logistically,
        ``m' = 2 scale sqrt(inner_depth outer_depth) m (target - m)``.

        Parameters
        ----------
        target, start : float
            ``|b|`` and m at time 0, both positive.
        times : array_like
            Times.
        """
        op = "LinearBottleneck.balanced_growth"
        b = real(target, op, "target", above=0)
        m = real(start, op, "start", above=0)
        scale = getattr(self, "scale_", self.scale)
        if scale is None:
            raise ValueError(f"[{op}] scale must be given, or fit be called first. Received neither.")
        rate = 2 * scale * np.sqrt(self.inner_depth * self.outer_depth) * b
        return b / (1 + (b / m - 1) * np.exp(-rate * np.asarray(times, float)))


class _Descent(Loop):
    """Gradient descent, whose state changes in place."""

    def __init__(self, op: str, problem: tuple[Any, ...], state: np.ndarray, rate: float, steps: int) -> None:
        super().__init__(op, steps, Resources(), knows_end=True)
        self.problem, self.state, self.rate = problem, state, rate

    def advance(self, length: int, record: np.ndarray, done: np.ndarray, resources: Resources) -> None:
        resources.run(
            "linear_descend", self.op, *self.problem, self.state, self.rate, length, _DIVERGENCE, record, done
        )

    def history(self) -> History:
        columns = self.columns()
        return History(**{**columns, "time": self.rate * np.arange(len(columns["loss"]))}, clock="time")


class _Flow(Loop):
    """Gradient flow, whose losses and states are noted at given times."""

    def __init__(
        self, op: str, problem: tuple[Any, ...], state: np.ndarray, times: np.ndarray, tolerance: float
    ) -> None:
        super().__init__(op, None, Resources())
        self.problem, self.times, self.tolerance = problem, times, tolerance
        self.losses, self.states = np.full(len(times), np.nan), np.tile(state, (len(times), 1))

    def go(self, bar: Any) -> None:
        Resources(progress=bar).run(
            "linear_flow",
            self.op,
            *self.problem,
            self.states[0].copy(),
            self.times,
            self.tolerance,
            self.losses,
            self.states,
        )
        self.stopped = "finished"

    @property
    def state(self) -> np.ndarray:
        """The last state that was reached."""
        last: np.ndarray = self.states[max(0, self._reached - 1)]
        return last

    @property
    def _reached(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.losses)))

    def history(self) -> History:
        count = self._reached
        return History(
            loss=self.losses[:count],
            learning_rate=np.diff(self.times[:count]),
            time=self.times[:count],
            steps=max(0, count - 1),
            stopped=self.stopped or "interrupted",
            clock="time",
        )
