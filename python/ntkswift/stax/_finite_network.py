"""`init_fn` and `apply_fn`: random weights and outputs of finite networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import check_array
from .._call import Progress, takes_resources
from .._random import generator, philox_key
from ._core_network import finite_network
from ._kernel_function import refuse
from ._weights import WeightDraws, draw

if TYPE_CHECKING:
    from ._base import Layer


class _LayerFunction:
    """A function of one network; :attr:`layer` is that network. Two are equal where their networks are."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.layer == other.layer  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.layer))


class InitFunction(_LayerFunction):
    """``init_fn(rng, input_shape) -> (output_shape, params)`` of one network."""

    def __call__(
        self, rng: Any, input_shape: Sequence[int], *, distribution: str = "gaussian"
    ) -> tuple[tuple[int, ...], Any]:
        """Random weights for inputs of a shape.

        Parameters
        ----------
        rng : int, sequence of int, SeedSequence, Generator or None
            Seed; the same seed gives the same weights everywhere.
        input_shape : tuple of int
            (rows, features), or (rows, height, width, channels), or (rows, length, channels); rows may be -1, they do
            not matter.
        distribution : {"gaussian", "rademacher", "orthogonal"}
            Of the weights; all have mean 0 and mean square 1 (in the "ntk" parameterization), so the infinite limit is
            the same (with few inputs the first layer of "rademacher" is not Gaussian yet). "orthogonal": blocks of
            Haar-distributed orthogonal matrices (arXiv:2004.05867). (Not in neural-tangents.)

        Returns
        -------
        output_shape : tuple of int
            (rows, outputs).
        params : nested tuples
            ``(W, b)`` for Dense, with float64 arrays of shapes (inputs, outputs) and (1, outputs), and for Conv with
            W of shape (height, width, inputs, outputs); b None without bias; (scale, shift) for BatchNorm; () for
            layers without weights; a tuple with one entry per layer for serial, parallel and repeat.
        """
        draws = WeightDraws(generator(rng, op="init_fn"), distribution)
        rows, shapes, is_branched = _input(input_shape)
        outputs, has_branches, slots = self.layer._compiled.parameters(shapes, is_branched)
        ends: Any = tuple((rows * end.blocks if rows >= 0 else rows, *end.spatial, end.channels) for end in outputs)
        return ends if has_branches else ends[0], draw(self.layer, slots, draws)

    def __repr__(self) -> str:
        return f"{self.layer!r}.init_fn"


class ApplyFunction(_LayerFunction):
    """``apply_fn(params, x, rng=None) -> array`` of one network."""

    @takes_resources()
    def __call__(
        self,
        params: Any,
        inputs: Any,
        rng: Any = None,
        *,
        memory_limit: int | None = None,
        mask_constant: float | None = None,
        pattern: Any = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """The output of the finite network with weights `params`.

        Parameters
        ----------
        params : nested tuples or lists
            Weights as `init_fn` returns them.
        inputs : array_like of shape (n, d), (n, length, channels) or (n, height, width, channels)
            Inputs.
        rng : int, sequence of int, SeedSequence, Generator, optional
            Seed; Dropout in train mode needs it.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        mask_constant, pattern : None
            Masks and graphs are not part of this version.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.

        Returns
        -------
        ndarray of shape (n, outputs), or with spatial axes between the two
            Computed in float64; float32 where the inputs are float32.
        """
        refuse(pattern, "pattern", "Aggregate layers (graphs)")
        refuse(mask_constant, "mask_constant", "masks")
        x = check_array(inputs, "inputs", ndim=None, op="apply_fn")
        if rng is None and self.layer._trains_with_dropout():
            raise ValueError('[apply_fn] rng, a seed, is needed by Dropout in "train" mode. Received None.')
        network = finite_network(self.layer, x.shape[1:], "apply_fn")
        outputs = network.call(
            "derivatives",
            network.vector(params),
            network.rows(x, "inputs"),
            None,
            [0],
            seed=(0, 0) if rng is None else philox_key(rng, op="apply_fn"),
        )
        return network.outputs(outputs[0]).astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        return f"{self.layer!r}.apply_fn"


def _input(shape: Any) -> tuple[int, list[tuple[int, ...]], bool]:
    """Rows, shapes of one input, and whether there is one shape per branch."""
    if isinstance(shape, (tuple, list)) and shape and all(isinstance(part, (tuple, list)) for part in shape):
        parts = [_sizes(part) for part in shape]
        return parts[0][0], [part[1:] for part in parts], True
    sizes = _sizes(shape)
    return sizes[0], [sizes[1:]], False


def _sizes(shape: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in shape)
    except (TypeError, ValueError):
        raise TypeError(f"[init_fn] input_shape must be a tuple of integers. Received {shape!r}.") from None
    if not 2 <= len(sizes) <= 4 or any(not 1 <= size < 2**63 for size in sizes[1:]):
        raise ValueError(
            "[init_fn] input_shape must be (rows, features), (rows, length, channels) or (rows, height, width, channels). "
            f"Received {sizes}."
        )
    return sizes
