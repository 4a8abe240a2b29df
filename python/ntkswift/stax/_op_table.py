"""Op tables: the flat form in which a network crosses into the core (`ntk_op` of
Sources/CNTKSwift/include/ntkswift/architecture.h).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._core import OpKind

if TYPE_CHECKING:
    from ._base import Layer


class OpTable:
    """Records in postfix order, each with its whole and its real numbers, and functions of the caller."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, tuple[int, ...], tuple[float, ...]]] = []
        self.functions: list[tuple[Callable[..., Any] | None, ...]] = []

    def add(
        self, kind: OpKind | int, arity: int = 0, integers: Sequence[int] = (), reals: Sequence[float] = ()
    ) -> None:
        """Appends one record: the kind of a layer, or the code of an activation, with the numbers it takes."""
        self.records.append((int(kind), arity, tuple(integers), tuple(reals)))

    def add_functions(self, *functions: Callable[..., Any] | None) -> int:
        """Appends what a caller's function, its derivative, its dual and the dual's derivative are; returns the
        index.
        """
        self.functions.append(functions + (None,) * (4 - len(functions)))
        return len(self.functions) - 1

    @property
    def activations(self) -> int:
        """How many records are nonlinearities."""
        return sum(kind >= int(OpKind.FIRST_ACTIVATION) for kind, *_ in self.records)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ops (n, 6): kind, arity, first integer, integers, first real, reals; the pools of integers and of reals."""
        ops: list[tuple[int, ...]] = []
        integers: list[int] = []
        reals: list[float] = []
        for kind, arity, some_integers, some_reals in self.records:
            ops.append((kind, arity, len(integers), len(some_integers), len(reals), len(some_reals)))
            integers.extend(some_integers)
            reals.extend(some_reals)
        table = np.array(ops, np.int64).reshape(len(ops), 6)
        return table, np.array(integers, np.int64), np.array(reals, np.float64)


def op_table(layer: Layer) -> OpTable:
    """The op table of a network."""
    table = OpTable()
    layer._write(table)
    return table


def compile_layer(layer: Layer) -> Any:
    """The core's `Architecture` of a network."""
    table = op_table(layer)
    return _core.Architecture(*table.arrays(), table.functions)
