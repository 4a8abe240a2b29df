"""The nonlinearities that the core knows: classes with their documentation, fields and defaults.

Each needs a Gaussian input, that is, a Dense layer before it. What a parameter may be, and everything that is computed, the
core's catalogue says (Sources/Activations). Where there is no closed form, kernels come from Hermite expansions, to a stated
tolerance `tol`: the largest error of a kernel entry relative to the variances. Functions with a kink in some derivative (Elu,
Selu) converge slowly.
"""

from __future__ import annotations

import math

from .. import _checks
from ._base import layer_class
from ._linear import set_fields
from ._nonlinearity import Nonlinearity

__all__ = [
    "ABRelu",
    "Abs",
    "Cos",
    "Elu",
    "Erf",
    "Exp",
    "ExpNormalized",
    "Gabor",
    "Gaussian",
    "Gelu",
    "Hermite",
    "LeakyRelu",
    "Mish",
    "Monomial",
    "Polynomial",
    "Rbf",
    "RectifiedMonomial",
    "Relu",
    "Selu",
    "Sigmoid",
    "Sigmoid_like",
    "Sign",
    "Sin",
    "Snake",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
]


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


@layer_class
class Relu(Nonlinearity):
    """``max(x, 0)`` (Cho and Saul, NIPS 2009).

    Parameters
    ----------
    do_stabilize : bool
        Accepted for compatibility; not needed here.
    """

    do_stabilize: bool = False

    def _as_entry(self) -> ABRelu:
        return ABRelu(0.0, 1.0)


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

    def _as_entry(self) -> ABRelu:
        return ABRelu(self.alpha, 1.0)


@layer_class
class Abs(Nonlinearity):
    """``|x|``.

    Parameters
    ----------
    do_stabilize : bool
        Accepted for compatibility; not needed here.
    """

    do_stabilize: bool = False

    def _as_entry(self) -> ABRelu:
        return ABRelu(-1.0, 1.0)


@layer_class
class Erf(Nonlinearity):
    """``a erf(b x) + c`` (Williams, NIPS 1996)."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0


@layer_class
class Sigmoid_like(Nonlinearity):
    """``erf(x / 2.4020563531719796) / 2 + 1/2``, close to the logistic function on [-5, 5].

    `Sigmoid` is the logistic function itself, at the cost of an expansion.
    """

    def _as_entry(self) -> Erf:
        return Erf(0.5, 1 / 2.4020563531719796, 0.5)


@layer_class
class Gelu(Nonlinearity):
    """``x Phi(x)`` with the normal distribution function Phi (Tsuchida et al., arXiv:2002.08517).

    Parameters
    ----------
    approximate : bool
        Finite networks use the tanh formula instead; the kernels are those of the exact function.
    """

    approximate: bool = False


@layer_class
class Sin(Nonlinearity):
    """``a sin(b x + c)``."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0


@layer_class
class Cos(Nonlinearity):
    """``a cos(b x + c)``."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def _as_entry(self) -> Sin:
        return Sin(self.a, self.b, self.c + math.pi / 2)


@layer_class
class Rbf(Nonlinearity):
    """``sqrt(2) sin(sqrt(2 gamma) x + pi/4)``, whose kernel is the Gaussian one, ``exp(-gamma (q1 + q2 - 2 K))``.

    Parameters
    ----------
    gamma : float
        Inverse squared length scale, ``1 / (2 l^2)``; not negative.
    """

    gamma: float = 1.0


@layer_class
class Snake(Nonlinearity):
    """``x + sin(a x)^2 / a`` (Ziyin et al., arXiv:2006.08195), for periodic data. (Not in neural-tangents.)

    Parameters
    ----------
    a : float
        Frequency of the wave; greater than 0.
    """

    a: float = 1.0


@layer_class
class Sign(Nonlinearity):
    """The sign of x. Its derivative is zero almost everywhere: the layers before it add nothing to the NTK."""


@layer_class
class Step(Nonlinearity):
    """1 where x > 0, else 0. The layers before it add nothing to the NTK. (Not in neural-tangents.)"""


@layer_class
class Exp(Nonlinearity):
    """``a exp(b x)``."""

    a: float = 1.0
    b: float = 1.0


@layer_class
class Gaussian(Nonlinearity):
    """``a exp(b x^2)``; for b > 0 the kernel exists only where the variance of the input is below ``1 / (4 b)``."""

    a: float = 1.0
    b: float = -1.0


@layer_class
class Gabor(Nonlinearity):
    """``exp(-x^2) sin(x)``."""


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
        set_fields(self, degree=_checks.integer(self.degree, "Monomial", "degree", minimum=0, maximum=64))

    def _as_entry(self) -> Polynomial:
        return Polynomial((0.0,) * self.degree + (1.0,))


@layer_class
class RectifiedMonomial(Nonlinearity):
    """``x^degree`` where x > 0, else 0 (the arc-cosine kernels of Cho and Saul, NIPS 2009).

    Parameters
    ----------
    degree : int
        From 0 to 20.
    """

    degree: int


@layer_class
class Polynomial(Nonlinearity):
    """``coef[0] + coef[1] x + ... + coef[n] x^n``.

    Parameters
    ----------
    coef : sequence of float
        Coefficients by ascending power, 1 to 65 of them.
    """

    coef: tuple[float, ...]


@layer_class
class Tanh(Nonlinearity):
    """The hyperbolic tangent.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8


@layer_class
class Sigmoid(Nonlinearity):
    """The logistic function ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8


@layer_class
class Softplus(Nonlinearity):
    """``log(1 + exp(x))``.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8


@layer_class
class Swish(Nonlinearity):
    """``x / (1 + exp(-x))``, also called SiLU.

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8


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


@layer_class
class Mish(Nonlinearity):
    """``x tanh(log(1 + exp(x)))`` (Misra, arXiv:1908.08681).

    Parameters
    ----------
    tol : float
        Largest error of the kernels, relative to the variances.
    """

    tol: float = 1e-8
