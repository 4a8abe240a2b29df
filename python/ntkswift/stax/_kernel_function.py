"""`kernel_fn`: NNGP and NTK of the infinitely wide network."""

from __future__ import annotations

import math
import warnings
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _checks
from .._arrays import check_array, check_widths
from .._call import Progress, Resources, takes_resources
from ..kernel import Kernel
from ._kernel_plan import KernelPlan

if TYPE_CHECKING:
    from ._base import Layer

_FIELDS = tuple(field.name for field in fields(Kernel))
_KERNELS = ("nngp", "ntk")
# Axes of an array that the core takes.
_MOST_AXES = 8


class KernelFunction:
    """``kernel_fn(x1, x2=None, get=None)`` of one network; :attr:`layer` is that network.

    Two are equal where their networks are.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    @takes_resources()
    def __call__(
        self,
        x1: Any,
        x2: Any = None,
        get: str | Sequence[str] | None = None,
        *,
        out: Any = None,
        plan: KernelPlan | None = None,
        places: tuple[int, int] | None = None,
        memory_limit: int | None = None,
        progress: Progress | None = None,
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
        plan : KernelPlan, optional
            What :meth:`plan` made from all inputs, of which `x1` and `x2` are parts: blocks of a kernel have the bits of
            the whole.
        places : pair of int, optional
            The places of the first rows of `x1` and of `x2` among all inputs, where both are parts of one set: rows with
            one place are the same input, which Dropout in train mode has to know.
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
            For inputs with NaN or infinity, of wrong shapes, or beyond what `plan` was made for, and for networks in
            which a nonlinearity, LayerNorm or a sum of branches does not follow a Dense layer.
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
        refuse(pattern, "pattern", "Aggregate layers (graphs)")
        refuse(mask_constant, "mask_constant", "masks")
        if diagonal_batch is not None and diagonal_batch is not True:
            raise ValueError(f"[kernel_fn] diagonal_batch must be None or True. Received {diagonal_batch!r}.")
        names = _names(get)
        resources = Resources()
        if isinstance(x1, Kernel):
            if any(value is not None for value in (x2, out, plan, places)):
                raise TypeError("[kernel_fn] with a Kernel takes no x2, out, plan or places. Received one of them.")
            kernel = self._from_kernel(x1, names, resources)
        else:
            part = _Part(_plan(plan, names), _places(places, x2 is not None))
            kernel = self._from_inputs(x1, x2, names, _outputs(out, get), resources, part)
        if get is None:
            return kernel
        if isinstance(get, str):
            return getattr(kernel, get)
        return _tuple_type(names)(*(getattr(kernel, name) for name in names))

    @takes_resources()
    def plan(
        self,
        x1: Any,
        x2: Any = None,
        get: str | Sequence[str] | None = None,
        *,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> KernelPlan:
        """The plan of the kernel between `x1` and `x2`, by which parts of it can be computed.

        Parameters
        ----------
        x1, x2, get
            As in ``kernel_fn``: all inputs, and "nngp", "ntk" or both (None: both).
        memory_limit, progress
            As in ``kernel_fn``.

        Returns
        -------
        KernelPlan
            With it ``kernel_fn(x1[a:b], x2[c:d], get, plan=plan)`` has the bits of the whole kernel with that plan.
            Without x2 also name the `places` (a, c).

        Notes
        -----
        The cost grows with the number of inputs, not with that of pairs.
        """
        names = _names(get)
        x1, x2 = self._pair(x1, x2)
        wanted = (name in names for name in _KERNELS)
        resources = Resources()
        return KernelPlan(resources.run("kernel_plan", "plan", self.layer._compiled, x1, x2, *wanted))

    @takes_resources()
    def diagonal(
        self,
        x: Any,
        get: str = "ntk",
        *,
        plan: KernelPlan | None = None,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """The kernel of each row of `x` with itself, in a time that grows with their number only.

        Parameters
        ----------
        x : array_like of shape (n, d)
            Inputs.
        get : {"ntk", "nngp"}
            Which kernel.
        plan, memory_limit, progress
            As in ``kernel_fn``.

        Returns
        -------
        ndarray of shape (n,)
            float64, whatever the type of the inputs.

        Examples
        --------
        >>> import numpy as np
        >>> from ntkswift import stax
        >>> kernel_fn = stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1)).kernel_fn
        >>> kernel_fn.diagonal(np.eye(2), "nngp").tolist()
        [0.25, 0.25]
        """
        get = _checks.choice(get, "kernel_fn.diagonal", "get", _KERNELS)
        return self._diagonal(x, get, Resources(), _plan(plan, (get,)))

    def _diagonal(self, x: np.ndarray, name: str, resources: Resources, plan: bytes | None = None) -> np.ndarray:
        """The same with the resources that it may use."""
        x = self._inputs(x, "x")
        self.layer._compiled.output(_width(x))
        result = resources.run(
            "kernel_diagonal", "diagonal", self.layer._compiled, x, *(name == k for k in _KERNELS), plan
        )
        _warn_of_missed_tolerance(result["missed_tolerance"])
        return result[name]

    def _from_inputs(
        self,
        x1: Any,
        x2: Any,
        names: tuple[str, ...],
        out: dict[str, np.ndarray],
        resources: Resources,
        part: _Part | None = None,
    ) -> Kernel:
        x1, x2 = self._pair(x1, x2)
        plan, places = part or _Part(None, None)
        if (
            x2 is not None
            and places is None
            and self.layer._trains_with_dropout()
            and x1.shape == x2.shape
            and np.array_equal(x1, x2)
        ):
            x2 = None
        signal = self.layer._compiled.output(_width(x1))
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
            plan,
            places,
        )
        return _record({**result, **out}, signal, len(x1), len(x1 if x2 is None else x2), x2 is None)

    def _pair(self, x1: Any, x2: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Both inputs as arrays of one type; None where the second is the first."""
        same = x2 is None or x2 is x1
        x1 = self._inputs(x1, "x1")
        if same:
            return x1, None
        x2 = self._inputs(x2, "x2")
        check_widths(x1, x2, ("x1", "x2"), op="kernel_fn")
        if x1.dtype != x2.dtype:
            x1, x2 = x1.astype(np.float64, copy=False), x2.astype(np.float64, copy=False)
        return x1, x2

    def _array(self, x1: np.ndarray, x2: np.ndarray | None, name: str, resources: Resources) -> np.ndarray:
        """One kernel as an array, with the resources that it may use."""
        return getattr(self._from_inputs(x1, x2, (name,), {}, resources), name)

    def _inputs(self, x: Any, name: str) -> np.ndarray:
        array = check_array(x, name, ndim=None, op="kernel_fn")
        if array.ndim == 2 or (2 < array.ndim <= _MOST_AXES and self.layer._starts_with_flatten()):
            return array
        advice = (
            "More axes need stax.Flatten() as the first layer; convolutions and other spatial layers are not part of this "
            "version."
            if array.ndim > 2
            else "Use x[:, None] for one feature or x[None, :] for one sample."
        )
        raise ValueError(f"[kernel_fn] {name} must have 2 axes. Received an array of shape {array.shape}. {advice}")

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
        signal = self.layer._compiled.output(width, bool(kernel.is_gaussian))
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


class _Part(NamedTuple):
    """Of which larger kernel a call computes a block: by which plan, and where its rows and columns begin."""

    plan: bytes | None
    places: tuple[int, int] | None


def _plan(plan: KernelPlan | None, names: tuple[str, ...]) -> bytes | None:
    """The bytes of a plan that is for all kernels among `names`."""
    if plan is None:
        return None
    if not isinstance(plan, KernelPlan):
        raise TypeError(f"[kernel_fn] plan must be a KernelPlan. Received {type(plan).__name__}.")
    missing = [name for name in _KERNELS if name in names and name not in plan.get]
    if missing:
        raise ValueError(f"[kernel_fn] plan must be made for what get asks. Received one without {missing[0]!r}.")
    return bytes(plan)


def _places(places: tuple[int, int] | None, has_second: bool) -> tuple[int, int] | None:
    """Two places, checked."""
    if places is None:
        return None
    if not isinstance(places, (tuple, list)) or len(places) != 2:
        raise TypeError(f"[kernel_fn] places must be a pair of integers. Received {places!r}.")
    first, second = (_checks.integer(place, "kernel_fn", "places", minimum=0) for place in places)
    if not has_second:
        raise ValueError(f"[kernel_fn] places need x1 and x2. Received {places!r} with x1 alone.")
    return first, second


def _width(x: np.ndarray) -> int:
    """Numbers of one input."""
    return math.prod(x.shape[1:])


def refuse(value: Any, name: str, what: str) -> None:
    if value is not None:
        raise ValueError(
            f"[kernel_fn] {name} must be None: {what} are not part of this version. Received {type(value).__name__}."
        )


def _names(get: str | Sequence[str] | None) -> tuple[str, ...]:
    """The fields that `get` asks for."""
    if get is None:
        return _FIELDS
    names = tuple(get) if isinstance(get, (tuple, list)) else (get,)
    if not names or not all(isinstance(name, str) and name in _FIELDS for name in names):
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
    if not isinstance(out, (np.ndarray, tuple, list)):
        raise TypeError(f"[kernel_fn] out must be an array or a tuple of arrays. Received {type(out).__name__}.")
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


def _record(result: dict[str, Any], signal: Any, n1: int, n2: int, same: bool) -> Kernel:
    _warn_of_missed_tolerance(result.get("missed_tolerance", 0.0))
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
        shape1=(n1 * signal.blocks, signal.channels),
        shape2=(n2 * signal.blocks, signal.channels),
        batch_axis=0,
        channel_axis=1,
    )


def _warn_of_missed_tolerance(missed: float) -> None:
    """RuntimeWarning where a Hermite expansion ended before it met its tolerance."""
    if missed > 0:
        warnings.warn(
            f"[kernel_fn] a Hermite expansion cut off {missed:.1e} of a variance, more than its tolerance: functions with "
            "kinks, and steep ones at large variances, converge slowly. Raise tol, or give the kernel with stax.Elementwise.",
            RuntimeWarning,
            stacklevel=5,
        )
