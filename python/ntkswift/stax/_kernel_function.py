"""`kernel_fn`: NNGP and NTK of the infinitely wide network."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np

from .._arrays import check_array, check_widths
from ..kernel import Kernel
from ._base import Layer
from ._resources import Resources
from ._signals import Signal, single

_FIELDS = tuple(field.name for field in fields(Kernel))
_DIAGONAL_ROWS = 128


class KernelFunction:
    """``kernel_fn(x1, x2=None, get=None)`` of one network; :attr:`layer` is that network.

    Two are equal where their networks are.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __call__(
        self,
        x1: Any,
        x2: Any = None,
        get: str | Sequence[str] | None = None,
        *,
        out: Any = None,
        memory_limit: int | None = None,
        progress: Callable[[float], None] | None = None,
        pattern: Any = None,
        mask_constant: float | None = None,
        diagonal_batch: bool | None = None,
        diagonal_spatial: bool | None = None,
    ) -> Any:
        """Kernels between the rows of `x1` and `x2`.

        Parameters
        ----------
        x1 : array_like of shape (n1, d) or Kernel
            Inputs; float32 inputs give float32 kernels, everything else is computed in float64. More axes are
            accepted where the first layer is Flatten. A Kernel is taken as what the layers before this network
            computed.
        x2 : array_like of shape (n2, d), optional
            Other inputs; None means `x1` again. `get` may stand here when there are none.
        get : {"nngp", "ntk"}, another field of Kernel, or a sequence of such
            What to compute: one name gives an array, several give a namedtuple in their order, None gives a Kernel
            with everything.
        out : ndarray or sequence of ndarray, optional
            Where to write "nngp" and "ntk", in the order of `get`: arrays (or memory maps) of the shape and type of
            the results.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : callable, optional
            Called with the fraction done, at most every 50 ms.
        pattern, mask_constant : None
            Graphs and masks are not part of this version.
        diagonal_batch, diagonal_spatial : bool, optional
            Accepted for compatibility; variances are kept per input (``diagonal_batch=True``), and flat inputs have
            no spatial axes.

        Returns
        -------
        ndarray, namedtuple or Kernel

        Raises
        ------
        ValueError
            For inputs with NaN or infinity, of wrong shapes, and for networks in which a nonlinearity, LayerNorm or
            a sum of branches does not follow a Dense layer.
        MemoryError
            Before anything is computed, where the result would need more than `memory_limit`.

        Notes
        -----
        Where `x1` and `x2` hold the same numbers, Dropout in train mode takes them as the same inputs.
        The cost is that of the matrix product ``x1 x2^T`` plus some 10 to 100 floating-point operations per entry
        and nonlinearity.
        """
        if isinstance(x2, str) or (isinstance(x2, (tuple, list)) and x2 and all(isinstance(n, str) for n in x2)):
            if get is not None:
                raise TypeError(f"[kernel_fn] get must be given once. Received {x2!r} and {get!r}.")
            x2, get = None, x2
        _refuse(pattern, "pattern", "Aggregate layers (graphs)")
        _refuse(mask_constant, "mask_constant", "masks")
        if diagonal_batch not in (None, True):
            raise ValueError(f"[kernel_fn] diagonal_batch must be None or True. Received {diagonal_batch!r}.")
        names = _names(get)
        resources = Resources(memory_limit=memory_limit, progress=progress)
        if isinstance(x1, Kernel):
            if x2 is not None or out is not None:
                raise TypeError("[kernel_fn] with a Kernel takes neither x2 nor out. Received one of them.")
            kernel = self._from_kernel(x1, names, resources)
        else:
            kernel = self._from_inputs(x1, x2, names, _outputs(out, get), resources)
        if get is None:
            return kernel
        if isinstance(get, str):
            return getattr(kernel, get)
        return _tuple_type(names)(*(getattr(kernel, name) for name in names))

    def _from_inputs(
        self, x1: Any, x2: Any, names: tuple[str, ...], out: dict[str, np.ndarray], resources: Resources
    ) -> Kernel:
        same = x2 is None or x2 is x1
        x1 = self._inputs(x1, "x1")
        x2 = None if same else self._inputs(x2, "x2")
        if x2 is not None:
            check_widths(x1, x2, ("x1", "x2"), op="kernel_fn")
            if x1.dtype != x2.dtype:
                x1, x2 = x1.astype(np.float64, copy=False), x2.astype(np.float64, copy=False)
            if self.layer._trains_with_dropout() and x1.shape == x2.shape and np.array_equal(x1, x2):
                x2 = None
        signal = single(self.layer._flow(Signal(width=x1.shape[1])), "kernel_fn")
        _check_outputs(out, (x1, x1 if x2 is None else x2), signal.blocks)
        result = resources.run(
            "kernel",
            "kernel",
            self.layer._compiled,
            x1,
            x2,
            "nngp" in names,
            "ntk" in names,
            "cov1" in names or "cov2" in names,
            out.get("nngp"),
            out.get("ntk"),
        )
        return _record({**result, **out}, signal, len(x1), len(x1 if x2 is None else x2), x2 is None)

    def _array(self, x1: np.ndarray, x2: np.ndarray | None, name: str, resources: Resources) -> np.ndarray:
        """One kernel as an array, with the resources that it may use."""
        return getattr(self._from_inputs(x1, x2, (name,), {}, resources), name)

    def _diagonal(self, x: np.ndarray, name: str, resources: Resources) -> np.ndarray:
        """k(x, x) for each row: the variances for the NNGP, small blocks of the kernel for the NTK."""
        if name == "nngp":
            return self._array(x, None, "cov1", resources)
        blocks = [x[first : first + _DIAGONAL_ROWS] for first in range(0, len(x), _DIAGONAL_ROWS)]
        return np.concatenate([np.diagonal(self._array(rows, None, name, resources)) for rows in blocks])

    def _inputs(self, x: Any, name: str) -> np.ndarray:
        flattens = self.layer._starts_with_flatten()
        array = check_array(x, name, ndim=None if flattens else (1, 2, 3, 4, 5), op="kernel_fn")
        return flat(array, name, "kernel_fn", flattens)

    def _from_kernel(self, kernel: Kernel, names: tuple[str, ...], resources: Resources) -> Kernel:
        nngp = check_array(kernel.nngp, "nngp", op="kernel_fn")
        ntk = (
            None if kernel.ntk is None else check_array(np.broadcast_to(kernel.ntk, nngp.shape), "ntk", op="kernel_fn")
        )
        cov1 = check_array(kernel.cov1, "cov1", ndim=1, dtype=np.float64, op="kernel_fn")
        cov2 = (
            None if kernel.cov2 is None else check_array(kernel.cov2, "cov2", ndim=1, dtype=np.float64, op="kernel_fn")
        )
        columns = len(cov1 if cov2 is None else cov2)
        if nngp.shape != (len(cov1), columns):
            raise ValueError(
                "[kernel_fn] nngp must have one row per entry of cov1 and one column per entry of cov2. "
                f"Received shapes {nngp.shape}, {(len(cov1),)} and {(columns,)}."
            )
        get_ntk = "ntk" in names and (ntk is not None or len(names) < len(_FIELDS))
        if get_ntk and ntk is None:
            raise ValueError('[kernel_fn] "ntk" needs a Kernel with an NTK. Received one whose ntk is None.')
        if ntk is not None and ntk.dtype != nngp.dtype:
            nngp, ntk = nngp.astype(np.float64, copy=False), ntk.astype(np.float64, copy=False)
        width = int(kernel.shape1[kernel.channel_axis])
        start = Signal(width=width, is_gaussian=bool(kernel.is_gaussian), is_data=False)
        signal = single(self.layer._flow(start), "kernel_fn")
        result = resources.run(
            "kernel_from_kernel",
            "kernel",
            self.layer._compiled,
            nngp,
            ntk if get_ntk else None,
            cov1,
            cov2,
            width,
            bool(kernel.is_gaussian),
            bool(kernel.x1_is_x2),
            get_ntk,
            signal.blocks,
        )
        return _record(result, signal, nngp.shape[0], nngp.shape[1], bool(kernel.x1_is_x2))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelFunction) and self.layer == other.layer

    def __hash__(self) -> int:
        return hash((KernelFunction, self.layer))

    def __repr__(self) -> str:
        return f"{self.layer!r}.kernel_fn"


def flat(x: np.ndarray, name: str, op: str, flattens: bool) -> np.ndarray:
    """`x` with two axes: as it is, or flattened where the network starts with Flatten."""
    if x.ndim == 2:
        return x
    if x.ndim > 2 and flattens:
        return x.reshape(len(x), -1)
    advice = (
        "More axes need stax.Flatten() as the first layer; convolutions and other spatial layers are not part of this version."
        if x.ndim > 2
        else "Use x[:, None] for one feature or x[None, :] for one sample."
    )
    raise ValueError(f"[{op}] {name} must have 2 axes. Received an array of shape {x.shape}. {advice}")


def _refuse(value: Any, name: str, what: str) -> None:
    if value is not None:
        raise ValueError(
            f"[kernel_fn] {name} must be None: {what} are not part of this version. Received {type(value).__name__}."
        )


def _names(get: str | Sequence[str] | None) -> tuple[str, ...]:
    """The fields that `get` asks for."""
    if get is None:
        return _FIELDS
    names = (get,) if isinstance(get, str) else tuple(get)
    unknown = [name for name in names if name not in _FIELDS]
    if not names or unknown:
        raise ValueError(
            f'[kernel_fn] get must be None, "nngp", "ntk", another field of Kernel or a tuple of them. Received {get!r}.'
        )
    if len(set(names)) != len(names):
        raise ValueError(f"[kernel_fn] get must name each field once. Received {get!r}.")
    return names


@lru_cache(maxsize=64)
def _tuple_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Kernels", names)


def _outputs(out: Any, get: str | Sequence[str] | None) -> dict[str, np.ndarray]:
    """The caller's arrays by the field that goes into them."""
    if out is None:
        return {}
    arrays = [out] if isinstance(out, np.ndarray) else list(out)
    names = [name for name in _names(get) if name in ("nngp", "ntk")] if get is not None else ["nngp", "ntk"]
    if len(arrays) != len(names):
        raise ValueError(f"[kernel_fn] out must hold one array for each of {names}. Received {len(arrays)}.")
    return dict(zip(names, arrays, strict=True))


def _check_outputs(out: dict[str, np.ndarray], inputs: tuple[np.ndarray, np.ndarray], blocks: int) -> None:
    shape, dtype = (len(inputs[0]) * blocks, len(inputs[1]) * blocks), inputs[0].dtype
    for name, array in out.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"[kernel_fn] out must be a NumPy array. Received {type(array).__name__}.")
        if array.shape != shape or array.dtype != dtype or not array.flags.writeable:
            access = "" if array.flags.writeable else "read-only "
            raise ValueError(
                f"[kernel_fn] out for {name} must be a writeable {dtype} array of shape {shape}. "
                f"Received a {access}{array.dtype} array of shape {array.shape}."
            )
        if any(np.may_share_memory(array, x) for x in inputs):
            raise ValueError(
                f"[kernel_fn] out for {name} must not share memory with the inputs. Received one that does."
            )


def _record(result: dict[str, Any], signal: Signal, n1: int, n2: int, same: bool) -> Kernel:
    return Kernel(
        nngp=result.get("nngp"),  # type: ignore[arg-type]
        ntk=result.get("ntk"),
        cov1=result.get("cov1"),  # type: ignore[arg-type]
        cov2=result.get("cov2"),
        x1_is_x2=same,
        is_gaussian=signal.is_gaussian,
        is_reversed=False,
        is_input=False,
        diagonal_batch=True,
        diagonal_spatial=False,
        shape1=(n1 * signal.blocks, signal.width),
        shape2=(n2 * signal.blocks, signal.width),
        batch_axis=0,
        channel_axis=1,
    )
