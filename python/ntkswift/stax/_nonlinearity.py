"""What all nonlinearities share: checks and records, by what the core's catalogue of activations says of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import _checks, _core
from ._base import Layer
from ._linear import set_fields
from ._op_table import OpTable


class Parameter(NamedTuple):
    """A parameter of an activation: its name, the values it may have and its default (None: must be given)."""

    name: str
    kind: str
    least: float
    most: float
    is_open: bool
    default: float | None

    def checked(self, value: Any, layer: str) -> Any:
        """`value` in the type of the parameter; ValueError or TypeError naming layer and parameter otherwise."""
        if self.kind == "flag":
            return _checks.flag(value, layer, self.name)
        if self.kind == "integer":
            return _checks.integer(value, layer, self.name, minimum=int(self.least), maximum=int(self.most))
        if self.kind == "list":
            return self._list(value, layer)
        if self.is_open:
            return _checks.between(value, layer, self.name, least=self.least, most=self.most)
        return _checks.real(value, layer, self.name, minimum=None if self.least == -np.inf else self.least)

    def _list(self, value: Any, layer: str) -> tuple[float, ...]:
        numbers = value.tolist() if isinstance(value, np.ndarray) else value
        is_list = isinstance(numbers, Sequence) and not isinstance(numbers, str)
        if not is_list or not self.least <= len(numbers) <= self.most:
            raise ValueError(
                f"[{layer}] {self.name} must be a sequence of {self.least:g} to {self.most:g} numbers. Received {value!r}."
            )
        return tuple(_checks.real(number, layer, f"{self.name}[{i}]") for i, number in enumerate(numbers))


class Entry(NamedTuple):
    """An activation of the catalogue: its code in op tables, its name and its parameters."""

    code: int
    name: str
    parameters: tuple[Parameter, ...]


@cache
def catalogue() -> dict[str, Entry]:
    """The core's activations by name, which is that of their class."""
    return {
        entry["name"]: Entry(entry["code"], entry["name"], tuple(Parameter(**p) for p in entry["parameters"]))
        for entry in _core.activations()
    }


class Nonlinearity(Layer):
    """The base of all layers that apply one function to every unit.

    A class of the name of a catalogue entry has fields for the entry's parameters; they are checked and written as the
    catalogue says. Other classes are special cases: `_as_entry` says of what.
    """

    def __post_init__(self) -> None:
        name = type(self).__name__
        entry = catalogue().get(name)
        known = {parameter.name: parameter for parameter in entry.parameters} if entry else {}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name in known:
                value = known[field.name].checked(value, name)
            elif field.type == "bool":
                value = _checks.flag(value, name, field.name)
            elif field.type == "float":
                value = _checks.real(value, name, field.name)
            set_fields(self, **{field.name: value})

    def _as_entry(self) -> Nonlinearity:
        """The same function as a layer of the catalogue's name."""
        return self

    def _write(self, table: OpTable) -> None:
        layer = self._as_entry()
        entry = catalogue()[type(layer).__name__]
        integers: list[int] = []
        reals: list[float] = []
        for parameter in entry.parameters:
            value = getattr(layer, parameter.name)
            if parameter.kind == "list":
                reals.extend(value)
            elif parameter.kind == "real":
                reals.append(value)
            else:
                integers.append(int(value))
        table.add(entry.code, integers=integers, reals=reals)


def as_entry(layer: Nonlinearity) -> Nonlinearity:
    """The same function as a layer whose class has the name of a catalogue entry: `ABRelu` for `Relu`, say."""
    return layer._as_entry()
