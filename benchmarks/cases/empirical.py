"""Kernels of finite networks: the empirical NTK and the Gram matrix of per-input gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report

_JACOBIANS, _PRODUCTS = "neural-tangents, Jacobian contraction", "neural-tangents, NTK-vector products"
_TORCH = "torch.func, vmap(jacrev) and product"


def run(settings: Settings, get: Any) -> Report:
    """Three hidden ReLU layers of 512 units on 256 inputs of 784 numbers: 10 outputs traced, 1 output, gradients of a loss."""
    size = {"n": settings.size(256, 32), "d": 784, "width": settings.size(512, 64)}
    few = dataclasses.replace(settings, repeats=min(settings.repeats, 3))  # the peers need half a minute of CPU time
    ten, one = size | {"outputs": 10}, size | {"outputs": 1}
    traced = race(
        f"empirical NTK, MLP 3 x {size['width']}, {size['n']} inputs, 10 outputs, traced",
        [
            Contestant("ntkswift", "ntkswift_", "empirical_ntk", ten),
            Contestant(_JACOBIANS, "neural_tangents_", "empirical_ntk", ten | {"implementation": 1}, "neural_tangents"),
            Contestant(_PRODUCTS, "neural_tangents_", "empirical_ntk", ten | {"implementation": 2}, "neural_tangents"),
        ],
        few,
        get,
    )
    single = race(
        f"empirical NTK, the same, 1 output, {size['n']} x {size['n']}",
        [
            Contestant("ntkswift", "ntkswift_", "empirical_ntk", one),
            Contestant(_TORCH, "torch_gradients", "empirical_ntk", one, "curvature"),
        ],
        settings,
        get,
    )
    gram = race(
        f"Gram matrix of per-input gradients, the same, {size['n']} inputs, 1 output",
        [
            Contestant("ntkswift", "ntkswift_", "gradient_gram", one),
            Contestant("torch.func, vmap(grad) and product", "torch_gradients", "gradient_gram", one, "curvature"),
        ],
        settings,
        get,
    )
    measured = not settings.quick
    ratios = [r for r in (traced.ratio(_JACOBIANS), traced.ratio(_PRODUCTS)) if r is not None]
    return report(
        [traced, single, gram],
        [
            Target(
                "CPU seconds, neural-tangents' faster one / ntkswift", min(ratios, default=None), ">=", 100, measured
            ),
            Target("CPU seconds, torch.func / ntkswift, 1 output", single.ratio(_TORCH), ">=", 10, measured),
            Target(
                "CPU seconds, torch's vmap(grad) and product / ntkswift",
                gram.ratio("torch.func, vmap(grad) and product"),
                ">=",
                10,
                measured,
            ),
        ],
    )
