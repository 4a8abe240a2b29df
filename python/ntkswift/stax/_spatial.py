"""Layers for images and lines: convolutions, pooling, BatchNorm. For finite networks; their infinite-width kernels are
not part of this version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _checks
from ._base import Layer, layer_class
from ._linear import BIAS, STANDARD, set_fields
from ._op_table import OpKind, OpTable

_PADDING = {"VALID": 0, "SAME": 1, "CIRCULAR": 2}


@layer_class
class Conv(Layer):
    """A convolution over one or two spatial axes, inputs (batch, height, width, channels) or (batch, length, channels).

    Each output position is ``W_std / sqrt(n) x W + b_std b`` with the n numbers x of its window ("ntk"
    parameterization), or ``x W / sqrt(s[0]) + b`` with W of variance W_std^2 s[0] / n ("standard"); see `Dense`.
    For finite networks: `kernel_fn` raises ValueError.

    Parameters
    ----------
    out_chan : int
        Number of output channels.
    filter_shape : sequence of one or two int
        Positions of the window along each spatial axis.
    strides : sequence of int, optional
        Steps between windows; None is 1.
    padding : {"VALID", "SAME", "CIRCULAR"}
        No padding, zeros, or the opposite edge.
    W_std, b_std
        Standard deviations of weights and biases; no bias where `b_std` is None.
    dimension_numbers : None
        Channels come last.
    parameterization : {"ntk", "standard"}
        See above.
    s : tuple of two int
        Width scalings of input and output; standard parameterization only.

    Examples
    --------
    >>> from ntkswift import stax
    >>> network = stax.serial(stax.Conv(16, (3, 3), padding="SAME"), stax.Relu(), stax.GlobalAvgPool(), stax.Dense(10))
    >>> shape, params = network.init_fn(0, (-1, 8, 8, 1))
    >>> shape
    (-1, 10)
    """

    out_chan: int
    filter_shape: Sequence[int]
    strides: Sequence[int] | None = None
    padding: str = "VALID"
    W_std: float = 1.0
    b_std: float | None = None
    dimension_numbers: Any = None
    parameterization: str = "ntk"
    s: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if str(self.parameterization).lower() not in ("ntk", "standard"):
            raise ValueError(
                f'[Conv] parameterization must be "ntk" or "standard". Received {self.parameterization!r}.'
            )
        if self.dimension_numbers is not None and tuple(self.dimension_numbers) not in (
            ("NHWC", "HWIO", "NHWC"),
            ("NHC", "HIO", "NHC"),
        ):
            raise ValueError(
                f"[Conv] dimension_numbers must be None: channels come last. Received {self.dimension_numbers!r}."
            )
        window = _lengths(self.filter_shape, "Conv", "filter_shape")
        set_fields(
            self,
            out_chan=_checks.integer(self.out_chan, "Conv", "out_chan"),
            filter_shape=window,
            strides=_strides(self.strides, window, "Conv"),
            padding=_padding(self.padding, "Conv"),
            W_std=_checks.real(self.W_std, "Conv", "W_std", minimum=0),
            b_std=None if self.b_std is None else _checks.real(self.b_std, "Conv", "b_std", minimum=0),
            parameterization=str(self.parameterization).lower(),
            s=_checks.pair(self.s, "Conv", "s"),
        )

    @property
    def _is_standard(self) -> bool:
        return self.parameterization == "standard"

    def _write(self, table: OpTable) -> None:
        flags = BIAS * (self.b_std is not None) | STANDARD * self._is_standard
        table.add(
            OpKind.CONVOLUTION,
            integers=(self.out_chan, flags, *self.s, *_window(self.filter_shape, self.strides, self.padding)),
            reals=(self.W_std, self.b_std or 0.0),
        )


class _Pool(Layer):
    """What AvgPool and SumPool share."""

    window_shape: Sequence[int]
    strides: Sequence[int] | None
    padding: str

    def _check(self, name: str) -> None:
        window = _lengths(self.window_shape, name, "window_shape")
        set_fields(
            self,
            window_shape=window,
            strides=_strides(self.strides, window, name),
            padding=_padding(self.padding, name),
        )

    def _write_pool(self, table: OpTable, is_mean: bool, normalize_edges: bool) -> None:
        window = _window(self.window_shape, self.strides, self.padding)
        table.add(OpKind.POOL, integers=(int(is_mean), int(normalize_edges), *window))


@layer_class
class AvgPool(_Pool):
    """Means over windows of positions.

    Parameters
    ----------
    window_shape : sequence of int
        Positions along each spatial axis.
    strides : sequence of int, optional
        Steps between windows; None is 1.
    padding : {"VALID", "SAME", "CIRCULAR"}
        See `Conv`.
    normalize_edges : bool
        Whether a window at the edge is divided by the positions that are inside the image only.
    """

    window_shape: Sequence[int]
    strides: Sequence[int] | None = None
    padding: str = "VALID"
    normalize_edges: bool = False

    def __post_init__(self) -> None:
        self._check("AvgPool")
        set_fields(self, normalize_edges=_checks.flag(self.normalize_edges, "AvgPool", "normalize_edges"))

    def _write(self, table: OpTable) -> None:
        self._write_pool(table, True, self.normalize_edges)


@layer_class
class SumPool(_Pool):
    """Sums over windows of positions; parameters as `AvgPool` has them."""

    window_shape: Sequence[int]
    strides: Sequence[int] | None = None
    padding: str = "VALID"

    def __post_init__(self) -> None:
        self._check("SumPool")

    def _write(self, table: OpTable) -> None:
        self._write_pool(table, False, False)


@layer_class
class GlobalAvgPool(Layer):
    """The mean over all positions: (batch, ..., channels) becomes (batch, channels)."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.GLOBAL_POOL, integers=(1,))


@layer_class
class GlobalSumPool(GlobalAvgPool):
    """The sum over all positions."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.GLOBAL_POOL, integers=(0,))


@layer_class
class BatchNorm(Layer):
    """Batch normalisation (Ioffe and Szegedy, arXiv:1502.03167): each channel is centred and divided by its standard
    deviation over the batch that is passed and all positions, then multiplied by a trained scale and shifted.

    Statistics are always those of the batch at hand. For finite networks only: it has no infinite-width kernel here,
    and empirical kernels, which treat inputs one by one, refuse it.

    Parameters
    ----------
    eps : float
        Added to the variance.
    affine : bool
        Whether there are a scale (initially 1) and a shift (initially 0).
    """

    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        set_fields(
            self,
            eps=_checks.real(self.eps, "BatchNorm", "eps", minimum=0),
            affine=_checks.flag(self.affine, "BatchNorm", "affine"),
        )

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.BATCH_NORM, integers=(int(self.affine),), reals=(self.eps,))


def _lengths(value: Any, layer: str, name: str) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) not in (1, 2):
        raise ValueError(f"[{layer}] {name} must be one or two positive integers. Received {value!r}.")
    return tuple(_checks.integer(n, layer, f"{name}[{i}]") for i, n in enumerate(value))


def _strides(value: Any, window: tuple[int, ...], layer: str) -> tuple[int, ...] | None:
    if value is None:
        return None
    strides = _lengths(value, layer, "strides")
    if len(strides) != len(window):
        raise ValueError(f"[{layer}] strides must be one for each axis of the window. Received {value!r}.")
    return strides


def _padding(value: Any, layer: str) -> str:
    if not isinstance(value, str) or value.upper() not in _PADDING:
        raise ValueError(f"[{layer}] padding must be one of {tuple(_PADDING)}. Received {value!r}.")
    return value.upper()


def _window(lengths: Sequence[int], strides: Sequence[int] | None, padding: str) -> tuple[int, ...]:
    """A window in op tables: axes, padding, lengths, strides."""
    return (len(lengths), _PADDING[padding], *lengths, *(strides or (1,) * len(lengths)))
