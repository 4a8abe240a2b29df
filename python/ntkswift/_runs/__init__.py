"""What training runs of all kinds share: their loop, and the history that they leave."""

from ._history import History
from ._interrupts import interrupts_raise
from ._loop import Loop, keeping

__all__ = ["History", "Loop", "interrupts_raise", "keeping"]
