"""Layers made of layers: one after the other, side by side, many times over."""

from __future__ import annotations

from typing import Any

from .. import _checks
from ._base import Layer, as_layer, call_text, layer_class, value_text
from ._op_table import OpKind, OpTable
from ._signals import Signal, Signals, branches
from ._weights import Gathered, WeightDraws


@layer_class
class Serial(Layer):
    """What :func:`serial` returns."""

    layers: tuple[Layer, ...]

    def _flow(self, signals: Signals) -> Signals:
        for layer in self.layers:
            signals = layer._flow(signals)
        return signals

    def _write(self, table: OpTable) -> None:
        for layer in self.layers:
            layer._write(table)
        table.add(OpKind.SERIAL, len(self.layers))

    def _draw(self, draws: WeightDraws, signals: Signals) -> tuple[Signals, Any]:
        params = []
        for layer in self.layers:
            signals, own = layer._draw(draws, signals)
            params.append(own)
        return signals, tuple(params)

    def _gather(self, params: Any, signals: Signals, into: Gathered, where: str) -> Signals:
        return _gather_serial(self.layers, params, signals, into, where, "serial")

    def _starts_with_flatten(self) -> bool:
        return bool(self.layers) and self.layers[0]._starts_with_flatten()

    def _trains_with_dropout(self) -> bool:
        return any(layer._trains_with_dropout() for layer in self.layers)

    def __repr__(self) -> str:
        return call_text("serial", [repr(layer) for layer in self.layers])


@layer_class
class Parallel(Layer):
    """What :func:`parallel` returns."""

    layers: tuple[Layer, ...]

    def _flow(self, signals: Signals) -> Signals:
        return self._each(signals, lambda layer, signal: layer._flow(signal))

    def _each(self, signals: Signals, step: Any) -> Any:
        inputs = branches(signals, "parallel")
        if len(inputs) != len(self.layers):
            raise ValueError(
                f"[parallel] needs as many branches as layers. Received {len(inputs)} branches for {len(self.layers)} layers."
            )
        return tuple(step(layer, signal) for layer, signal in zip(self.layers, inputs, strict=True))

    def _write(self, table: OpTable) -> None:
        for layer in self.layers:
            layer._write(table)
        table.add(OpKind.PARALLEL, len(self.layers))

    def _draw(self, draws: WeightDraws, signals: Signals) -> tuple[Signals, Any]:
        drawn = self._each(signals, lambda layer, signal: layer._draw(draws, signal))
        return tuple(signal for signal, _ in drawn), tuple(params for _, params in drawn)

    def _gather(self, params: Any, signals: Signals, into: Gathered, where: str) -> Signals:
        own = into.entries(params, where, len(self.layers), "parallel")
        numbered = iter(enumerate(own))

        def gather(layer: Layer, signal: Signal) -> Signals:
            i, params = next(numbered)
            return layer._gather(params, signal, into, f"{where}[{i}]")

        return self._each(signals, gather)

    def _trains_with_dropout(self) -> bool:
        return any(layer._trains_with_dropout() for layer in self.layers)

    def __repr__(self) -> str:
        return call_text("parallel", [repr(layer) for layer in self.layers])


@layer_class
class Repeat(Layer):
    """What :func:`repeat` returns."""

    layer: Layer
    n: int

    def _flow(self, signals: Signals) -> Signals:
        for _ in range(self.n):
            signals = self.layer._flow(signals)
        return signals

    def _write(self, table: OpTable) -> None:
        for _ in range(self.n):
            self.layer._write(table)
        table.add(OpKind.SERIAL, self.n)

    def _draw(self, draws: WeightDraws, signals: Signals) -> tuple[Signals, Any]:
        params = []
        for _ in range(self.n):
            signals, own = self.layer._draw(draws, signals)
            params.append(own)
        return signals, tuple(params)

    def _gather(self, params: Any, signals: Signals, into: Gathered, where: str) -> Signals:
        return _gather_serial((self.layer,) * self.n, params, signals, into, where, "repeat")

    def _starts_with_flatten(self) -> bool:
        return self.n > 0 and self.layer._starts_with_flatten()

    def _trains_with_dropout(self) -> bool:
        return self.n > 0 and self.layer._trains_with_dropout()

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


def _gather_serial(
    layers: tuple[Layer, ...], params: Any, signals: Signals, into: Gathered, where: str, name: str
) -> Signals:
    own = into.entries(params, where, len(layers), name)
    for i, (layer, params) in enumerate(zip(layers, own, strict=True)):
        signals = layer._gather(params, signals, into, f"{where}[{i}]")
    return signals
