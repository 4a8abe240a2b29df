"""Branches: one input copied into several, several joined into one.

The infinite limit takes the branches that are joined as independent: each needs a Dense layer of its own, except
where one branch is the input itself (a residual connection).
"""

from __future__ import annotations

from dataclasses import replace

from .. import _checks
from ._base import Layer, layer_class
from ._op_table import OpKind, OpTable
from ._signals import Signal, Signals, branches, single


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

    def _flow(self, signals: Signals) -> Signals:
        return (single(signals, "FanOut"),) * self.num

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_OUT, integers=(self.num,))


@layer_class
class FanInSum(Layer):
    """The sum of the branches. All must be Gaussian (end in a Dense layer), unless there is only one."""

    def _flow(self, signals: Signals) -> Signals:
        inputs = branches(signals, "FanInSum")
        first = _same_shape(inputs, "FanInSum")
        if len(inputs) > 1:
            _require_gaussian(inputs, "FanInSum")
        return replace(first, is_gaussian=all(s.is_gaussian for s in inputs), is_data=all(s.is_data for s in inputs))

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_IN_SUM)


@layer_class
class FanInProd(Layer):
    """The elementwise product of the branches; its output is not Gaussian, so a Dense layer must follow before a
    nonlinearity.
    """

    def _flow(self, signals: Signals) -> Signals:
        inputs = branches(signals, "FanInProd")
        first = _same_shape(inputs, "FanInProd")
        return replace(
            first, is_gaussian=len(inputs) == 1 and first.is_gaussian, is_data=all(s.is_data for s in inputs)
        )

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

    def _flow(self, signals: Signals) -> Signals:
        inputs = branches(signals, "FanInConcat")
        first = inputs[0]
        is_data = all(s.is_data for s in inputs)
        if self.axis == -1:
            if any(s.blocks != first.blocks for s in inputs):
                raise ValueError(
                    f"[FanInConcat] needs branches of equal batch. Received {[s.blocks for s in inputs]} rows per input."
                )
            return replace(first, width=sum(s.width for s in inputs), is_gaussian=False, is_data=is_data)
        if any(s.width != first.width for s in inputs):
            raise ValueError(f"[FanInConcat] needs branches of equal width. Received {[s.width for s in inputs]}.")
        _require_gaussian(inputs, "FanInConcat")
        return replace(first, blocks=sum(s.blocks for s in inputs), is_data=is_data)

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FAN_IN_CONCAT, integers=(0 if self.axis == 0 else 1,))


def _same_shape(inputs: tuple[Signal, ...], layer: str) -> Signal:
    first = inputs[0]
    if any((s.width, s.blocks) != (first.width, first.blocks) for s in inputs):
        raise ValueError(f"[{layer}] needs branches of equal width. Received {[s.width for s in inputs]}.")
    return first


def _require_gaussian(inputs: tuple[Signal, ...], layer: str) -> None:
    if all(s.is_gaussian or s.finite for s in inputs):
        return
    got = ", ".join("Gaussian" if s.is_gaussian else "not Gaussian" for s in inputs)
    raise ValueError(f"[{layer}] all branches must be Gaussian, that is, end in a Dense layer. Received {got}.")
