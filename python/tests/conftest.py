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
    """`cpu_delay(call, after)`: the CPU seconds of this process from Ctrl-C to the end of `call`.

    Ctrl-C comes after `after` CPU seconds: other work on the machine does not count.
    """

    def measure(call: Callable[[], Any], after: float = 0.2) -> float:
        sent: list[float] = []
        is_over = threading.Event()
        began = time.process_time()

        def interrupt() -> None:
            while time.process_time() < began + after:
                if is_over.wait(0.002):
                    return
            sent.append(time.process_time())
            signal.raise_signal(signal.SIGINT)

        sender = threading.Thread(target=interrupt)
        sender.start()
        try:
            with suppress(KeyboardInterrupt):
                call()
            ended = time.process_time()
        finally:
            is_over.set()
            with suppress(KeyboardInterrupt):
                sender.join()
        assert sent, f"the call took only {ended - began:.2f} s of CPU time"
        return ended - sent[0]

    return measure
