"""Op tables: the flat form in which a network crosses into the core (`ntk_op` of
Sources/CNTKSwift/include/ntkswift/architecture.h).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from ._base import Layer


class OpKind(IntEnum):
    """Kinds of records (`ntk_op_kind`)."""

    SERIAL = 1
    PARALLEL = 2
    IDENTITY = 3
    DENSE = 4
    FAN_OUT = 5
    FAN_IN_SUM = 6
    FAN_IN_PROD = 7
    FAN_IN_CONCAT = 8
    LAYER_NORM = 9
    DROPOUT = 10
    CONVOLUTION = 11
    POOL = 12
    GLOBAL_POOL = 13
    FLATTEN = 14
    BATCH_NORM = 15
    ABRELU = 100
    ERF = 101
    GELU = 102
    SIN = 103
    RBF = 104
    SIGN = 105
    STEP = 106
    EXP = 107
    GAUSSIAN = 108
    GABOR = 109
    EXP_NORMALIZED = 110
    HERMITE = 111
    POLYNOMIAL = 112
    RECTIFIED_MONOMIAL = 113
    NAMED = 114
    USER_EXPANSION = 115
    USER_QUADRATURE = 116
    USER_DUAL = 117


class OpTable:
    """Records in postfix order, and what they point to: coefficients of polynomials, functions of the caller."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, tuple[int, ...], tuple[float, ...]]] = []
        self.coefficients: list[float] = []
        self.functions: list[tuple[Callable[..., Any] | None, ...]] = []

    def add(self, kind: OpKind, arity: int = 0, integers: Sequence[int] = (), reals: Sequence[float] = ()) -> None:
        """Appends one record; missing integers and reals are zero."""
        self.records.append((int(kind), arity, tuple(integers), tuple(reals)))

    def add_coefficients(self, values: Sequence[float]) -> tuple[int, int]:
        """Appends coefficients; returns where they start and how many they are."""
        first = len(self.coefficients)
        self.coefficients.extend(values)
        return first, len(values)

    def add_functions(self, *functions: Callable[..., Any] | None) -> int:
        """Appends what a caller's function, its derivative, its dual and the dual's derivative are; returns the
        index.
        """
        self.functions.append(functions + (None,) * (4 - len(functions)))
        return len(self.functions) - 1

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """kinds (n), arities (n), integers (n, 4), reals (n, 6), coefficients (m)."""
        n = len(self.records)
        kinds, arities = np.zeros(n, np.int32), np.zeros(n, np.int32)
        integers, reals = np.zeros((n, 4), np.int64), np.zeros((n, 6), np.float64)
        for i, (kind, arity, some_integers, some_reals) in enumerate(self.records):
            kinds[i], arities[i] = kind, arity
            integers[i, : len(some_integers)] = some_integers
            reals[i, : len(some_reals)] = some_reals
        return kinds, arities, integers, reals, np.asarray(self.coefficients, np.float64)


def op_table(layer: Layer) -> OpTable:
    """The op table of a network."""
    table = OpTable()
    layer._write(table)
    return table


def compile_layer(layer: Layer) -> Any:
    """The core's `Architecture` of a network."""
    table = op_table(layer)
    return _core.Architecture(*table.arrays(), table.functions)
