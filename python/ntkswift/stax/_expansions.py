"""Ready-made nonlinearities without a closed form: their kernels come from Hermite expansions, to a stated tolerance.

Coefficients are computed once per input and layer; the number of terms follows from `tol`, the largest error of a
kernel entry relative to the variances. Functions with a kink in some derivative (Elu, Selu) converge slowly.
"""

from __future__ import annotations

from enum import IntEnum

from .. import _checks
from ._base import layer_class
from ._closed_form import Nonlinearity
from ._linear import set_fields
from ._op_table import OpKind, OpTable


class NamedFunction(IntEnum):
    """Functions that the core knows by number (`ntk_named_function`)."""

    TANH = 0
    SIGMOID = 1
    SOFTPLUS = 2
    SWISH = 3
    ELU = 4
    SELU = 5


def _write_named(table: OpTable, function: NamedFunction, tol: float, parameter: float = 1.0) -> None:
    table.add(OpKind.NAMED, integers=(int(function),), reals=(parameter, tol))


@layer_class
class Tanh(Nonlinearity):
    """The hyperbolic tangent.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, tol=_checks.tolerance(self.tol, "Tanh"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.TANH, self.tol)


@layer_class
class Sigmoid(Nonlinearity):
    """The logistic function ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, tol=_checks.tolerance(self.tol, "Sigmoid"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.SIGMOID, self.tol)


@layer_class
class Softplus(Nonlinearity):
    """``log(1 + exp(x))``.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, tol=_checks.tolerance(self.tol, "Softplus"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.SOFTPLUS, self.tol)


@layer_class
class Swish(Nonlinearity):
    """``x / (1 + exp(-x))``, also called SiLU.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, tol=_checks.tolerance(self.tol, "Swish"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.SWISH, self.tol)


@layer_class
class Elu(Nonlinearity):
    """x where x > 0, else ``alpha (exp(x) - 1)`` (Clevert et al., arXiv:1511.07289).

    Parameters
    ----------
    alpha : float
        Scale of the negative part.
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    alpha: float = 1.0
    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, alpha=_checks.real(self.alpha, "Elu", "alpha"), tol=_checks.tolerance(self.tol, "Elu"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.ELU, self.tol, self.alpha)


@layer_class
class Selu(Nonlinearity):
    """``1.0507 x`` where x > 0, else ``1.7581 (exp(x) - 1)``: it keeps unit variance (Klambauer et al.,
    arXiv:1706.02515).

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8

    def __post_init__(self) -> None:
        set_fields(self, tol=_checks.tolerance(self.tol, "Selu"))

    def _write(self, table: OpTable) -> None:
        _write_named(table, NamedFunction.SELU, self.tol)
