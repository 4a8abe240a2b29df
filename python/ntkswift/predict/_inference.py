"""Gaussian-process posteriors of the NNGP and the NTK, and the ensemble of trained networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._call import Progress, allowed, call, double, keeps_resources, takes_resources
from .._checks import real
from .._kernel_matrix import factor
from ._gaussian import Gaussian
from ._requests import answer, has_kernel, kernel_named, names_of
from ._shapes import Targets, as_kernel, as_matrix, check_kernel

_OP = "gp_inference"
_MODES = ("nngp", "ntk", "ntkgp")


@takes_resources()
def gp_inference(
    k_train_train: Any,
    y_train: Any,
    diag_reg: float = 0.0,
    diag_reg_absolute_scale: bool = False,
    trace_axes: int | Sequence[int] = (-1,),
    *,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Callable[..., Any]:
    """Posterior of the infinitely wide network given training data.

    ``"nngp"`` is the exact posterior of a Bayesian network, ``"ntk"`` the distribution of an infinite ensemble of
    networks trained by gradient flow to convergence (Lee et al., arXiv:1902.06720), ``"ntkgp"`` the posterior of a
    Gaussian process whose covariance is the NTK (He et al., arXiv:2007.05864).

    Parameters
    ----------
    k_train_train : array_like, namedtuple or Kernel
        Kernel between the training points, shape (n, n), or in pairs of the axes of `y_train` without `trace_axes`. It
        must hold what `get` will ask for; the covariance of ``"ntk"`` needs both `nngp` and `ntk`. An array stands for
        whichever kernel is asked.
    y_train : array_like of shape (n, outputs)
        Targets; (n,) for one output, results then have no axis of outputs either.
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
        ``predict_fn(get=None, k_test_train=None, k_test_test=None)``. `get` is ``"nngp"``, ``"ntk"``, ``"ntkgp"`` or a
        tuple of them (None: NNGP and NTK). The result is the mean, of the shape of the outputs at the test points, or
        with `k_test_test` a `Gaussian`; for a tuple, a namedtuple of these. Without `k_test_train` it is the training
        targets, with a covariance of zeros if `k_test_test` is not None; pass ``k_test_train=k_train_train`` for
        regularised predictions there. The factorisation is made once per kernel, at first use, and kept (n^2 numbers
        each); it takes O(n^3), a prediction at m points O(m n), its covariance O(m n^2).

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity, a kernel that is not there.
    NotPositiveDefiniteError
        Where the regularised kernel is not positive definite, at `predict_fn`.

    See Also
    --------
    gradient_descent_mse_ensemble : The same ensemble at finite times.
    sample_posterior : Functions drawn from the posterior.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import predict, stax
    >>> kernel_fn = stax.serial(stax.Dense(512), stax.Erf(), stax.Dense(1)).kernel_fn
    >>> x, y = np.linspace(-1, 1, 4)[:, None] + [0, 1], np.array([[0.0], [1], [1], [0]])
    >>> predict_fn = predict.gp_inference(kernel_fn(x, None, ("nngp", "ntk")), y, diag_reg=1e-3)
    >>> x_test = np.array([[0.2, 1.2], [0.9, 1.9]])
    >>> mean, covariance = predict_fn("nngp", kernel_fn(x_test, x, ("nngp", "ntk")), kernel_fn(x_test, None, "nngp"))
    >>> mean.shape, covariance.shape
    ((2, 1), (2, 2))
    """
    return Posterior(k_train_train, y_train, diag_reg, diag_reg_absolute_scale, trace_axes)


class Posterior:
    """The `predict_fn` of :func:`gp_inference`: factors and dual coefficients by kernel, made when first needed."""

    def __init__(
        self,
        kernels: Any,
        y_train: Any,
        diag_reg: float,
        absolute: bool,
        trace_axes: int | Sequence[int],
        op: str = _OP,
    ) -> None:
        self._resources = allowed()
        self._op = op
        self._kernels = kernels
        self._diag_reg = real(diag_reg, op, "diag_reg", minimum=0)
        self._absolute = bool(absolute)
        self._train: dict[str, np.ndarray] = {}
        present = [name for name in ("nngp", "ntk") if has_kernel(kernels, name)]
        first = self._train_kernel(present[0] if present else "nngp")
        self._targets = Targets(y_train, trace_axes, first.shape[::2], op)
        self._factors: dict[str, np.ndarray] = {}
        self._solutions: dict[str, np.ndarray] = {}

    @keeps_resources
    def __call__(
        self, get: str | Sequence[str] | None = None, k_test_train: Any = None, k_test_test: Any = None
    ) -> Any:
        """Mean, or mean and covariance, at the test points; see :func:`gp_inference`."""
        names = names_of(get, _MODES, self._op)
        return answer(get, {name: self._predict(name, k_test_train, k_test_test) for name in names})

    def _predict(self, mode: str, k_test_train: Any, k_test_test: Any) -> Any:
        name = "nngp" if mode == "nngp" else "ntk"
        train = self._train_kernel(name)
        dtype = train.dtype
        if k_test_train is None:
            mean = self._targets.array.astype(dtype)
            return mean if k_test_test is None else Gaussian(mean, np.zeros(train.shape, dtype))
        cross, rows = self._targets.cross_kernel(kernel_named(k_test_train, name, "k_test_train", self._op))
        product = call("multiply", "prediction", cross, self._solution(name))
        mean = self._targets.outputs(product, rows).astype(dtype, copy=False)
        if k_test_test is None:
            return mean
        prior = self._prior(k_test_test, "ntk" if mode == "ntkgp" else "nngp", rows)
        if mode == "ntk":
            covariance = self._ensemble(cross, prior, k_test_train)
        else:
            covariance = call("posterior_covariance", "posterior covariance", self._factor(name), cross, prior)
        return Gaussian(mean, as_kernel(covariance, rows).astype(dtype, copy=False))

    def _ensemble(self, cross: np.ndarray, prior: np.ndarray, k_test_train: Any) -> np.ndarray:
        if not (has_kernel(self._kernels, "nngp") and has_kernel(k_test_train, "nngp")):
            raise ValueError(
                f'[{self._op}] the covariance of "ntk" needs k_train_train and k_test_train with both kernels, nngp and ntk. '
                "Received one without the NNGP."
            )
        nngp_cross, _ = self._targets.cross_kernel(k_test_train.nngp, "k_test_train.nngp")
        nngp_train = double(as_matrix(self._train_kernel("nngp")))
        return call(
            "ensemble_covariance", "ensemble covariance", self._factor("ntk"), cross, nngp_train, nngp_cross, prior
        )

    def _train_kernel(self, name: str) -> np.ndarray:
        if name not in self._train:
            kernel = kernel_named(self._kernels, name, "k_train_train", self._op)
            self._train[name] = check_kernel(kernel, "k_train_train", self._op, is_gram=True)
        return self._train[name]

    def _prior(self, k_test_test: Any, name: str, rows: tuple[int, ...]) -> np.ndarray:
        prior = check_kernel(
            kernel_named(k_test_test, name, "k_test_test", self._op), "k_test_test", self._op, is_gram=True
        )
        if prior.shape[::2] != rows:
            raise ValueError(
                f"[{self._op}] k_test_test must be between the {rows} test points of k_test_train. "
                f"Received an array of shape {prior.shape}."
            )
        return double(as_matrix(prior))

    def _factor(self, name: str) -> np.ndarray:
        if name not in self._factors:
            self._factors[name] = factor(as_matrix(self._train_kernel(name)), self._diag_reg, self._absolute, self._op)
        return self._factors[name]

    def _solution(self, name: str) -> np.ndarray:
        if name not in self._solutions:
            targets = self._targets.matrix(self._targets.array)
            self._solutions[name] = call("solve", "solve", self._factor(name), targets)
        return self._solutions[name]
