"""What `import ntkswift` adds to a process that has imported NumPy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from ..harness.report import Report, Table, Target
from ..harness.settings import Settings
from ..peers.environments import ROOT

PROGRAMS = {"import numpy": "import numpy", "import numpy, ntkswift": "import numpy, ntkswift"}


def seconds(code: str) -> float:
    """Wall seconds of a Python process that runs ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.perf_counter() - start


def run(settings: Settings, get: Any) -> Report:
    """Medians over processes started alternately."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for code in PROGRAMS.values():
        seconds(code)  # byte code and disk cache
    for _ in range(settings.size(21, 5)):
        for name, code in PROGRAMS.items():
            times[name].append(seconds(code))
    medians = {name: statistics.median(values) for name, values in times.items()}
    added = 1000 * (medians["import numpy, ntkswift"] - medians["import numpy"])
    rows = [[name, 1000 * median, 1000 * min(times[name])] for name, median in medians.items()]
    return Report(
        [Table("import time", ["process", "median ms", "least ms"], rows)],
        [Target("ms that import ntkswift adds after NumPy", added, "<=", 150, not settings.quick)],
        {"seconds": times},
    )
