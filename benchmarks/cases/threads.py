"""Two threads against one."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any

from ..harness.race import race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report
from .networks import ours


def run(settings: Settings, get: Any) -> Report:
    """Wall time of three ReLU layers, N = 8000, float64 and float32."""
    n = settings.size(8000, 1000)
    races, targets = [], []
    for dtype in ("float64", "float32"):
        parameters = {"data": {"n": n, "d": 64, "dtype": dtype}, "W_std": math.sqrt(2), "b_std": 0.1}
        each = race(
            f"threads, 3 x Relu, {dtype}, N = {n}",
            [ours("two threads", parameters, threads=2), ours("one thread", parameters, threads=1)],
            replace(settings, seconds=60),
            get,
        )
        races.append(each)
        targets.append(
            Target(
                f"wall seconds, one thread / two [{each.title}]",
                each.ratio("one thread", kind="wall"),
                ">=",
                1.8,
                not settings.quick and len(os.sched_getaffinity(0)) >= 2,
            )
        )
    return report(races, targets)
