"""abc-parametrizations: how weights, initialisation and learning rate scale with the width (Yang and Hu,
arXiv:2011.14522).

>>> from ntkswift import parametrizations
>>> parametrizations.maximal_update(2).classify()
Classification(stable=True, trivial=False, regime='feature learning', r=0)
>>> parametrizations.ntk(2).classify()
Classification(stable=True, trivial=False, regime='kernel', r=1/2)
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import stax
from ._checks import instance, integer, real
from ._random import generator

__all__ = ["ABC", "Classification", "maximal_update", "mean_field", "ntk", "standard"]


@dataclass(frozen=True)
class Classification:
    """What `ABC.classify` finds.

    Attributes
    ----------
    stable : bool
        Preactivations and outputs stay of order one in the width, initially and for any fixed number of SGD steps
        (Theorem 3.3).
    trivial : bool
        The outputs do not move in the limit. None where unstable.
    regime : {"feature learning", "kernel", "trivial", "unstable"}
        A stable and non-trivial parametrization learns features if r = 0, and otherwise evolves by a fixed kernel
        (Corollary 3.9).
    r : Fraction
        Features move by width^-r (Definition 3.2).
    """

    stable: bool
    trivial: bool | None
    regime: str
    r: Fraction

    def __repr__(self) -> str:
        return f"Classification(stable={self.stable}, trivial={self.trivial}, regime={self.regime!r}, r={self.r})"


@dataclass(frozen=True)
class ABC:
    """Layer l of a network with L hidden layers of width n is ``n^-a[l] w``, w ~ N(0, n^-2b[l]), trained with learning
    rate ``eta n^-c[l]``.

    Exponents are exact: integers, fractions, or floats that are fractions with a denominator of at most 1000.

    Parameters
    ----------
    a, b : sequence of numbers
        One per layer, L + 1 of them.
    c : number or sequence of numbers
        One for all layers (as in the paper) or one per layer; (a + t, b - t, c - 2t) is the same network for every t,
        layer by layer, which gives per-layer c their meaning.

    Examples
    --------
    >>> from ntkswift.parametrizations import ABC
    >>> ABC(a=(0, 0.5), b=(0, 0), c=0).classify().regime
    'kernel'
    """

    a: Sequence[Any]
    b: Sequence[Any]
    c: Any = 0

    def __post_init__(self) -> None:
        a, b = _exponents(self.a, "a"), _exponents(self.b, "b")
        c = (_exponent(self.c, "c"),) * len(a) if isinstance(self.c, numbers.Real) else _exponents(self.c, "c")
        if not len(a) == len(b) == len(c) or len(a) < 2:
            raise ValueError(
                "[ABC] a, b and c must have one exponent per layer, at least 2. "
                f"Received {len(a)}, {len(b)} and {len(c)}."
            )
        for name, value in (("a", a), ("b", b), ("c", c)):
            object.__setattr__(self, name, value)

    @property
    def hidden_layers(self) -> int:
        """L, the number of hidden layers."""
        return len(self.a) - 1

    def shifted(self, t: Any) -> ABC:
        """The same network in other words: (a + t, b - t, c - 2t), Equation 5 of the paper."""
        step = _exponent(t, "t")
        return ABC(
            tuple(x + step for x in self.a), tuple(x - step for x in self.b), tuple(x - 2 * step for x in self.c)
        )

    def classify(self) -> Classification:
        """Whether it is stable, trivial, and what it learns (Definition 3.2, Theorem 3.3, Corollary 3.9).

        Stated there for tanh and smooth approximations of ReLU, SGD, fixed input dimension; linear networks are
        excluded.
        """
        # Layer by layer in the words in which c is 0.
        a = [x + c / 2 for x, c in zip(self.a, self.c, strict=True)]
        b = [x - c / 2 for x, c in zip(self.b, self.c, strict=True)]
        last = a[-1] + b[-1]
        r = min(last, 2 * a[-1]) - 1 + min(2 * x + (i == 0) for i, x in enumerate(a[:-1]))
        stable = (
            a[0] + b[0] == 0
            and all(x + y == Fraction(1, 2) for x, y in zip(a[1:-1], b[1:-1], strict=True))
            and last >= Fraction(1, 2)
            and r >= 0
            and 2 * a[-1] >= 1
            and last + r >= 1
        )
        if not stable:
            return Classification(False, None, "unstable", r)
        trivial = not (last + r == 1 or 2 * a[-1] == 1)
        regime = "trivial" if trivial else "feature learning" if r == 0 else "kernel"
        return Classification(True, trivial, regime, r)

    def network(self, width: int, inputs: int, outputs: int = 1, activation: Any = None) -> stax.Layer:
        """The fully connected network, without biases: `width` units in each hidden layer.

        Parameters
        ----------
        width, inputs, outputs : int
            Sizes.
        activation : Layer, optional
            The nonlinearity; tanh by default.

        Returns
        -------
        Layer
            Draw its parameters with `init`: those of its own ``init_fn`` have variance one.
        """
        op = "ABC.network"
        width, inputs = integer(width, op, "width"), integer(inputs, op, "inputs")
        layer = stax.Tanh() if activation is None else instance(activation, stax.Layer, op, "activation")
        layers: list[Any] = []
        for i, exponent in enumerate(self.a):
            fan_in = inputs if i == 0 else width
            # Dense divides by the root of its inputs; here only the width counts.
            std = float(width) ** -float(exponent) * fan_in**0.5
            layers += [stax.Dense(outputs if i == self.hidden_layers else width, W_std=std), layer]
        return stax.serial(*layers[:-1])

    def init(self, seed: Any, width: int, inputs: int, outputs: int = 1, activation: Any = None) -> Any:
        """Random parameters of `network`: layer l of variance n^-2b[l]."""
        network = self.network(width, inputs, outputs, activation)
        _, params = network.init_fn(generator(seed, op="ABC.init"), (-1, inputs))
        exponents = iter(self.b)
        return tuple((own[0] * float(width) ** -float(next(exponents)), None) if own else () for own in params)

    def learning_rate(self, width: int, base: float = 1.0) -> float | tuple[float, ...]:
        """``base n^-c``; one per layer where these differ."""
        op = "ABC.learning_rate"
        width, base = integer(width, op, "width"), real(base, op, "base", above=0)
        rates = tuple(base * float(width) ** -float(c) for c in self.c)
        return rates[0] if len(set(rates)) == 1 else rates


def ntk(hidden_layers: int) -> ABC:
    """The neural tangent parametrization."""
    depth = _depth(hidden_layers, "ntk")
    return ABC((0, *[Fraction(1, 2)] * depth), (0,) * (depth + 1), 0)


def standard(hidden_layers: int, c: Any = 1) -> ABC:
    """The standard parametrization (PyTorch's default) with learning rate ``eta n^-c``; c = 0 is unstable."""
    depth = _depth(hidden_layers, "standard")
    return ABC((0,) * (depth + 1), (0, *[Fraction(1, 2)] * depth), c)


def mean_field() -> ABC:
    """The mean-field parametrization of one hidden layer."""
    return ABC((0, 1), (0, 0), -1)


def maximal_update(hidden_layers: int) -> ABC:
    """The maximal update parametrization, the only stable one in which every layer moves as much as it can
    (Theorem 5.6).
    """
    depth = _depth(hidden_layers, "maximal_update")
    half = Fraction(1, 2)
    return ABC((-half, *[0] * (depth - 1), half), (half,) * (depth + 1), 0)


def _depth(value: Any, op: str) -> int:
    return integer(value, op, "hidden_layers")


def _exponents(values: Any, name: str) -> tuple[Fraction, ...]:
    if isinstance(values, (str, numbers.Number)) or not hasattr(values, "__len__"):
        raise TypeError(f"[ABC] {name} must be a sequence of numbers, one per layer. Received {values!r}.")
    return tuple(_exponent(value, name) for value in values)


def _exponent(value: Any, name: str) -> Fraction:
    try:
        return Fraction(value).limit_denominator(1000)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"[ABC] {name} must hold finite numbers. Received {value!r}.") from None
