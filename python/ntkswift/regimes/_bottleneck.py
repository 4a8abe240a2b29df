"""An infinitely wide network with one finite layer: training in function space."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array, check_lengths, check_widths
from .._call import Progress, Resources, call, takes_resources
from .._checks import choice, integer, real
from .._errors import DivergenceError
from .._networks import layer_of
from .._random import generator, philox_key
from ..predict import gradient_descent_mse
from ..stax import serial
from ._bottleneck_run import Run
from ._bottleneck_start import continue_positions, draw_positions, inner_kernel, outer_start
from ._parameters import Parameters

_RECORDS = 1000
_DIVERGENCE = 1e6


class Bottleneck(Parameters):
    """A network ``F(x) = f(z(x))`` with a layer z of `units` units between two infinitely wide halves, trained exactly.

    The infinitely wide halves keep their kernels, but the representation z moves, so the network learns features although
    nothing else in it is finite (Littwin et al., "Implicit Acceleration and Feature Learning in Infinitely Wide Neural
    Networks with Bottlenecks", arXiv:2107.00364, for the setting). With ``c = dL/dF`` on ``L = 0.5 mean (F - y)^2`` and the NTKs
    Kg, Kf of the inner and the outer half, a step of gradient descent is ::

        z(x)  <-  z(x) - learning_rate sum_i Kg(x, x_i) c_i grad f(z(x_i))
        f(.)  <-  f(.) - learning_rate sum_i Kf(., z(x_i)) c_i

    and gradient flow is its limit. The equations follow from the chain rule; no weights are drawn and nothing is linearised.

    Parameters
    ----------
    outer : stax network
        The outer half f, from `units` inputs to the outputs: Dense layers ("ntk" parameterization) with smooth activations
        between them, such as Erf, Gelu, Sin, Tanh, Softplus or Polynomial. Its NTK must have a gradient by its input, which
        kinked activations do not have on the diagonal.
    inner : stax network or kernel function
        The inner half, of any kind: only its NTK and NNGP are used.
    units : int, default=2
        Width k of the bottleneck.
    learning_rate : float, default=0.1
        Step size of gradient descent.
    steps : int, default=1000
        Steps of gradient descent.
    time : float or sequence of float, optional
        End of the gradient flow; or ascending times at which its states are recorded. ``learning_rate * steps`` if None.
    dynamics : {"gd", "flow"}, default="gd"
        Gradient descent, or gradient flow by Dormand and Prince's method in function space.
    centred : bool, default=False
        Start from f = 0, as if the output at the start were subtracted, instead of a draw from the Gaussian process.
    history : {"exact", "compressed"}, default="exact"
        Keep every visited position (cost O(n^2 steps^2)), or project the learned function on a basis of positions as
        training goes (see Notes): for long runs.
    tolerance : float, default=1e-4
        Compressed history: relative distance, in the norm of Kf's Hilbert space, under which a position needs no place of
        its own in the basis. From 1e-6 on.
    flow_tolerance : float, default=1e-6
        Gradient flow: local error of z and F in a step, relative to the largest of each.
    record_every : int, optional
        Steps between recorded states; without it about 1,000 states are recorded (gradient flow: every step).
    start_width : int, optional
        Hidden units of the random network that the initial outer function is drawn as; 4,096 by default, 1,024 where it has
        several hidden layers.
    random_state : int, Generator or None
        Seed of the initial positions and the initial outer function.

    Attributes
    ----------
    history_ : BottleneckHistory
        Losses, positions, outputs. Ctrl-C ends `fit` after a whole step, and `history_.interrupted` says so.
    positions_ : ndarray of shape (n + m, units)
        Final positions of the training points, then of the test points.

    Notes
    -----
    The initial outer function, a draw from the Gaussian process with the outer NNGP, comes with its gradient from a random
    network of `start_width` hidden units, whose kernel has the NNGP as its mean and varies by about ``start_width**-0.5``.

    Compression keeps ``f - f_0`` as ``sum_a w_a Kf(., y_a)`` over a basis of visited positions; a position joins the basis
    where the others leave more than `tolerance` of it (Engel et al., doi:10.1109/TSP.2004.830985).
    ``history_.compression_error`` bounds what was left out at the training points.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> from ntkswift.regimes import Bottleneck
    >>> inner = stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(2))
    >>> outer = stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(1))
    >>> x = np.random.default_rng(0).standard_normal((10, 3))
    >>> model = Bottleneck(outer, inner, 2, learning_rate=1.0, steps=50, random_state=0).fit(x, np.sin(x[:, 0]))
    >>> bool(model.history_.loss[-1] < model.history_.loss[0])
    True
    """

    def __init__(
        self,
        outer: Any,
        inner: Any,
        units: int = 2,
        learning_rate: float = 0.1,
        *,
        steps: int = 1000,
        time: Any = None,
        dynamics: str = "gd",
        centred: bool = False,
        history: str = "exact",
        tolerance: float = 1e-4,
        flow_tolerance: float = 1e-6,
        record_every: int | None = None,
        start_width: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.outer = outer
        self.inner = inner
        self.units = units
        self.learning_rate = learning_rate
        self.steps = steps
        self.time = time
        self.dynamics = dynamics
        self.centred = centred
        self.history = history
        self.tolerance = tolerance
        self.flow_tolerance = flow_tolerance
        self.record_every = record_every
        self.start_width = start_width
        self.random_state = random_state

    # ------------------------------------------------------------------ training

    @takes_resources()
    def fit(
        self,
        X: Any,
        y: Any,
        X_test: Any = None,
        *,
        positions: Any = None,
        initial: Any = None,
        progress: Progress | None = None,
        memory_limit: int | None = None,
    ) -> Bottleneck:
        """Train on (X, y), carrying the test points along, and return self.

        Parameters
        ----------
        X : array_like of shape (n, d)
            Training inputs.
        y : array_like of shape (n,) or (n, outputs)
            Targets.
        X_test : array_like of shape (m, d), optional
            Inputs whose positions and outputs are recorded too. (Further ones can be given to `predict` later.)
        positions : array_like of shape (n + m, units) or callable, optional
            The initial positions, or a function of inputs that gives them; drawn from the inner NNGP without it.
        initial : callable or parameters, optional
            The initial outer function: a function of positions (p, units) that returns values (p, outputs) and gradients
            (p, outputs, units), or parameters of an outer network with one hidden layer, as its `init_fn` draws them.
        progress : callable, optional
            Called with the fraction done, at most every 50 ms; without it a bar where somebody watches.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.

        Raises
        ------
        ValueError
            For inputs that do not fit, NaN, or an outer network that is not a smooth fully connected one.
        DivergenceError
            Where training diverges. Its `history`, which is also `history_`, holds what was recorded.
        """
        op = "Bottleneck.fit"
        self._check_choices(op)
        x, targets, test = self._inputs(X, y, X_test, op)
        self._forget()
        points = x if test is None else np.vstack([x, test])
        run = self._run(self._start(points, targets, positions, initial, op), op)
        try:
            run.run()
        except DivergenceError as error:
            self._keep(run)
            raise DivergenceError(f"{error}{self._stable_rate()}", error.history) from None
        self._keep(run)
        return self

    def _check_choices(self, op: str) -> None:
        for name, allowed in (("dynamics", ("gd", "flow")), ("history", ("exact", "compressed"))):
            choice(getattr(self, name), op, name, allowed)

    def _inputs(self, X: Any, y: Any, X_test: Any, op: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        x = check_array(X, "X", dtype=np.float64, op=op)
        targets = check_array(y, "y", ndim=(1, 2), dtype=np.float64, min_cols=1, op=op)
        check_lengths(x, targets, ("X", "y"), op=op)
        self._y_is_flat = targets.ndim == 1
        test = None
        if X_test is not None:
            test = check_array(X_test, "X_test", dtype=np.float64, op=op)
            check_widths(x, test, ("X", "X_test"), op=op)
        return np.ascontiguousarray(x), np.ascontiguousarray(targets.reshape(len(targets), -1)), test

    def _forget(self) -> None:
        for name in ("history_", "positions_"):
            self.__dict__.pop(name, None)

    def _start(self, points: np.ndarray, targets: np.ndarray, positions: Any, initial: Any, op: str) -> Any:
        units = integer(self.units, op, "units", minimum=1)
        rate = real(self.learning_rate, op, "learning_rate", above=0)
        tolerance = real(self.tolerance, op, "tolerance", minimum=1e-6, maximum=0.5)
        flow_tolerance = real(self.flow_tolerance, op, "flow_tolerance", minimum=1e-12, maximum=0.1)
        width = 0 if self.start_width is None else integer(self.start_width, op, "start_width", minimum=1)
        self._layer = layer_of(self.outer, op, "outer")
        self._kernel = inner_kernel(self.inner, op)
        random = generator(self.random_state, op=op)
        # The seeds of everything else first, so that they do not depend on how many points there are.
        key = philox_key(random)
        self._seed = int(random.integers(2**63))
        self._points, self._n, self._new_draws = points, len(targets), positions
        if positions is None:
            z = draw_positions(self._kernel, points, units, random)
        else:
            z = self._given_positions(positions, points, units, op)
        self._start_positions, self._key, self._initial = z, key, initial
        self._outer_start = outer_start(initial, bool(self.centred), key, width, targets.shape[1], units, op)
        inner = self._kernel(points, points[: self._n], "ntk")
        self._targets = targets
        compression = tolerance if self.history == "compressed" else 0.0
        return Resources().run(
            "BottleneckRun",
            "bottleneck",
            self._layer._compiled,
            self._outer_start,
            inner,
            np.ascontiguousarray(z),
            targets,
            rate,
            compression,
            flow_tolerance,
            _DIVERGENCE,
        )

    def _given_positions(self, positions: Any, points: np.ndarray, units: int, op: str) -> np.ndarray:
        z = positions(points) if callable(positions) else positions
        z = check_array(z, "positions", ndim=2, dtype=np.float64, op=op)
        if z.shape != (len(points), units):
            raise ValueError(f"[{op}] positions must have shape {(len(points), units)}. Received {z.shape}.")
        return z

    def _run(self, core: Any, op: str) -> Run:
        steps = integer(self.steps, op, "steps", minimum=0)
        every = None if self.record_every is None else integer(self.record_every, op, "record_every", minimum=1)
        shape = (self._n, len(self._points), self._start_positions.shape[1], self._targets.shape[1])
        if self.dynamics == "gd":
            rate = float(self.learning_rate)
            return Run(op, core, shape, Resources(), rate, steps=steps, every=every or max(1, steps // _RECORDS))
        given = self.learning_rate * steps if self.time is None else self.time
        times = check_array(np.atleast_1d(given), "time", ndim=1, dtype=np.float64, min_rows=1, op=op)
        if times[0] < 0 or (np.diff(times) < 0).any():
            raise ValueError(f"[{op}] time must be at least 0 and ascend. Received {times[:5]}.")
        return Run(
            op, core, shape, Resources(), None, times=np.ascontiguousarray(times), every_step=np.ndim(given) == 0
        )

    def _keep(self, run: Run) -> None:
        self.history_ = run.history()
        if len(self.history_.recorded):
            self.positions_ = self.history_.positions[-1]
        self._state = {name: run.state[name] for name in ("anchors", "weights", "drive")}

    def _stable_rate(self) -> str:
        """What the kernel at the start says about the learning rate."""
        if self.dynamics != "gd" or not len(self.history_.recorded) or self._targets.shape[1] != 1:
            return ""
        kernel = self.instantaneous_kernel(0)[: self._n, : self._n]
        if not np.isfinite(kernel).all():
            return ""
        bound = 2 * self._n / call("largest_eigenvalue", "learning rate", np.ascontiguousarray(kernel))
        return f" The kernel at the start is stable below {bound:.3g}; received {self.learning_rate:.3g}."

    # ------------------------------------------------------------------ the trained network

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs of the trained network, shape (p,) or (p, outputs) like the targets.

        Points given to `fit` keep their trajectory. New ones start from positions drawn given the known starts (or from
        the function `positions`), and the training steps are replayed on them; the same points always get the same draw,
        but two calls with different new points are separate draws.
        """
        z, known = self._place(X, "Bottleneck.predict")
        values = np.empty((len(z), self._targets.shape[1]))
        here = known >= 0
        values[here] = self.history_.outputs[-1][known[here]]
        if not here.all():
            values[~here] = self.outer_function(z[~here])[0]
        return values[:, 0] if self._y_is_flat else values

    def transform(self, X: Any) -> np.ndarray:
        """Return the bottleneck representation of the trained network, shape (p, units); see `predict`."""
        return self._place(X, "Bottleneck.transform")[0]

    def outer_function(self, z: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the trained outer function at positions z: values (p, outputs), gradients (p, outputs, units)."""
        op = "Bottleneck.outer_function"
        self._fitted(op)
        z = check_array(z, "z", dtype=np.float64, op=op)
        k, c = self._start_positions.shape[1], self._targets.shape[1]
        if z.shape[1] != k:
            raise ValueError(f"[{op}] z must have {k} columns. Received an array of shape {z.shape}.")
        values, gradients = call(
            "outer_evaluate",
            "outer function",
            self._layer._compiled,
            self._outer_start,
            np.ascontiguousarray(z),
            self._state["anchors"],
            self._state["weights"],
            c,
        )
        return values, gradients.reshape(len(z), c, k)

    def _place(self, X: Any, op: str) -> tuple[np.ndarray, np.ndarray]:
        """Final positions, and the numbers of the points among those of `fit` (-1: new)."""
        self._fitted(op)
        x = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
        check_widths(x, self._points, ("X", "the training inputs"), op=op)
        place = {row.tobytes(): i for i, row in reversed(list(enumerate(self._points + 0.0)))}
        known = np.array([place.get(row.tobytes(), -1) for row in x + 0.0], dtype=int)
        z = self.positions_[known]
        new = x[known < 0]
        if len(new):
            start = self._new_positions(new, op)
            inner = self._kernel(new, self._points[: self._n], "ntk")
            z[known < 0] = start - inner @ self._state["drive"]
        return z, known

    def _new_positions(self, new: np.ndarray, op: str) -> np.ndarray:
        if self._new_draws is None:
            return continue_positions(
                self._kernel, self._points, self._start_positions, new, generator(self._seed, op=op)
            )
        if callable(self._new_draws):
            return self._given_positions(self._new_draws, new, self._start_positions.shape[1], op)
        raise ValueError(
            f"[{op}] X must be points that fit was given, because positions was an array. Received {len(new)} others. "
            "Pass a function as positions."
        )

    # ------------------------------------------------------------------ kernels

    def instantaneous_kernel(self, state: int = -1) -> np.ndarray:
        """Return the kernel that moves the outputs at a recorded state, between all points (training points first).

        ``Kf(z, z') + Kg(x, x') <grad f(z), grad f(z')>``, shape (n + m, n + m); for several outputs
        (n + m, outputs, n + m, outputs).

        Parameters
        ----------
        state : int, default=-1
            Number of the recorded state, see ``history_.recorded``; 0 is the start, -1 the last one.
        """
        op = "Bottleneck.instantaneous_kernel"
        self._fitted(op)
        count = len(self.history_.recorded)
        state = integer(state, op, "state", minimum=-count)
        if state >= count:
            raise ValueError(f"[{op}] state must be below {count}. Received {state}.")
        z, slope = self.history_.positions[state], self.history_.gradients[state]
        outer = np.asarray(self._layer.kernel_fn(np.ascontiguousarray(z), None, "ntk"))
        inner = self._kernel(self._points, None, "ntk")
        if slope.shape[1] == 1:
            return outer + inner * (slope[:, 0] @ slope[:, 0].T)
        same = np.eye(slope.shape[1])
        return outer[:, None, :, None] * same[:, None] + inner[:, None, :, None] * np.einsum(
            "iak,jbk->iajb", slope, slope
        )

    def infinite_kernel(self, X: Any = None, X2: Any = None) -> np.ndarray:
        """Return the NTK of the network whose bottleneck is infinitely wide too; between the training points by default.

        Needs `inner` to be a stax network.
        """
        op = "Bottleneck.infinite_kernel"
        if X is None:
            self._fitted(op)
            X = self._points[: self._n]
        network = serial(layer_of(self.inner, op, "inner"), layer_of(self.outer, op, "outer"))
        return network.kernel_fn(X, X2, "ntk")

    def constant_kernel_loss(self, kernel: str = "infinite", *, start: str = "same") -> np.ndarray:
        """Return the losses that training with a constant kernel would have had, at ``history_.time``.

        Parameters
        ----------
        kernel : {"infinite", "frozen"}
            `infinite_kernel`, that of a purely infinite network; or the instantaneous kernel at the start.
        start : {"same", "zero"}
            From the same initial outputs, or from zero.
        """
        op = "Bottleneck.constant_kernel_loss"
        self._fitted(op)
        choice(kernel, op, "kernel", ("infinite", "frozen"))
        choice(start, op, "start", ("same", "zero"))
        n = self._n
        if kernel == "frozen" and self._targets.shape[1] > 1:
            raise ValueError(f'[{op}] kernel="frozen" needs one output. Received {self._targets.shape[1]}.')
        matrix = self.infinite_kernel() if kernel == "infinite" else self.instantaneous_kernel(0)[:n, :n]
        first = self.history_.outputs[0][:n] if start == "same" else np.zeros_like(self._targets)
        residuals = np.ascontiguousarray(first - self._targets)
        matrix = np.ascontiguousarray(matrix)
        if self.dynamics == "gd":
            steps = len(self.history_.loss) - 1
            return call(
                "constant_kernel_descent", "constant kernel", matrix, residuals, self.learning_rate, steps
            ).ravel()
        outputs = gradient_descent_mse(matrix, self._targets)(self.history_.time, first)
        return 0.5 * np.mean((np.asarray(outputs) - self._targets) ** 2, axis=(1, 2))

    def _fitted(self, op: str) -> None:
        if not hasattr(self, "history_"):
            raise ValueError(f"[{op}] fit must be called first. Received an object that is not fitted.")

    def __getstate__(self) -> dict[str, Any]:
        # The kernel function is made again from `inner`.
        return {name: value for name, value in super().__getstate__().items() if name != "_kernel"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "history_" in state:
            self._kernel = inner_kernel(self.inner, "Bottleneck")
