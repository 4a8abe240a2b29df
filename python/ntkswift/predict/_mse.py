"""Gradient flow on the mean squared error, in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._call import Progress, allowed, call, keeps_resources, takes_resources
from .._checks import real
from .._kernel_matrix import factor, spectrum
from ._shapes import Targets, as_matrix, check_kernel, check_times

_OP = "gradient_descent_mse"


@takes_resources()
def gradient_descent_mse(
    k_train_train: Any,
    y_train: Any,
    learning_rate: float = 1.0,
    diag_reg: float = 0.0,
    diag_reg_absolute_scale: bool = False,
    trace_axes: int | Sequence[int] = (-1,),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Callable[..., Any]:
    """Outputs of an infinitely wide network during gradient descent on ``0.5 mean((f - y)^2)``, at any time, in closed form.

    The network is linear in its weights, so its outputs obey ``df/dt = -K (f - y) / y.size`` (Jacot et al.,
    arXiv:1806.07572; Lee et al., arXiv:1902.06720, equations 10 and 11). Time counts steps of size `learning_rate` and
    need not be whole.

    Parameters
    ----------
    k_train_train : array_like of shape (n, n)
        NTK (or NNGP, where only the last layer is trained) between the training points, or in pairs of the axes of
        `y_train` without `trace_axes`.
    y_train : array_like of shape (n, outputs)
        Targets; (n,) for one output, results then have no axis of outputs either.
    learning_rate : float
        Step size, more than 0.
    diag_reg : float
        Added to the diagonal of the kernel, at least 0.
    diag_reg_absolute_scale : bool
        False: `diag_reg` is in units of the mean diagonal. True: in units of the kernel.
    trace_axes : int or sequence of int
        Axes of `y_train` that the kernels do not have.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    predict_fn : callable
        ``predict_fn(t=None, fx_train_0=0.0, fx_test_0=None, k_test_train=None)``. `t` is a time or an array of times,
        None is the limit of infinite time. `fx_train_0` and `fx_test_0` are the outputs at time 0, numbers or arrays;
        None leaves that set out. The result is ``fx_train``, ``fx_test`` or both as a tuple, with the axes of `t` in
        front. `k_test_train` is needed for the test set. Without regularisation, ``t=None`` gives the targets
        themselves on the training set.

        The first finite time costs an eigendecomposition (O(n^3), and 2 n^2 more numbers of memory while it runs),
        ``t=None`` a Cholesky factorisation; both are kept.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity, negative times.
    NotPositiveDefiniteError
        At ``t=None``, where the regularised kernel is not positive definite. At finite times, eigenvalues below n eps
        times the largest one are taken as rounding errors of 0: nothing moves along their eigenvectors.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict, stax
    >>> kernel_fn = stax.serial(stax.Dense(512), stax.Erf(), stax.Dense(1)).kernel_fn
    >>> x, y = np.array([[0.0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [2]])
    >>> predict_fn = predict.gradient_descent_mse(kernel_fn(x, None, "ntk"), y)
    >>> fx_train, fx_test = predict_fn([1.0, 10.0, 100.0], 0.0, 0.0, kernel_fn(x[:2] + 0.1, x, "ntk"))
    >>> fx_train.shape, fx_test.shape
    ((3, 3, 1), (3, 2, 1))
    """
    return _Flow(k_train_train, y_train, learning_rate, diag_reg, diag_reg_absolute_scale, trace_axes)


class _Flow:
    """The `predict_fn` of :func:`gradient_descent_mse`."""

    def __init__(
        self,
        kernel: Any,
        y_train: Any,
        learning_rate: float,
        diag_reg: float,
        absolute: bool,
        trace_axes: int | Sequence[int],
    ) -> None:
        self._resources = allowed()
        kernel = check_kernel(kernel, "k_train_train", _OP, is_gram=True)
        self._dtype = kernel.dtype
        self._matrix = as_matrix(kernel)
        self._targets = Targets(y_train, trace_axes, kernel.shape[::2], _OP)
        self._learning_rate = real(learning_rate, _OP, "learning_rate", above=0)
        self._diag_reg = real(diag_reg, _OP, "diag_reg", minimum=0)
        self._absolute = bool(absolute)
        self._factor: np.ndarray | None = None
        self._spectrum: tuple[np.ndarray, np.ndarray] | None = None

    @keeps_resources
    def __call__(self, t: Any = None, fx_train_0: Any = 0.0, fx_test_0: Any = None, k_test_train: Any = None) -> Any:
        """Outputs at time(s) `t`; see :func:`gradient_descent_mse`."""
        check_request(fx_train_0, fx_test_0, k_test_train, _OP)
        y = self._targets.array
        start = (
            np.broadcast_to(0.0, y.shape)
            if fx_train_0 is None
            else self._targets.initial(fx_train_0, "fx_train_0", y.shape)
        )
        test: tuple[np.ndarray, tuple[int, ...], np.ndarray] | None = None
        if fx_test_0 is not None:
            cross, rows = self._targets.cross_kernel(k_test_train)
            test = cross, rows, self._targets.initial(fx_test_0, "fx_test_0", self._targets.output_shape(rows))
        fx_train: np.ndarray | None
        if t is None:
            fx_train, fx_test = self._limit(start, test)
        else:
            fx_train, fx_test = self._finite(check_times(t, _OP), start, fx_train_0 is not None, test)
        if fx_train_0 is None:
            return fx_test
        return fx_train if test is None else (fx_train, fx_test)

    def _limit(self, start: np.ndarray, test: Any) -> tuple[np.ndarray, np.ndarray | None]:
        fx_train = self._targets.array.astype(self._dtype)
        if test is None:
            return fx_train, None
        cross, rows, start_test = test
        if self._factor is None:
            self._factor = factor(self._matrix, self._diag_reg, self._absolute, _OP)
        solution = call("solve", "solve", self._factor, self._targets.matrix(self._targets.array - start))
        change = call("multiply", "prediction", cross, solution)
        return fx_train, (start_test + self._targets.outputs(change, rows)).astype(self._dtype)

    def _finite(
        self, times: np.ndarray, start: np.ndarray, wants_train: bool, test: Any
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self._spectrum is None:
            self._spectrum = spectrum(self._matrix, self._diag_reg, self._absolute, "k_train_train", _OP)
        residual = self._targets.matrix(start - self._targets.array)
        scaled = np.ravel(times * self._learning_rate)
        cross = None if test is None else test[0]
        on_train, on_test = call(
            "gradient_flow",
            "gradient flow",
            *self._spectrum,
            scaled,
            float(self._targets.size),
            residual,
            wants_train,
            cross,
        )
        fx_train = None if on_train is None else self._outputs(on_train, self._targets.rows, times.shape, start)
        fx_test = None if on_test is None else self._outputs(on_test, test[1], times.shape, test[2])
        return fx_train, fx_test

    def _outputs(
        self, change: np.ndarray, rows: tuple[int, ...], t_shape: tuple[int, ...], start: np.ndarray
    ) -> np.ndarray:
        changes = time_first(change, t_shape)
        return (start + self._targets.outputs(changes, rows, t_shape)).astype(self._dtype, copy=False)


def time_first(matrix: np.ndarray, t_shape: tuple[int, ...]) -> np.ndarray:
    """Columns (times, outputs) of the core as leading axes of time: (times..., rows, outputs)."""
    count = int(np.prod(t_shape))
    width = matrix.shape[1] // max(count, 1)
    return np.moveaxis(matrix.reshape(len(matrix), count, width), 1, 0).reshape(*t_shape, len(matrix), width)


def check_request(fx_train_0: Any, fx_test_0: Any, k_test_train: Any, op: str) -> None:
    """ValueError where nothing is asked for, or test outputs without their kernel."""
    if fx_train_0 is None and fx_test_0 is None:
        raise ValueError(
            f"[{op}] fx_train_0 or fx_test_0 must be given, or there is nothing to predict. Received None for both."
        )
    if fx_test_0 is not None and k_test_train is None:
        raise ValueError(f"[{op}] predictions on the test set need k_test_train. Received None.")
