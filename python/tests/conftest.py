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


@contextmanager
def interrupting(after: float, sent: list[float]) -> Iterator[None]:
    """Sends SIGINT after `after` seconds of this process's CPU time, which it appends to `sent`, unless the block has ended.

    Other work on the machine does not count.
    """
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
        yield
    finally:
        is_over.set()
        sender.join()


@pytest.fixture
def ctrl_c() -> Callable[[float], Any]:
    """`with ctrl_c(seconds):` sends SIGINT after that CPU time, unless the block has ended."""
    return lambda seconds: interrupting(seconds, [])


@pytest.fixture
def cpu_delay() -> Callable[..., float]:
    """`cpu_delay(call, after)`: the CPU seconds of this process from Ctrl-C, after `after` of them, to the end of `call`."""

    def measure(call: Callable[[], Any], after: float = 0.2) -> float:
        sent: list[float] = []
        ended: list[float] = []
        began = time.process_time()
        with suppress(KeyboardInterrupt), interrupting(after, sent):
            try:
                call()
            finally:
                ended.append(time.process_time())
        assert sent, f"the call took only {ended[0] - began:.2f} s of CPU time"
        return ended[0] - sent[0]

    return measure
