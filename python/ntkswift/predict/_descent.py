"""Gradient descent on any loss, with or without momentum, as a differential equation in function space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._call import Progress, allowed, call, double, keeps_resources, takes_resources
from .._checks import real
from .._kernel_matrix import check_definite
from ._losses import class_targets, core_loss
from ._mse import check_request, time_first
from ._shapes import Targets, as_matrix, check_kernel, check_times

_OP = "gradient_descent"
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ODEState:
    """Outputs and velocities of training in continuous time.

    Attributes
    ----------
    fx_train, fx_test : ndarray or None
        Outputs on the training and the test set.
    qx_train, qx_test : ndarray or None
        Their velocities (momentum only), with respect to time in units of the square root of the learning rate.
    """

    fx_train: Any = None
    fx_test: Any = None
    qx_train: Any = None
    qx_test: Any = None

    def replace(self, **changes: Any) -> ODEState:
        """The same state with some fields changed."""
        return ODEState(**{**self.__dict__, **changes})


@takes_resources()
def gradient_descent(
    loss: str | Callable[[np.ndarray, np.ndarray], Any],
    k_train_train: Any,
    y_train: Any,
    learning_rate: float = 1.0,
    momentum: float | None = None,
    trace_axes: int | Sequence[int] = (-1,),
    *,
    loss_gradient: Callable[[np.ndarray, np.ndarray], Any] | None = None,
    mean_over: str = "inputs",
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Callable[..., Any]:
    """Outputs of an infinitely wide network during gradient descent on any loss, in continuous time.

    It integrates ``df/dt = -K dL/df`` (Lee et al., arXiv:1902.06720, equation 4), with momentum ``d2f/dt2 = -K dL/df +
    m df/dt`` with ``m = (momentum - 1) / sqrt(learning_rate)``.

    Parameters
    ----------
    loss : "mse", "cross_entropy", "logistic" or callable
        ``0.5 mean((f - y)^2)``; ``-mean(sum(log_softmax(f) y))`` with sums over the last axis, the classes, and the mean over
        all others; ``mean(log(1 + exp f) - y f)`` of one output, the log odds of the second of two classes; or a function
        ``loss(f, y)`` of two float64 arrays of the shape of `y_train` that returns a number.
    k_train_train : array_like of shape (n, n)
        NTK between the training points, or in pairs of the axes of `y_train` without `trace_axes`.
    y_train : array_like of shape (n, outputs)
        Targets; (n,) for one output, results then have no axis of outputs either. For the losses of classes their
        probabilities, or labels of shape (n,): integers, booleans, or strings, which are numbered in the order of
        `numpy.unique`. Labels have as many classes as the largest number says, at least two.
    learning_rate : float
        Step size, more than 0. Time counts steps: the equation runs to ``learning_rate * t``, with momentum to
        ``sqrt(learning_rate) * t``.
    momentum : float, optional
        In [0, 1].
    trace_axes : int or sequence of int
        Axes of `y_train` that the kernels do not have.
    loss_gradient : callable, optional
        ``loss_gradient(f, y)``, the gradient of a callable `loss` by its first argument. Without it the gradient is
        taken by central differences with steps of 6e-6 max(1, abs(f)), two evaluations for each output and good to some
        eight digits.
    mean_over : {"inputs", "inputs_and_classes"}
        What cross-entropy is the mean over. The second is neural-tangents' and divides the gradient by the classes as well, so
        that k classes need k times the learning rate.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    predict_fn : callable
        ``predict_fn(t=None, fx_train_or_state_0=0.0, fx_test_0=None, k_test_train=None)``. `t` is a time or an array of
        times in any order, None goes on until nothing moves. The outputs at time 0 are numbers or arrays, or an
        `ODEState` for both sets; None leaves a set out. The result is ``fx_train``, ``fx_test``, both as a tuple, or an
        `ODEState` where one was given, with the axes of `t` in front.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity (also from the loss), negative times.
    ConvergenceError
        At ``t=None`` for a loss whose training does not end in 100,000 steps, or where the outputs blow up.
        (Cross-entropy of hard labels ends where the probabilities round to the labels.)

    Notes
    -----
    Dormand and Prince's method of orders 5 and 4 with a relative local error of 1e-9. The kernel is stiff where its
    eigenvalues differ much: about ``lambda_max learning_rate t / (3 y.size)`` steps of six products with the kernel.
    For the squared loss `gradient_descent_mse` is exact and faster. The test set costs nothing per step.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict
    >>> kernel = np.array([[2.0, 1], [1, 2]])
    >>> predict_fn = predict.gradient_descent("cross_entropy", kernel, np.array([[1.0, 0], [0, 1]]))
    >>> fx = predict_fn([1.0, 100.0], 0.0)
    >>> fx.shape, bool(fx[1, 0, 0] > fx[0, 0, 0] > 0)
    ((2, 2, 2), True)
    """
    return _Descent(loss, loss_gradient, k_train_train, y_train, learning_rate, momentum, trace_axes, mean_over)


class _Descent:
    """The `predict_fn` of :func:`gradient_descent`."""

    def __init__(
        self,
        loss: Any,
        loss_gradient: Any,
        kernel: Any,
        y_train: Any,
        learning_rate: float,
        momentum: float | None,
        trace_axes: int | Sequence[int],
        mean_over: str,
    ) -> None:
        self._resources = allowed()
        kernel = check_kernel(kernel, "k_train_train", _OP, is_gram=True)
        self._dtype = kernel.dtype
        self._kernel = double(as_matrix(kernel))
        check_definite(self._kernel, "k_train_train", _OP)
        self._targets = Targets(class_targets(loss, y_train), trace_axes, kernel.shape[::2], _OP)
        rate = real(learning_rate, _OP, "learning_rate", above=0)
        self._time_unit, self._damping = rate, None
        if momentum is not None:
            self._time_unit = rate**0.5
            self._damping = (real(momentum, _OP, "momentum", minimum=0, maximum=1) - 1) / self._time_unit
        self._loss = core_loss(loss, loss_gradient, self._targets, mean_over)

    @keeps_resources
    def __call__(
        self, t: Any = None, fx_train_or_state_0: Any = 0.0, fx_test_0: Any = None, k_test_train: Any = None
    ) -> Any:
        """Outputs at time(s) `t`; see :func:`gradient_descent`."""
        given = fx_train_or_state_0
        if isinstance(given, ODEState):
            if fx_test_0 is not None:
                raise ValueError(
                    f"[{_OP}] fx_test_0 must be None where an ODEState is given, which holds it. Received both."
                )
            state = given
        else:
            state = ODEState(given, fx_test_0)
        check_request(state.fx_train, state.fx_test, k_test_train, _OP)
        if self._damping is None and (state.qx_train is not None or state.qx_test is not None):
            raise ValueError(f"[{_OP}] an ODEState with velocities needs momentum. Received momentum=None.")
        result = self._integrate(check_times(np.inf if t is None else t, _OP), state, k_test_train)
        if isinstance(given, ODEState):
            return result
        if given is None:
            return result.fx_test
        return result.fx_train if fx_test_0 is None else (result.fx_train, result.fx_test)

    def _integrate(self, t: np.ndarray, state: ODEState, k_test_train: Any) -> ODEState:
        times, order = np.unique(np.ravel(t * self._time_unit), return_inverse=True)
        blocks = call(
            "gradient_descent",
            "gradient descent",
            *self._loss,
            self._kernel,
            self._start(state),
            times,
            self._damping,
            _TOLERANCE,
        ).reshape(len(times), -1, len(self._kernel), self._width)[order.ravel()]
        f, u, *velocities = (np.ascontiguousarray(blocks[:, b]) for b in range(blocks.shape[1]))
        train = [self._outputs(f, self._targets.rows, t.shape)]
        test: list[Any] = [None]
        if velocities:
            train.append(self._outputs(velocities[0], self._targets.rows, t.shape))
        if state.fx_test is not None:
            test = self._test(state, k_test_train, t, [u, *velocities[1:]])
        return ODEState(train[0], test[0], *(pair[1] if len(pair) > 1 else None for pair in (train, test)))

    @property
    def _width(self) -> int:
        return self._targets.size // max(len(self._kernel), 1)

    def _start(self, state: ODEState) -> np.ndarray:
        """The state at time 0 as the core takes it: f, u = 0 (, q, p = 0)."""
        shape, parts = self._targets.array.shape, [state.fx_train, None]
        if self._damping is not None:
            parts += [state.qx_train, None]
        names = ("fx_train_0", "", "qx_train_0", "")
        return np.concatenate(
            [
                np.zeros(self._targets.size)
                if part is None
                else self._targets.matrix(self._targets.initial(part, name, shape)).ravel()
                for part, name in zip(parts, names, strict=False)
            ]
        )

    def _test(self, state: ODEState, k_test_train: Any, t: np.ndarray, integrals: list[np.ndarray]) -> list[np.ndarray]:
        """Outputs (and velocities) on the test set: their start, moving freely, minus the kernel times the integrals."""
        cross, rows = self._targets.cross_kernel(k_test_train)
        shape = self._targets.output_shape(rows)
        columns = [np.moveaxis(part, 0, 1).reshape(len(self._kernel), -1) for part in integrals]
        moved = [
            self._outputs(time_first(call("multiply", "prediction", cross, c), (t.size,)), rows, t.shape)
            for c in columns
        ]
        outputs = self._targets.initial(state.fx_test, "fx_test_0", shape) - moved[0]
        if self._damping is None:
            return [outputs.astype(self._dtype, copy=False)]
        velocities = -moved[1]
        if state.qx_test is not None:
            start = self._targets.initial(state.qx_test, "qx_test_0", shape)
            time = np.asarray(t * self._time_unit).reshape(t.shape + (1,) * len(shape))
            outputs = outputs + start * (np.expm1(self._damping * time) / self._damping if self._damping else time)
            velocities = velocities + start * np.exp(self._damping * time)
        return [outputs.astype(self._dtype, copy=False), velocities.astype(self._dtype, copy=False)]

    def _outputs(self, matrix: np.ndarray, rows: tuple[int, ...], t_shape: tuple[int, ...]) -> np.ndarray:
        return self._targets.outputs(matrix.reshape(*t_shape, *matrix.shape[1:]), rows, t_shape).astype(
            self._dtype, copy=False
        )
