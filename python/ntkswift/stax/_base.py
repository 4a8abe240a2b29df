"""The base of every layer: an immutable value that unpacks into ``init_fn, apply_fn, kernel_fn``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from ._finite_network import ApplyFunction, InitFunction
from ._kernel_function import KernelFunction
from ._op_table import compile_layer

if TYPE_CHECKING:
    from ._op_table import OpTable

_LINE = 88
_Class = TypeVar("_Class", bound=type)


class Layer:
    """A layer or a network of layers: data only, immutable, comparable, hashable, picklable.

    It unpacks like the triples of neural-tangents, and names the same three functions as attributes.

    Attributes
    ----------
    init_fn : InitFunction
        ``init_fn(rng, input_shape) -> (output_shape, params)``, random weights of a finite network.
    apply_fn : ApplyFunction
        ``apply_fn(params, x, rng=None) -> array``, the output of a finite network.
    kernel_fn : KernelFunction
        ``kernel_fn(x1, x2=None, get=None)``, the kernels of the infinitely wide network.

    Examples
    --------
    >>> from ntkswift import stax
    >>> network = stax.serial(stax.Dense(512, W_std=1.5), stax.Relu(), stax.Dense(1))
    >>> network
    serial(Dense(512, W_std=1.5), Relu(), Dense(1))
    >>> init_fn, apply_fn, kernel_fn = network
    """

    @property
    def init_fn(self) -> InitFunction:
        """``init_fn(rng, input_shape) -> (output_shape, params)``."""
        return InitFunction(self)

    @property
    def apply_fn(self) -> ApplyFunction:
        """``apply_fn(params, x, rng=None) -> array``."""
        return ApplyFunction(self)

    @property
    def kernel_fn(self) -> KernelFunction:
        """``kernel_fn(x1, x2=None, get=None)``."""
        return KernelFunction(self)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.init_fn, self.apply_fn, self.kernel_fn))

    def __getitem__(self, index: int) -> Any:
        return (self.init_fn, self.apply_fn, self.kernel_fn)[index]

    def __len__(self) -> int:
        return 3

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """TypeError with what a network has instead of a call: `apply_fn` and `kernel_fn`."""
        raise TypeError(
            f"[{type(self).__name__}] a network is not called itself: network.apply_fn(params, x) gives the outputs of a finite "
            "network with the weights of network.init_fn(seed, x.shape)[1], network.kernel_fn(x1, x2, get) the kernels of the "
            f"infinitely wide one. Received a call with {len(arguments) + len(keywords)} arguments."
        )

    # How a subclass takes part in the whole. What it does to shapes and laws, and its parameters, the core knows.

    def _write(self, table: OpTable) -> None:
        """Appends this layer's records, children first: one record for a layer that is not made of others."""
        raise NotImplementedError

    @property
    def _children(self) -> tuple[Layer, ...] | None:
        """The layers that this one is made of; None for one that stands for itself."""
        return None

    def _starts_with_flatten(self) -> bool:
        """Whether inputs of more than two axes are flattened before anything else."""
        return self._compiled.starts_with_flatten

    def _trains_with_dropout(self) -> bool:
        """Whether a Dropout in train mode is inside."""
        return self._compiled.trains_with_dropout

    @cached_property
    def _compiled(self) -> Any:
        """The core's handle for this network, made once."""
        return compile_layer(self)

    # Value semantics, written once: code made for each class by `dataclass` would be a third of the time of an import.

    def __setattr__(self, name: str, value: Any) -> None:
        # Fields are set once, by the constructor.
        if name in self.__dict__ or name not in getattr(self, "__dataclass_fields__", ()):
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__getstate__() == other.__getstate__()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), *self.__getstate__().values()))

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return call_text(type(self).__name__, argument_texts(self))


@dataclass_transform(frozen_default=True, eq_default=False)
def layer_class(cls: _Class) -> _Class:
    """A class of layers: its annotated names are the arguments of its constructor; values as `Layer` says."""
    dataclass(repr=False, eq=False)(cls)
    return cls


def argument_texts(layer: Layer) -> list[str]:
    """The arguments that made `layer`: required ones by position, the others by name where they differ from the
    default.
    """
    texts = []
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if field.default is MISSING:
            texts.append(value_text(value))
        elif value is not field.default and value != field.default:
            texts.append(f"{field.name}={value_text(value)}")
    return texts


def value_text(value: Any) -> str:
    """A value as source text; functions by their name."""
    if callable(value) and not isinstance(value, Layer):
        return getattr(value, "__name__", repr(value))
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(v) for v in value)}]" if len(value) != 2 else repr(value)
    return repr(value)


def call_text(name: str, arguments: list[str]) -> str:
    """``name(arguments)`` on one line, or one argument per line where that is too long."""
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= _LINE and "\n" not in line:
        return line
    indented = [("    " + argument.replace("\n", "\n    ")) for argument in arguments]
    return f"{name}(\n" + ",\n".join(indented) + ",\n)"


def as_layer(value: Any, name: str) -> Layer:
    """`value` as a layer: a Layer, or the triple that one was unpacked into."""
    if isinstance(value, Layer):
        return value
    owner = getattr(value[2], "layer", None) if isinstance(value, (tuple, list)) and len(value) == 3 else None
    if isinstance(owner, Layer):
        return owner
    hint = f" Did you mean {value.__name__}()?" if isinstance(value, type) and issubclass(value, Layer) else ""
    raise TypeError(f"[{name}] needs layers of ntkswift.stax. Received {value!r}.{hint}")
