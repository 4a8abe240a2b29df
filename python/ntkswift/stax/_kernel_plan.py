"""Plans: what a kernel takes from all its inputs together, so that it can be computed in pieces."""

from __future__ import annotations

from typing import Any

from .. import _core


class KernelPlan:
    """What ``kernel_fn`` decides from all inputs together: lengths of expansions, polynomials, functions of the angle.

    With one plan the kernel of these inputs has the same bits however it is cut into blocks, by any number of threads, and in
    any process on a processor of the same level (`ntkswift.cpu_level`). A small value: it can be pickled, and
    ``KernelPlan(bytes(plan))`` is the plan again.

    Parameters
    ----------
    data : bytes
        The bytes of a plan; plans are made by ``kernel_fn.plan``.

    Attributes
    ----------
    get : tuple of str
        The kernels that it is for.
    dtype : str
        The type of inputs that it is for, "float32" or "float64".
    width : int
        Numbers of one input.

    Raises
    ------
    ValueError
        Where `data` are not the bytes of a plan, unchanged, of this version.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> kernel_fn = stax.serial(stax.Dense(1), stax.Tanh(), stax.Dense(1)).kernel_fn
    >>> x = np.random.default_rng(0).standard_normal((6, 3))
    >>> plan = kernel_fn.plan(x, get="ntk")
    >>> block = kernel_fn(x[:2], x[2:], "ntk", plan=plan, places=(0, 2))
    >>> np.array_equal(block, kernel_fn(x, None, "ntk", plan=plan)[:2, 2:])
    True
    """

    __slots__ = ("_data", "dtype", "get", "width")
    _data: bytes
    dtype: str
    get: tuple[str, ...]
    width: int

    def __init__(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"[KernelPlan] data must be bytes. Received {type(data).__name__}.")
        width, is_float32, nngp, ntk = _core.describe_plan(data)
        object.__setattr__(self, "_data", data)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "dtype", "float32" if is_float32 else "float64")
        object.__setattr__(self, "get", tuple(name for name, wanted in (("nngp", nngp), ("ntk", ntk)) if wanted))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"[KernelPlan] plans do not change. Received a new {name}.")

    def __bytes__(self) -> bytes:
        return self._data

    def __reduce__(self) -> tuple[Any, ...]:
        return KernelPlan, (self._data,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelPlan) and self._data == other._data

    def __hash__(self) -> int:
        return hash((KernelPlan, self._data))

    def __repr__(self) -> str:
        return (
            f"<KernelPlan for {' and '.join(self.get) or 'variances'} of {self.dtype} inputs of {self.width} numbers>"
        )
