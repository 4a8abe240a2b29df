"""Infinite ensembles of infinitely wide networks during gradient descent on the mean squared error."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._call import Progress, allowed, call, double, keeps_resources, takes_resources
from .._checks import real
from .._kernel_matrix import spectrum
from .._networks import kernel_function
from ._gaussian import Gaussian
from ._inference import Posterior
from ._mse import time_first
from ._requests import answer, names_of
from ._shapes import Targets, as_kernel, as_matrix, check_kernel, check_times

_OP = "gradient_descent_mse_ensemble"
_Kernels = namedtuple("_Kernels", "nngp ntk", defaults=(None, None))


@takes_resources()
def gradient_descent_mse_ensemble(
    kernel_fn: Callable[..., Any],
    x_train: Any,
    y_train: Any,
    learning_rate: float = 1.0,
    diag_reg: float = 0.0,
    diag_reg_absolute_scale: bool = False,
    trace_axes: int | Sequence[int] = (-1,),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
    **kernel_fn_train_train_kwargs: Any,
) -> Callable[..., Any]:
    """Mean and covariance of an infinite ensemble of infinitely wide networks during gradient descent on ``0.5 mean((f - y)^2)``.

    The randomness is that of the initial weights. ``"ntk"`` trains all layers, ``"nngp"`` the last one (Lee et al.,
    arXiv:1902.06720, equations 13 to 16).

    Parameters
    ----------
    kernel_fn : network or callable
        A stax network or its ``kernel_fn(x1, x2, get)``, or any function that returns an array for a string and a
        namedtuple for a tuple.
    x_train : array_like of shape (n, d)
        Training inputs.
    y_train : array_like of shape (n, outputs)
        Targets; (n,) for one output, results then have no axis of outputs either.
    learning_rate : float
        Step size, more than 0; time counts steps.
    diag_reg : float
        Added to the diagonal of the kernel, at least 0.
    diag_reg_absolute_scale : bool
        False: `diag_reg` is in units of the mean diagonal. True: in units of the kernel.
    trace_axes : int or sequence of int
        Axes of `y_train` that the kernels do not have.
    **kernel_fn_train_train_kwargs
        Passed on to `kernel_fn`.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    predict_fn : callable
        ``predict_fn(t=None, x_test=None, get=None, compute_cov=False, **kernel_fn_test_test_kwargs)``. `t` is a time or
        an array of times, None is the limit of infinite time. Without `x_test` it predicts on the training inputs,
        unregularised at ``t=None``. The result is the mean, or with `compute_cov` a `Gaussian`; for `get` None or a
        tuple, a namedtuple of these. The axes of `t` come first. Kernels of the training inputs, eigendecompositions
        and factorisations are made once and kept.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity, negative times.
    NotPositiveDefiniteError
        At ``t=None``, where the regularised kernel is not positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict, stax
    >>> kernel_fn = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1)).kernel_fn
    >>> x, y = np.array([[0.0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [2]])
    >>> predict_fn = predict.gradient_descent_mse_ensemble(kernel_fn, x, y, diag_reg=1e-4)
    >>> mean, covariance = predict_fn(10.0, x + 0.1, "ntk", compute_cov=True)
    >>> mean.shape, covariance.shape
    ((3, 1), (3, 3))
    """
    return _Ensemble(
        kernel_fn,
        x_train,
        y_train,
        learning_rate,
        diag_reg,
        diag_reg_absolute_scale,
        trace_axes,
        kernel_fn_train_train_kwargs,
    )


class _Ensemble:
    """The `predict_fn` of :func:`gradient_descent_mse_ensemble`."""

    def __init__(
        self,
        kernel_fn: Callable[..., Any],
        x_train: Any,
        y_train: Any,
        learning_rate: float,
        diag_reg: float,
        absolute: bool,
        trace_axes: int | Sequence[int],
        keywords: dict[str, Any],
    ) -> None:
        self._resources = allowed()
        self._kernel_fn = kernel_function(kernel_fn, _OP)
        self._x, self._y = x_train, y_train
        self._learning_rate = real(learning_rate, _OP, "learning_rate", above=0)
        self._diag_reg = real(diag_reg, _OP, "diag_reg", minimum=0)
        self._absolute = bool(absolute)
        self._trace_axes = trace_axes
        self._keywords = keywords
        self._train: dict[str, np.ndarray] = {}
        self._spectra: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._posterior: tuple[frozenset[str], Posterior] | None = None
        Targets(y_train, trace_axes, _rows_of(y_train, trace_axes), _OP)

    @keeps_resources
    def __call__(
        self,
        t: Any = None,
        x_test: Any = None,
        get: str | Sequence[str] | None = None,
        compute_cov: bool = False,
        **keywords: Any,
    ) -> Any:
        """Mean, or mean and covariance, at time(s) `t`; see :func:`gradient_descent_mse_ensemble`."""
        names = names_of(get, ("nngp", "ntk"), _OP)
        needed = ("nngp", "ntk") if compute_cov and "ntk" in names else names
        self._compute_train(needed)
        cross = prior = None
        if x_test is not None:
            test_train, test_test = _test_keywords(self._keywords, keywords)
            cross = self._kernels(x_test, self._x, needed, test_train)
            prior = self._kernel_fn(x_test, None, "nngp", **test_test) if compute_cov else None
        if t is None:
            posterior = self._limit(needed)
            results = {
                g: posterior(g, _tuple(cross), prior if x_test is not None else compute_cov or None) for g in names
            }
        else:
            times = check_times(t, _OP)
            results = {g: self._finite(g, times, cross, prior, compute_cov) for g in names}
        return answer(get, results)

    def _kernels(self, x1: Any, x2: Any, names: Sequence[str], keywords: dict[str, Any]) -> dict[str, Any]:
        if len(names) == 1:
            return {names[0]: self._kernel_fn(x1, x2, names[0], **keywords)}
        both = self._kernel_fn(x1, x2, tuple(names), **keywords)
        if any(getattr(both, name, None) is None for name in names):
            raise TypeError(
                f"[{_OP}] kernel_fn must return a namedtuple with {' and '.join(names)} for a tuple of names. "
                f"Received {type(both).__name__}."
            )
        return {name: getattr(both, name) for name in names}

    def _compute_train(self, names: Sequence[str]) -> None:
        missing = tuple(name for name in names if name not in self._train)
        if missing:
            made = self._kernels(self._x, None, missing, self._keywords)
            self._train.update({g: check_kernel(k, "kernel_fn(x_train)", _OP, is_gram=True) for g, k in made.items()})

    def _targets(self, name: str) -> Targets:
        return Targets(self._y, self._trace_axes, self._train[name].shape[::2], _OP)

    def _limit(self, names: Sequence[str]) -> Posterior:
        held = frozenset(self._train)
        if self._posterior is None or self._posterior[0] != held:
            kernels = _Kernels(**self._train)
            self._posterior = held, Posterior(kernels, self._y, self._diag_reg, self._absolute, self._trace_axes, _OP)
        return self._posterior[1]

    def _spectrum(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name not in self._spectra:
            matrix = as_matrix(self._train[name])
            self._spectra[name] = spectrum(
                matrix, self._diag_reg, self._absolute, f"the {name.upper()} of x_train", _OP
            )
        return self._spectra[name]

    def _finite(self, g: str, times: np.ndarray, cross: dict[str, Any] | None, prior: Any, compute_cov: bool) -> Any:
        targets, dtype = self._targets(g), self._train[g].dtype
        scaled, size = np.ravel(times * self._learning_rate), float(targets.size)
        k_td, rows = (
            (None, targets.rows) if cross is None else targets.cross_kernel(cross[g], "kernel_fn(x_test, x_train)")
        )
        change = call(
            "gradient_flow",
            "gradient flow",
            *self._spectrum(g),
            scaled,
            size,
            -targets.matrix(targets.array),
            k_td is None,
            k_td,
        )[0 if k_td is None else 1]
        mean = targets.outputs(time_first(change, times.shape), rows, times.shape).astype(dtype, copy=False)
        if not compute_cov:
            return mean
        nngp_train = double(as_matrix(self._train["nngp"])) if g == "ntk" else None
        nngp_cross = k_tt = None
        if cross is not None:
            nngp_cross = targets.cross_kernel(cross["nngp"], "kernel_fn(x_test, x_train)")[0] if g == "ntk" else None
            k_tt = double(as_matrix(check_kernel(prior, "kernel_fn(x_test)", _OP, is_gram=True)))
        matrix = call(
            "flow_covariance",
            "covariance",
            *self._spectrum(g),
            scaled,
            size,
            g == "ntk",
            k_td,
            nngp_train,
            nngp_cross,
            k_tt,
        )
        return Gaussian(mean, as_kernel(matrix, rows, times.shape).astype(dtype, copy=False))


def _tuple(kernels: dict[str, Any] | None) -> Any:
    return None if kernels is None else _Kernels(**kernels)


def _rows_of(y: Any, trace_axes: int | Sequence[int]) -> tuple[int, ...]:
    """The kernel rows that the targets ask for; errors are left to `Targets`."""
    shape = np.shape(y)
    if len(shape) == 1:
        return shape
    axes = (trace_axes,) if isinstance(trace_axes, (int, np.integer)) else tuple(trace_axes)
    traced = {a % len(shape) for a in axes if isinstance(a, (int, np.integer))} if shape else set()
    return tuple(n for axis, n in enumerate(shape) if axis not in traced)


def _test_keywords(train: dict[str, Any], test: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keyword arguments of the test-train and the test-test kernel.

    Pairs of arrays belong to the first and second inputs: the test-train kernel takes the first of the test's and of
    the training's pair.
    """
    test_train, test_test = dict(train), dict(train)
    for name, value in test.items():
        ours = train.get(name, value)
        test_test[name] = test_train[name] = value
        if _is_pair(value) and _is_pair(ours):
            test_train[name] = (value[0], ours[0])
        elif not isinstance(value, np.ndarray) and value != ours:
            raise ValueError(
                f"[{_OP}] {name} of kernel_fn must be the same for training and test. Received {ours!r} and {value!r}."
            )
    return test_train, test_test


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, np.ndarray) for v in value)
