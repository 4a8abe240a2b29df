"""The record that `kernel_fn(x1, x2)` returns: both kernels, variances, and what later layers need to know."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Kernel"]


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """Kernels between n1 and n2 inputs, with the fields of neural-tangents' record.

    `kernel_fn` of another network accepts it in place of inputs, and goes on where this one ended.

    Attributes
    ----------
    nngp : ndarray of shape (n1, n2)
        Covariance of the outputs at initialisation.
    ntk : ndarray of shape (n1, n2) or None
        Neural tangent kernel; None where it was not computed.
    cov1, cov2 : ndarray of shape (n1,), (n2,)
        Output variances of the first and second inputs, float64; `cov2` is None where both are the same inputs.
    x1_is_x2 : bool
        Both inputs are the same.
    is_gaussian : bool
        The output is a Gaussian process (the last layer with weights is not followed by a nonlinearity).
    is_reversed, is_input, diagonal_batch, diagonal_spatial : bool
        False, False, True, False: flat inputs have no spatial axes, and variances are kept per input.
    shape1, shape2 : tuple of int
        Shapes (rows, channels) of the outputs of the finite network.
    batch_axis, channel_axis : int
        0 and 1.
    mask1, mask2 : None
        Masks are not part of this version.
    """

    nngp: np.ndarray
    ntk: np.ndarray | None
    cov1: np.ndarray
    cov2: np.ndarray | None
    x1_is_x2: bool
    is_gaussian: bool
    is_reversed: bool
    is_input: bool
    diagonal_batch: bool
    diagonal_spatial: bool
    shape1: tuple[int, ...]
    shape2: tuple[int, ...]
    batch_axis: int
    channel_axis: int
    mask1: None = None
    mask2: None = None

    def replace(self, **changes: Any) -> Kernel:
        """The same record with some fields changed."""
        unknown = changes.keys() - {field.name for field in dataclasses.fields(self)}
        if unknown:
            raise TypeError(f"[Kernel.replace] needs names of fields. Received {', '.join(sorted(unknown))}.")
        return dataclasses.replace(self, **changes)

    def asdict(self) -> dict[str, Any]:
        """The fields by name; arrays are not copied."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def astuple(self) -> tuple[Any, ...]:
        """The fields in order; arrays are not copied."""
        return tuple(self.asdict().values())

    def __repr__(self) -> str:
        lines = [f"    {name}={_text(value)}," for name, value in self.asdict().items() if value is not None]
        return "Kernel(\n" + "\n".join(lines) + "\n)"


def _text(value: Any) -> str:
    """A short text for a field: arrays by shape, dtype and range."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    range_ = f", {value.min():.4g} to {value.max():.4g}" if value.size else ""
    return f"<{value.dtype} array of shape {value.shape}{range_}>"
