"""What the command line decides for every case."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Size of the work, number of repeats, threads, and whether peers take part."""

    quick: bool = False
    peers: bool = True
    repeats: int = 7
    threads: int = 2
    seconds: float = 120.0  # no further repeat of a race after this time (three are always run)

    def size(self, full: int, quick: int) -> int:
        """The size of a data set: ``quick`` for a smoke test."""
        return quick if self.quick else full
