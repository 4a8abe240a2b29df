"""Branches: one input copied into several, several joined into one.

The infinite limit takes the branches that are joined as independent: each needs a Dense layer of its own, except
where one branch is the input itself (a residual connection).
"""

from __future__ import annotations

from .. import _checks
from ._base import Layer, layer_class
from ._op_table import OpKind, OpTable


@layer_class
class FanOut(Layer):
    """`num` copies of the input, one per branch of the :func:`parallel` that follows.

    Parameters
    ----------
    num : int
        Number of branches.
    """

    num: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "num", _checks.integer(self.num, "FanOut", "num"))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_OUT, integers=(self.num,))


@layer_class
class FanInSum(Layer):
    """The sum of the branches. All must be Gaussian (end in a Dense layer), unless there is only one."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_IN_SUM)


@layer_class
class FanInProd(Layer):
    """The elementwise product of the branches; its output is not Gaussian, so a Dense layer must follow before a
    nonlinearity.
    """

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_IN_PROD)


@layer_class
class FanInConcat(Layer):
    """The branches side by side.

    Along the channels the kernels are averaged, weighted by the branches' widths, and the output is not Gaussian.
    Along the batch each input gives one row per branch: the kernel has zero blocks between branches, which must all
    be Gaussian.

    Parameters
    ----------
    axis : int
        -1 or 1, the channels; 0, the batch.
    """

    axis: int = -1

    def __post_init__(self) -> None:
        axis = _checks.axis(self.axis, "FanInConcat", "axis", allowed={-1: -1, 1: -1, 0: 0, -2: 0})
        object.__setattr__(self, "axis", axis)

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_IN_CONCAT, integers=(0 if self.axis == 0 else 1,))
