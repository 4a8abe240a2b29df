"""The progress of a run made of parts."""

from __future__ import annotations

from collections.abc import Callable


class Steps:
    """Shares one bar among the parts of a run. Say what all parts weigh, then take them one by one.

    Examples
    --------
    >>> shown = []
    >>> steps = Steps(shown.append)
    >>> steps.expect(4)
    >>> part = steps.part(1)  # pass it to a core call as its progress function
    >>> part(0.5)
    >>> steps.done()
    >>> shown
    [0.125, 0.25]
    """

    def __init__(self, show: Callable[[float], None] | None) -> None:
        self._show = show or (lambda fraction: None)
        self._total, self._before, self._current = 1.0, 0.0, 0.0

    def expect(self, total: float) -> None:
        """Say what all parts weigh together (seconds, steps: any unit)."""
        self._total = max(float(total), 1e-300)

    def part(self, weight: float) -> Callable[[float], None]:
        """Begin a part, ending the one before it; return a function of the fraction of this part that is done."""
        self.done()
        self._current = float(weight)

        def show(fraction: float) -> None:
            self._show(min(1.0, (self._before + fraction * weight) / self._total))

        return show

    def done(self) -> None:
        """End the current part."""
        if self._current:
            self._before += self._current
            self._current = 0.0
            self._show(min(1.0, self._before / self._total))
