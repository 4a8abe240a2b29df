"""Peak memory of a call above what it returns, N = 4000."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import extra_memory, report
from .networks import ours


def run(settings: Settings, get: Any) -> Report:
    """ReLU (closed form) and Tanh (expansion), NTK alone and both kernels; neural-tangents beside the first."""
    few = replace(settings, repeats=min(settings.repeats, 3))
    races, targets = [], []
    for activation, dtype in (("Relu", "float64"), ("Relu", "float32"), ("Tanh", "float64")):
        data = {"n": settings.size(4000, 1000), "d": 64, "dtype": dtype}
        parameters = {"data": data, "activation": activation, "W_std": math.sqrt(2), "b_std": 0.1}
        taking_part = [ours("ntkswift", parameters)]
        if activation == "Relu":
            taking_part.append(
                Contestant("neural-tangents", "neural_tangents_", "kernel", parameters, environment="neural_tangents")
            )
        each = race(f"memory, 3 x {activation}, {dtype}, N = {data['n']}", taking_part, few, get)
        races.append(each)
        target = extra_memory(each)
        targets.append(Target(target.text, target.measured, "<=", 64))
    return report(races, targets)
