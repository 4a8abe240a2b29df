"""Layers made of layers: one after the other, side by side, many times over."""

from __future__ import annotations

from typing import Any

from .. import _checks
from ._base import Layer, as_layer, call_text, layer_class, value_text
from ._op_table import OpKind, OpTable


@layer_class
class Serial(Layer):
    """What :func:`serial` returns."""

    layers: tuple[Layer, ...]

    @property
    def _children(self) -> tuple[Layer, ...]:
        return self.layers

    def _write(self, table: OpTable) -> None:
        for layer in self.layers:
            layer._write(table)
        table.add(OpKind.SERIAL, len(self.layers))

    def __repr__(self) -> str:
        return call_text("serial", [repr(layer) for layer in self.layers])


@layer_class
class Parallel(Layer):
    """What :func:`parallel` returns."""

    layers: tuple[Layer, ...]

    @property
    def _children(self) -> tuple[Layer, ...]:
        return self.layers

    def _write(self, table: OpTable) -> None:
        for layer in self.layers:
            layer._write(table)
        table.add(OpKind.PARALLEL, len(self.layers))

    def __repr__(self) -> str:
        return call_text("parallel", [repr(layer) for layer in self.layers])


@layer_class
class Repeat(Layer):
    """What :func:`repeat` returns."""

    layer: Layer
    n: int

    @property
    def _children(self) -> tuple[Layer, ...]:
        return (self.layer,) * self.n

    def _write(self, table: OpTable) -> None:
        for _ in range(self.n):
            self.layer._write(table)
        table.add(OpKind.SERIAL, self.n)

    def __repr__(self) -> str:
        return call_text("repeat", [repr(self.layer), value_text(self.n)])


def serial(*layers: Any) -> Serial:
    """A network that applies `layers` one after the other.

    Parameters
    ----------
    *layers : Layer
        Layers or networks, or triples ``(init_fn, apply_fn, kernel_fn)`` that such were unpacked into.

    Examples
    --------
    >>> from ntkswift import stax
    >>> stax.serial(stax.Dense(64), stax.Erf(), stax.Dense(1, b_std=0.1))
    serial(Dense(64), Erf(), Dense(1, b_std=0.1))
    """
    return Serial(tuple(as_layer(layer, "serial") for layer in layers))


def parallel(*layers: Any) -> Parallel:
    """One layer per branch: stands after `FanOut` (with as many branches) and before `FanInSum`, `FanInProd` or
    `FanInConcat`.

    Examples
    --------
    >>> from ntkswift import stax
    >>> block = stax.serial(
    ...     stax.FanOut(2), stax.parallel(stax.serial(stax.Relu(), stax.Dense(64)), stax.Identity()), stax.FanInSum()
    ... )
    >>> stax.serial(stax.Dense(64), block, stax.Relu(), stax.Dense(1)).kernel_fn.layer.layers[1] == block
    True
    """
    return Parallel(tuple(as_layer(layer, "parallel") for layer in layers))


def repeat(layer: Any, n: int) -> Repeat:
    """`layer` applied `n` times, each time with weights of its own: ``serial(*([layer] * n))``.

    Parameters
    ----------
    layer : Layer
        What is repeated.
    n : int
        How often, 0 or more.

    Examples
    --------
    >>> from ntkswift import stax
    >>> deep = stax.serial(stax.repeat(stax.serial(stax.Dense(512, W_std=1.4), stax.Relu()), 10), stax.Dense(1))
    """
    return Repeat(as_layer(layer, "repeat"), _checks.integer(n, "repeat", "n", minimum=0))
