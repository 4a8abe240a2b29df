"""Contestants for the kernel of a fully connected network."""

from __future__ import annotations

from typing import Any

from ..harness.race import Contestant


def ours(name: str, parameters: dict[str, Any], **options: Any) -> Contestant:
    """ntkswift with these parameters."""
    return Contestant(name, "ntkswift_", "kernel", parameters, **options)


def contestants(parameters: dict[str, Any]) -> list[Contestant]:
    """ntkswift, neural-tangents, the limit (the same code with zero hidden layers) and NumPy's product alone."""
    return [
        ours("ntkswift", parameters),
        Contestant("neural-tangents", "neural_tangents_", "kernel", parameters, environment="neural_tangents"),
        ours("limit (0 layers)", parameters | {"depth": 0}, comparable=False),
        Contestant("NumPy X @ X.T", "numpy_limits", "product", {"data": parameters["data"]}, comparable=False),
    ]
