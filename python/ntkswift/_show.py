"""What ntkswift runs on, for reports of bugs and benchmarks."""

from __future__ import annotations

import platform

import numpy as np

from . import _core
from ._config import get_memory_limit, get_num_threads

__all__ = ["show_config"]


def show_config() -> None:
    """Print versions, the CPU level in use, threads and the memory limit; add the output to a bug report.

    Examples
    --------
    >>> import ntkswift
    >>> ntkswift.show_config()  # doctest: +ELLIPSIS
    ntkswift     0.1.0
    Python       3...
    """
    level, available = _core.cpu_level(), _core.cpu_level_available()
    levels = f"x86-64-v{level} (this processor runs up to v{available})" if level else platform.machine()
    rows = {
        "ntkswift": _core.version(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "system": platform.platform(),
        "CPU level": levels,
        "CPUs": f"{_core.cpu_count()}, threads per call {get_num_threads()}",
        "memory": f"{_core.available_memory() / 2**30:.1f} GiB available, limit per call {get_memory_limit() / 2**30:.1f} GiB",
    }
    for name, value in rows.items():
        print(f"{name:<12} {value}")
