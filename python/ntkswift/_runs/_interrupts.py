"""Ctrl-C in code that makes several training runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_raises: ContextVar[bool] = ContextVar("ntkswift_interrupts_raise", default=False)


@contextmanager
def interrupts_raise() -> Iterator[None]:
    """Let Ctrl-C pass through training runs as KeyboardInterrupt, for code that makes several of them.

    A single run ends at Ctrl-C and returns what was learnt; a loop over runs would go on with the next one.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, train
    >>> from ntkswift.training import interrupts_raise
    >>> network, x = stax.serial(stax.Dense(8), stax.Erf(), stax.Dense(1)), np.eye(3)
    >>> with interrupts_raise():  # Ctrl-C leaves the loop
    ...     runs = [train(network, network.init_fn(seed, x.shape)[1], x, x[:, :1], steps=2) for seed in range(3)]
    >>> [run.steps for run in runs]
    [2, 2, 2]
    """
    token = _raises.set(True)
    try:
        yield
    finally:
        _raises.reset(token)


def passes_through() -> bool:
    """Whether Ctrl-C is not for the run itself."""
    return _raises.get()
