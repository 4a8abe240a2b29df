"""Fully connected networks: symmetric NTK of N = 4000 rows of 64 features, against neural-tangents and the limit."""

from __future__ import annotations

import math
from typing import Any

from ..harness.race import Race, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .networks import contestants

PEER, LIMIT = "neural-tangents", "limit (0 layers)"


def one(get: Any, settings: Settings, activation: str, depth: int, dtype: str, b_std: float | None) -> Race:
    """One race."""
    data = {"n": settings.size(4000, 500), "d": 64, "dtype": dtype}
    bias = "no bias" if b_std is None else f"b_std {b_std}"
    title = f"{depth} x {activation}, {dtype}, {bias}, N = {data['n']}, d = 64, {settings.threads} threads"
    parameters = {"data": data, "activation": activation, "depth": depth, "W_std": math.sqrt(2), "b_std": b_std}
    return race(title, contestants(parameters), settings, get)


def report(races: list[Race], targets: list[Target]) -> Report:
    """The tables and targets of several races."""
    return Report(
        [each.table() for each in races],
        targets,
        {each.title: [one.record() for one in each.outcomes.values()] for each in races},
    )


def against_peer(each: Race, bound: float, settings: Settings) -> Target:
    """How many times less CPU time than neural-tangents."""
    return Target(
        f"CPU seconds, neural-tangents / ntkswift [{each.title}]", each.ratio(PEER), ">=", bound, not settings.quick
    )


def against_limit(each: Race, settings: Settings) -> Target:
    """How close to GEMM and one store."""
    ratio = each.ratio("ntkswift", to=LIMIT)
    return Target(f"CPU seconds, ntkswift / 0 layers [{each.title}]", ratio, "<=", 1.3, not settings.quick)


def extra_memory(each: Race) -> Target:
    """Peak memory above the result."""
    return Target(f"MB above the result [{each.title}]", each.outcomes["ntkswift"].extra_memory, "<=", 64)


def relu(settings: Settings, get: Any) -> Report:
    """Three layers, both precisions, with and without bias."""
    races, targets = [], []
    for b_std in (0.1, None):
        for dtype, bound in (("float64", 12), ("float32", 24)):
            each = one(get, settings, "Relu", 3, dtype, b_std)
            races.append(each)
            targets += [against_peer(each, bound, settings), against_limit(each, settings), extra_memory(each)]
    return report(races, targets)


def relu_deep(settings: Settings, get: Any) -> Report:
    """Ten layers, float64."""
    each = one(get, settings, "Relu", 10, "float64", 0.1)
    return report([each], [against_peer(each, 25, settings), extra_memory(each)])


def three_layers(activation: str, settings: Settings, get: Any) -> Report:
    """Three layers of another activation, both precisions."""
    races = [one(get, settings, activation, 3, dtype, 0.1) for dtype in ("float64", "float32")]
    return report(races, [target for each in races for target in (against_peer(each, 8, settings), extra_memory(each))])


def erf(settings: Settings, get: Any) -> Report:
    """Three Erf layers."""
    return three_layers("Erf", settings, get)


def gelu(settings: Settings, get: Any) -> Report:
    """Three Gelu layers."""
    return three_layers("Gelu", settings, get)


def sin(settings: Settings, get: Any) -> Report:
    """Three Sin layers."""
    return three_layers("Sin", settings, get)
