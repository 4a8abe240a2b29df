"""Nonlinearities from the caller's own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _checks
from ._base import layer_class
from ._derivatives import derivative, dual_derivative
from ._linear import set_fields
from ._nonlinearity import Nonlinearity, catalogue
from ._op_table import OpTable

Function = Callable[..., Any]


@layer_class
class Elementwise(Nonlinearity):
    """A nonlinearity given by its kernel.

    Parameters
    ----------
    fn : callable, optional
        The function x -> fn(x), on arrays; only finite networks need it.
    nngp_fn : callable, optional
        ``nngp_fn(cov12, var1, var2)``, the expectation of fn(u) fn(v) for Gaussian u, v with these covariance and
        variances. Called with float64 arrays of equal length; returns one of that length. Kernels need it.
    d_nngp_fn : callable, optional
        Its derivative by cov12; the NTK needs it. Without it a numerical derivative is used, accurate to about 1e-9
        relative to the scale of the kernel (1e-12 where nngp_fn also accepts complex cov12).

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> def erf_kernel(cov12, var1, var2):
    ...     return np.arcsin(2 * cov12 / np.sqrt((1 + 2 * var1) * (1 + 2 * var2))) * 2 / np.pi
    >>> stax.Elementwise(nngp_fn=erf_kernel)
    Elementwise(nngp_fn=erf_kernel)
    """

    fn: Function | None = None
    nngp_fn: Function | None = None
    d_nngp_fn: Function | None = None

    def __post_init__(self) -> None:
        for name in ("fn", "nngp_fn", "d_nngp_fn"):
            _checks.function(getattr(self, name), "Elementwise", name)
        if self.fn is None and self.nngp_fn is None:
            raise ValueError("[Elementwise] needs fn (finite networks), nngp_fn (kernels) or both. Received neither.")

    def _write(self, table: OpTable) -> None:
        fn = None if self.fn is None else Vectorised(self.fn, "Elementwise fn")
        dual = slope = None
        if self.nngp_fn is not None:
            dual = Vectorised(self.nngp_fn, "Elementwise nngp_fn")
            slope = Vectorised(self.d_nngp_fn or dual_derivative(self.nngp_fn), "Elementwise d_nngp_fn")
        index = table.add_functions(fn, None, dual, slope)
        table.add(catalogue()["Elementwise"].code, integers=(index,))


@layer_class
class ElementwiseNumerical(Nonlinearity):
    """Any function, its kernels by numerical integration.

    Parameters
    ----------
    fn : callable
        The function x -> fn(x), called with float64 arrays.
    deg : int, optional
        Two-dimensional Gauss-Hermite quadrature with this many nodes a side, as neural-tangents does; the error is
        not controlled, and large for functions with kinks. None (the default) uses a Hermite expansion instead:
        faster, with the error that `tol` states.
    df : callable, optional
        The derivative of fn. Without it a numerical derivative is used, accurate to about 1e-11 for smooth functions
        (1e-15 where fn also accepts complex arrays).
    tol : float
        Largest error of the kernels by expansion, relative to the variances.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> stax.ElementwiseNumerical(np.arctan, tol=1e-6)
    ElementwiseNumerical(arctan, tol=1e-06)
    """

    fn: Function
    deg: int | None = None
    df: Function | None = None
    tol: float = 1e-8

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise TypeError(f"[ElementwiseNumerical] fn must be a function. Received {self.fn!r}.")
        _checks.function(self.df, "ElementwiseNumerical", "df")
        if self.deg is not None:
            set_fields(self, deg=_checks.integer(self.deg, "ElementwiseNumerical", "deg", maximum=512))
        set_fields(self, tol=_checks.tolerance(self.tol, "ElementwiseNumerical"))

    def _write(self, table: OpTable) -> None:
        fn = Vectorised(self.fn, "ElementwiseNumerical fn")
        index = table.add_functions(fn, Vectorised(self.df or derivative(self.fn), "ElementwiseNumerical df"))
        table.add(catalogue()["ElementwiseNumerical"].code, integers=(index, self.deg or 0), reals=(self.tol,))


class Vectorised:
    """A caller's function as the core calls it: float64 arrays in, one finite float64 array of the same length out."""

    def __init__(self, function: Function, name: str) -> None:
        self.function = function
        self.name = name

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        try:
            values = np.asarray(self.function(*arrays))
        except TypeError as error:
            raise TypeError(
                f"[{self.name}] must accept arrays (wrap it in numpy.vectorize if it cannot): {error}"
            ) from error
        if values.dtype.kind not in "fiub":
            raise TypeError(f"[{self.name}] must return real numbers. Received dtype {values.dtype}.")
        if values.shape not in ((), arrays[0].shape):
            raise ValueError(
                f"[{self.name}] must return an array of the shape of its argument. Received {values.shape} for {arrays[0].shape}."
            )
        values = np.array(np.broadcast_to(values, arrays[0].shape), dtype=np.float64)
        if not np.isfinite(values).all():
            at = int(np.argmin(np.isfinite(values)))
            arguments = ", ".join(repr(float(a[at])) for a in arrays)
            raise ValueError(f"[{self.name}] must return finite numbers. Received {values[at]} for ({arguments}).")
        return values
