"""What flows from layer to layer when only shapes and laws matter: width, blocks, and whether it is Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Signal:
    """What a layer receives: `width` channels; `is_gaussian`, whether it is a Gaussian process; `is_data`, whether no
    random weights came before; `blocks`, rows per input (more than one after a concatenation along the batch).

    With `finite` the rules of the infinite limit (Gaussian inputs) are not asked for; `spatial` are the lengths of the
    axes between batch and channels.
    """

    width: int
    is_gaussian: bool = False
    is_data: bool = True
    blocks: int = 1
    finite: bool = False
    spatial: tuple[int, ...] = ()


# A FanOut turns one signal into a tuple of them, a FanIn turns them into one again.
Signals: TypeAlias = "Signal | tuple[Signal, ...]"


def single(signals: Any, layer: str) -> Signal:
    """`signals` if it is one signal; ValueError if it is a bundle of branches."""
    if isinstance(signals, Signal):
        return signals
    raise ValueError(
        f"[{layer}] needs one input. Received {len(signals)} branches: use parallel(...) for layers in the branches "
        "and FanInSum, FanInProd or FanInConcat to join them."
    )


def branches(signals: Any, layer: str) -> tuple[Signal, ...]:
    """`signals` if it is a bundle of at least one branch; ValueError if it is one signal."""
    if isinstance(signals, tuple) and signals and all(isinstance(s, Signal) for s in signals):
        return signals
    got = "one input" if isinstance(signals, Signal) else "branches within branches" if signals else "no branch"
    raise ValueError(f"[{layer}] needs the branches that FanOut and parallel make. Received {got}.")


def require_gaussian(signal: Signal, layer: str) -> None:
    """Raises ValueError unless the signal is a Gaussian process (nothing is asked of finite networks)."""
    if signal.finite or signal.is_gaussian:
        return
    got = "the data themselves" if signal.is_data else "the output of a nonlinearity, Dropout, FanInProd or FanInConcat"
    raise ValueError(
        f"[{layer}] the input must be Gaussian, that is, come from a Dense layer (put one before it). Received {got}."
    )
