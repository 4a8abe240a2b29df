"""Nonlinearities whose kernels have a closed form.

Each needs a Gaussian input, that is, a Dense layer before it. The formulas and their sources are in
Sources/InfiniteWidth/DualActivations, one file each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from . import _checks
from ._base import Layer, layer_class
from ._linear import _set
from ._op_table import OpKind, OpTable


class Nonlinearity(Layer):
    """The base of all layers that apply one function to every unit."""


def _reals(layer: Layer, *names: str) -> None:
    """Checks that the named parameters are finite numbers."""
    _set(layer, **{name: _checks.real(getattr(layer, name), type(layer).__name__, name) for name in names})


@layer_class
class ABRelu(Nonlinearity):
    """``a min(x, 0) + b max(x, 0)`` (Tsuchida et al., arXiv:1711.09090).

    Parameters
    ----------
    a, b : float
        Slopes for x < 0 and for x > 0.
    do_stabilize : bool
        Accepted for compatibility; not needed here, kernels of very deep networks are accurate as they are.
    """

    a: float
    b: float
    do_stabilize: bool = False

    def __post_init__(self) -> None:
        _reals(self, "a", "b")
        _set(self, do_stabilize=_checks.flag(self.do_stabilize, "ABRelu", "do_stabilize"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ABRELU, reals=(self.a, self.b))


@layer_class
class Relu(Nonlinearity):
    """``max(x, 0)`` (Cho and Saul, NIPS 2009).

    Parameters
    ----------
    do_stabilize : bool
        Accepted for compatibility; not needed here.
    """

    do_stabilize: bool = False

    def __post_init__(self) -> None:
        _set(self, do_stabilize=_checks.flag(self.do_stabilize, "Relu", "do_stabilize"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ABRELU, reals=(0.0, 1.0))


@layer_class
class LeakyRelu(Nonlinearity):
    """``alpha min(x, 0) + max(x, 0)``.

    Parameters
    ----------
    alpha : float
        Slope for x < 0.
    do_stabilize : bool
        Accepted for compatibility; not needed here.
    """

    alpha: float
    do_stabilize: bool = False

    def __post_init__(self) -> None:
        _reals(self, "alpha")
        _set(self, do_stabilize=_checks.flag(self.do_stabilize, "LeakyRelu", "do_stabilize"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ABRELU, reals=(self.alpha, 1.0))


@layer_class
class Abs(Nonlinearity):
    """``|x|``.

    Parameters
    ----------
    do_stabilize : bool
        Accepted for compatibility; not needed here.
    """

    do_stabilize: bool = False

    def __post_init__(self) -> None:
        _set(self, do_stabilize=_checks.flag(self.do_stabilize, "Abs", "do_stabilize"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ABRELU, reals=(-1.0, 1.0))


@layer_class
class Erf(Nonlinearity):
    """``a erf(b x) + c`` (Williams, NIPS 1996)."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        _reals(self, "a", "b", "c")

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ERF, reals=(self.a, self.b, self.c))


@layer_class
class Sigmoid_like(Nonlinearity):
    """``erf(x / 2.4020563531719796) / 2 + 1/2``, close to the logistic function on [-5, 5].

    `Sigmoid` is the logistic function itself, at the cost of an expansion.
    """

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.ERF, reals=(0.5, 1 / 2.4020563531719796, 0.5))


@layer_class
class Gelu(Nonlinearity):
    """``x Phi(x)`` with the normal distribution function Phi (Tsuchida et al., arXiv:2002.08517).

    Parameters
    ----------
    approximate : bool
        Finite networks use the tanh formula instead; the kernels are those of the exact function.
    """

    approximate: bool = False

    def __post_init__(self) -> None:
        _set(self, approximate=_checks.flag(self.approximate, "Gelu", "approximate"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.GELU, integers=(int(self.approximate),))


@layer_class
class Sin(Nonlinearity):
    """``a sin(b x + c)``."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        _reals(self, "a", "b", "c")

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.SIN, reals=(self.a, self.b, self.c))


@layer_class
class Cos(Nonlinearity):
    """``a cos(b x + c)``."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        _reals(self, "a", "b", "c")

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.SIN, reals=(self.a, self.b, self.c + math.pi / 2))


@layer_class
class Rbf(Nonlinearity):
    """``sqrt(2) sin(sqrt(2 gamma) x + pi/4)``, whose kernel is the Gaussian one, ``exp(-gamma (q1 + q2 - 2 K))``.

    Parameters
    ----------
    gamma : float
        Inverse squared length scale, ``1 / (2 l^2)``; not negative.
    """

    gamma: float = 1.0

    def __post_init__(self) -> None:
        _set(self, gamma=_checks.real(self.gamma, "Rbf", "gamma", minimum=0))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.RBF, reals=(self.gamma,))


@layer_class
class Sign(Nonlinearity):
    """The sign of x. Its derivative is zero almost everywhere: the layers before it add nothing to the NTK."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.SIGN)


@layer_class
class Step(Nonlinearity):
    """1 where x > 0, else 0. The layers before it add nothing to the NTK. (Not in neural-tangents.)"""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.STEP)


@layer_class
class Exp(Nonlinearity):
    """``a exp(b x)``."""

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        _reals(self, "a", "b")

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.EXP, reals=(self.a, self.b))


@layer_class
class Gaussian(Nonlinearity):
    """``a exp(b x^2)``; for b > 0 the kernel exists only where the variance of the input is below ``1 / (4 b)``."""

    a: float = 1.0
    b: float = -1.0

    def __post_init__(self) -> None:
        _reals(self, "a", "b")

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.GAUSSIAN, reals=(self.a, self.b))


@layer_class
class Gabor(Nonlinearity):
    """``exp(-x^2) sin(x)``."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.GABOR)


@layer_class
class ExpNormalized(Nonlinearity):
    """No function of x but a kernel: ``sqrt(q1 q2) exp(gamma (K / sqrt(q1 q2) + shift))`` (Shankar et al.,
    arXiv:2003.02237).

    Parameters
    ----------
    gamma, shift : float
        See the formula; gamma is positive.
    do_clip : bool
        Accepted for compatibility; correlations are in [-1, 1] here in any case.

    Notes
    -----
    There is no finite network with this layer: `apply_fn` raises ValueError.
    """

    gamma: float = 1.0
    shift: float = -1.0
    do_clip: bool = False

    def __post_init__(self) -> None:
        _reals(self, "gamma", "shift")
        if self.gamma <= 0:
            raise ValueError(f"[ExpNormalized] gamma must be positive. Received {self.gamma!r}.")
        _set(self, do_clip=_checks.flag(self.do_clip, "ExpNormalized", "do_clip"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.EXP_NORMALIZED, reals=(self.gamma, self.shift))


@layer_class
class Hermite(Nonlinearity):
    """The normalised Hermite polynomial ``He_n(x) / sqrt(n!)``, for inputs of unit variance (`LayerNorm` before it
    ensures that).

    Its kernel is ``K^n``; that of other variances is not the kernel of this polynomial.

    Parameters
    ----------
    degree : int
        n, from 0 to 64.
    """

    degree: int

    def __post_init__(self) -> None:
        _set(self, degree=_degree(self.degree, "Hermite", 64))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.HERMITE, integers=(self.degree,))


@layer_class
class Monomial(Nonlinearity):
    """``x^degree``.

    Parameters
    ----------
    degree : int
        From 0 to 64 (neural-tangents: to 5).
    """

    degree: int

    def __post_init__(self) -> None:
        _set(self, degree=_degree(self.degree, "Monomial", 64))

    def _write(self, table: OpTable) -> None:
        place = table.add_coefficients([0.0] * self.degree + [1.0])
        table.add(OpKind.POLYNOMIAL, integers=place)


@layer_class
class RectifiedMonomial(Nonlinearity):
    """``x^degree`` where x > 0, else 0 (the arc-cosine kernels of Cho and Saul, NIPS 2009).

    Parameters
    ----------
    degree : int
        From 0 to 20.
    """

    degree: int

    def __post_init__(self) -> None:
        _set(self, degree=_degree(self.degree, "RectifiedMonomial", 20))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.RECTIFIED_MONOMIAL, integers=(self.degree,))


@layer_class
class Polynomial(Nonlinearity):
    """``coef[0] + coef[1] x + ... + coef[n] x^n``.

    Parameters
    ----------
    coef : sequence of float
        Coefficients by ascending power, 1 to 65 of them.
    """

    coef: tuple[float, ...]

    def __post_init__(self) -> None:
        coef = self.coef.tolist() if isinstance(self.coef, np.ndarray) else self.coef
        if not isinstance(coef, Sequence) or isinstance(coef, str) or not 1 <= len(coef) <= 65:
            raise ValueError(f"[Polynomial] coef must be a sequence of 1 to 65 numbers. Received {self.coef!r}.")
        _set(self, coef=tuple(_checks.real(c, "Polynomial", f"coef[{i}]") for i, c in enumerate(coef)))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.POLYNOMIAL, integers=table.add_coefficients(self.coef))


def _degree(value: int, layer: str, maximum: int) -> int:
    degree = _checks.integer(value, layer, "degree", minimum=0)
    if degree > maximum:
        raise ValueError(f"[{layer}] degree must be at most {maximum}. Received {value!r}.")
    return degree
