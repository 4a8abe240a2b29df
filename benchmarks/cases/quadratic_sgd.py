"""Stochastic gradient descent of two-layer networks of squares on fresh samples, as in arXiv:1906.08899: steps per second."""

from __future__ import annotations

from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report

# Units, and how many times PyTorch's steps per second ours should be.
WIDTHS = {30: 3.0, 225: 1.0, 2000: 1.0}
AUTOGRAD, BY_HAND = "PyTorch, autograd", "PyTorch, gradients by hand"


def run(settings: Settings, get: Any) -> Report:
    """d = 450, batches of 100, float32, N = 30, 225 and 2000."""
    races, targets = [], []
    for width, bound in WIDTHS.items():
        size = {"d": 450, "width": width, "batch": 100, "steps": settings.size(max(30, 24_000 // (width + 30)), 20)}

        def peer(name: str, task: str, parameters: dict[str, Any] = size) -> Contestant:
            return Contestant(name, "torch_", task, parameters, environment="torch", comparable=False)

        each = race(
            f"SGD, N = {width}, d = 450, batch 100, {size['steps']} steps, {settings.threads} threads",
            [
                Contestant("ntkswift", "ntkswift_", "quadratic_sgd", size),
                peer(AUTOGRAD, "quadratic_sgd"),
                peer(BY_HAND, "quadratic_sgd_by_hand"),
                Contestant("limit (two products)", "numpy_limits", "quadratic_sgd", size, comparable=False),
            ],
            settings,
            get,
        )
        races.append(each)
        for kind in ("wall", "cpu"):
            for name in (AUTOGRAD, BY_HAND):
                goal = bound if name == AUTOGRAD else 1.0
                title = f"{kind} seconds, {name} / ntkswift, N = {width}"
                targets.append(Target(title, each.ratio(name, kind=kind), ">=", goal, not settings.quick))
    return report(races, targets)
