"""Joint training of a two-layer autoencoder against its matrix products alone."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report


def run(settings: Settings, get: Any) -> Report:
    """1,000 steps of 30,000 neurons on 50 inputs of length 20: ntkswift, NumPy as written, and the five products per step."""
    size = {"n": 50, "d": 20, "m": settings.size(30_000, 2_000), "steps": settings.size(1_000, 50), "rate": 1.0}
    products = "limit (its matrix products alone, NumPy)"
    each = race(
        f"joint training, m = {size['m']}, n = {size['n']}, d = {size['d']}, {size['steps']} steps",
        [
            Contestant("ntkswift Autoencoder", "ntkswift_", "autoencoder", size),
            Contestant("NumPy, written out", "numpy_limits", "autoencoder", size),
            Contestant(products, "numpy_limits", "autoencoder_products", size, comparable=False),
        ],
        dataclasses.replace(settings, repeats=min(settings.repeats, 3)),  # a run takes half a minute of CPU time
        get,
    )
    targets = []
    for kind in ("cpu", "wall"):
        ratio = each.ratio(products, kind=kind)
        targets.append(
            Target(
                f"{kind} seconds, ntkswift / its matrix products alone",
                None if ratio is None else 1 / ratio,
                "<=",
                1.3,
                not settings.quick,
            )
        )
    return report([each], targets)
