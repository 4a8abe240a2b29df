"""Ctrl-C in tests: Python's own handler wherever they run, and delays in CPU time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def python_handles_ctrl_c() -> Iterator[None]:
    """Shells start background jobs with SIGINT ignored; without a handler an interrupted test would run for ever."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ctrl_c() -> Callable[..., Any]:
    """`with ctrl_c(seconds):` sends SIGINT after that time, unless the block has ended."""

    @contextmanager
    def sent(seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    return sent


@pytest.fixture
def cpu_delay() -> Callable[..., float]:
    """`cpu_delay(call, after)`: the CPU seconds of this process from an interrupt to the end of `call`.

    The interrupt is a KeyboardInterrupt from a signal, as Ctrl-C is, sent after `after` CPU seconds: other work on the
    machine does not count.
    """

    def measure(call: Callable[[], Any], after: float = 0.2) -> float:
        began = [0.0]
        arrived: list[float] = []

        def interrupt(number: int, frame: Any) -> None:
            arrived.append(began[0] + after)
            signal.default_int_handler(number, frame)

        before = signal.signal(signal.SIGPROF, interrupt)
        try:
            began[0] = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, after)
            with suppress(KeyboardInterrupt):
                call()
            ended = time.process_time()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        assert arrived, f"the call took only {ended - began[0]:.2f} s of CPU time"
        return ended - arrived[0]

    return measure
