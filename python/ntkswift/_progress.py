"""A progress bar for calls that take long, where somebody may be watching.

The core calls back at most every 50 ms. A bar appears only after the call has run for a second, if tqdm is installed and
the output is a terminal or a notebook.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress_bar"]

DELAY_SECONDS = 1.0


def _somebody_watches() -> bool:
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        if shell is not None and type(shell).__name__ == "ZMQInteractiveShell":
            return True
    return sys.stderr is not None and sys.stderr.isatty()


def _new_bar(description: str, started: float) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    bar = tqdm(
        total=100,
        desc=description,
        unit="%",
        leave=False,
        bar_format="{desc}: {percentage:3.0f} % {bar} {elapsed} < {remaining}",
    )
    bar.start_t = started
    return bar


class _Bar:
    """Receives fractions from the core and shows them once the call has lasted long enough."""

    def __init__(self, description: str) -> None:
        self.description = description
        self.began = time.monotonic()
        self.began_clock = time.time()
        self.bar: Any = None
        self.gave_up = False

    def __call__(self, fraction: float) -> None:
        if self.gave_up or time.monotonic() - self.began < DELAY_SECONDS:
            return
        if self.bar is None:
            self.bar = _new_bar(self.description, self.began_clock)
            if self.bar is None:
                self.gave_up = True
                return
        self.bar.update(max(0.0, 100.0 * fraction - self.bar.n))

    def describe(self, text: str) -> None:
        """Show this text at the left of the bar."""
        if self.bar is not None:
            self.bar.set_description_str(text)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


@contextmanager
def progress_bar(description: str, enabled: bool | None = None) -> Iterator[Callable[[float], None] | None]:
    """Yield what to pass to the core as `progress`: a function of the fraction done, or None where nobody watches.

    Parameters
    ----------
    description : str
        What the call does, shown at the left of the bar.
    enabled : bool or None, default=None
        True and False decide; None shows a bar in a terminal or a notebook.
    """
    if not (_somebody_watches() if enabled is None else enabled):
        yield None
        return
    bar = _Bar(description)
    try:
        yield bar
    finally:
        bar.close()
