"""Layers without a nonlinearity: Dense, Identity, Flatten, LayerNorm, Dropout."""

from __future__ import annotations

from typing import Any

from .. import _checks
from ._base import Layer, layer_class
from ._op_table import OpKind, OpTable

BIAS, STANDARD, FROZEN = 1, 2, 4
_BATCH = {0: 0, -2: 0}
_CHANNEL = {-1: -1, 1: -1}


@layer_class
class Dense(Layer):
    """A fully connected layer.

    In the "ntk" parameterization the weights are N(0, 1) and the layer is ``W_std / sqrt(n) x W + b_std b`` with n
    inputs (Jacot et al., arXiv:1806.07572); in the "standard" one the weights are N(0, W_std^2 s[0] / n), the bias
    N(0, b_std^2), and the layer is ``x W / sqrt(s[0]) + b`` (Sohl-Dickstein et al., arXiv:2001.07301). Both have the
    same NNGP, ``W_std^2 K + b_std^2``; the NTK of the standard one weighs this layer's weights by its number of inputs.

    Parameters
    ----------
    out_dim : int
        Number of outputs. The kernels of the "ntk" parameterization do not depend on it.
    W_std : float
        Standard deviation of the weights.
    b_std : float or None
        Standard deviation of the biases; None means no bias. (In the standard parameterization a bias adds 1 to the
        NTK, also with ``b_std=0``.)
    batch_axis, channel_axis : int
        Accepted for compatibility; inputs are flat, so 0 and -1 (or -2 and 1) are the only values.
    parameterization : {"ntk", "standard"}
        See above.
    s : tuple of two int
        Width scalings of the input and the output; standard parameterization only. The layer has ``s[1] * out_dim``
        outputs.
    trainable : bool
        False keeps this layer's weights at their initial values: it then adds nothing to the NTK. (Not in
        neural-tangents.)

    Examples
    --------
    >>> from ntkswift import stax
    >>> stax.Dense(512, W_std=1.5, b_std=0.1)
    Dense(512, W_std=1.5, b_std=0.1)
    >>> stax.Dense(-3)
    Traceback (most recent call last):
    ...
    ValueError: [Dense] out_dim must be a positive integer. Received -3.
    """

    out_dim: int
    W_std: float = 1.0
    b_std: float | None = None
    batch_axis: int = 0
    channel_axis: int = -1
    parameterization: str = "ntk"
    s: tuple[int, int] = (1, 1)
    trainable: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.parameterization, str) or self.parameterization.lower() not in ("ntk", "standard"):
            raise ValueError(
                f'[Dense] parameterization must be "ntk" or "standard". Received {self.parameterization!r}.'
            )
        set_fields(
            self,
            out_dim=_checks.integer(self.out_dim, "Dense", "out_dim"),
            W_std=_checks.real(self.W_std, "Dense", "W_std", minimum=0),
            b_std=None if self.b_std is None else _checks.real(self.b_std, "Dense", "b_std", minimum=0),
            batch_axis=_checks.axis(self.batch_axis, "Dense", "batch_axis", allowed=_BATCH),
            channel_axis=_checks.axis(self.channel_axis, "Dense", "channel_axis", allowed=_CHANNEL),
            parameterization=self.parameterization.lower(),
            s=_checks.pair(self.s, "Dense", "s"),
            trainable=_checks.flag(self.trainable, "Dense", "trainable"),
        )

    @property
    def _is_standard(self) -> bool:
        return self.parameterization == "standard"

    def _write(self, table: OpTable) -> None:
        flags = BIAS * (self.b_std is not None) | STANDARD * self._is_standard | FROZEN * (not self.trainable)
        table.add(OpKind.DENSE, integers=(self.out_dim, flags, *self.s), reals=(self.W_std, self.b_std or 0.0))


@layer_class
class Identity(Layer):
    """The input itself."""

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.IDENTITY)


@layer_class
class Flatten(Layer):
    """All axes but the batch made one; flat input stays as it is.

    Inputs of more than two axes are accepted where Flatten is the first layer.

    Parameters
    ----------
    batch_axis, batch_axis_out : int
        Accepted for compatibility; the batch comes first, so 0 is the only value.
    """

    batch_axis: int = 0
    batch_axis_out: int = 0

    def __post_init__(self) -> None:
        set_fields(
            self,
            batch_axis=_checks.axis(self.batch_axis, "Flatten", "batch_axis", allowed={0: 0}),
            batch_axis_out=_checks.axis(self.batch_axis_out, "Flatten", "batch_axis_out", allowed=_BATCH),
        )

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.FLATTEN)


@layer_class
class LayerNorm(Layer):
    """Layer normalisation: each input is centred and divided by its standard deviation over the channels.

    In the infinite limit, K -> K / sqrt((eps + q1)(eps + q2)) with the variances q1, q2, and the NTK likewise.

    Parameters
    ----------
    axis : int or sequence of int
        Axes to normalise over; inputs are flat, so it is the channel axis, -1 or 1.
    eps : float
        Added to the variance.
    batch_axis, channel_axis : int
        Accepted for compatibility.
    """

    axis: int = -1
    eps: float = 1e-12
    batch_axis: int = 0
    channel_axis: int = -1

    def __post_init__(self) -> None:
        axes = self.axis if isinstance(self.axis, (tuple, list)) else (self.axis,)
        if len(axes) != 1:
            raise ValueError(
                f"[LayerNorm] axis must be the channel axis, -1 or 1 (inputs are flat: batch, channel). Received {self.axis!r}."
            )
        set_fields(
            self,
            axis=_checks.axis(axes[0], "LayerNorm", "axis", allowed=_CHANNEL),
            eps=_checks.real(self.eps, "LayerNorm", "eps", minimum=0),
            batch_axis=_checks.axis(self.batch_axis, "LayerNorm", "batch_axis", allowed=_BATCH),
            channel_axis=_checks.axis(self.channel_axis, "LayerNorm", "channel_axis", allowed=_CHANNEL),
        )

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.LAYER_NORM, reals=(self.eps,))


@layer_class
class Dropout(Layer):
    """Dropout: in train mode each unit is kept with probability `rate` and divided by it, else set to zero.

    In the infinite limit only the kernel of an input with itself changes: it is divided by `rate`.

    Parameters
    ----------
    rate : float
        Probability to *keep* a unit, in (0, 1].
    mode : {"train", "test"}
        In test mode the layer does nothing.
    """

    rate: float
    mode: str = "train"

    def __post_init__(self) -> None:
        rate = _checks.real(self.rate, "Dropout", "rate")
        if not 0 < rate <= 1:
            raise ValueError(
                f"[Dropout] rate, the probability to keep a unit, must be in (0, 1]. Received {self.rate!r}."
            )
        if self.mode not in ("train", "test"):
            raise ValueError(f'[Dropout] mode must be "train" or "test". Received {self.mode!r}.')
        set_fields(self, rate=rate)

    def _write(self, table: OpTable) -> None:
        table.add(OpKind.DROPOUT, integers=(int(self.mode == "train"),), reals=(self.rate,))


def set_fields(layer: Layer, **values: Any) -> None:
    """Stores checked parameters in a frozen layer that is being made."""
    for name, value in values.items():
        object.__setattr__(layer, name, value)
