"""Top Hessian eigenvalue and the spectrum of the covariance of gradients, against PyTorch, PyHessian and BackPACK."""

from __future__ import annotations

from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report

# Units per layer, inputs, and how many times less the top eigenvalue has to take.
NETWORKS = (((20, 64, 64, 1), 1000, 3.0), ((784, 512, 512, 10), 2000, 1.5))


def run(settings: Settings, get: Any) -> Report:
    """All on one thread; accuracy 1e-6 in float64 for everybody, and PyTorch's default float32 beside it."""
    races, targets = [], []
    for sizes, n, wanted in NETWORKS:
        if settings.quick:
            sizes, n = (8, 16, 1), 64
        name = "-".join(map(str, sizes))
        top = _top(name, {"sizes": sizes, "n": n}, settings, get)
        gram = _gradients(name, {"sizes": sizes, "n": n}, settings, get)
        races += [top, gram]
        for peer in ("PyHessian, float64", "torch + eigsh, float64"):
            ratio = top.ratio(peer)
            targets.append(
                Target(f"CPU seconds, {peer} / ntkswift [{top.title}]", ratio, ">=", wanted, not settings.quick)
            )
        ratio = gram.ratio(next(iter(p for p in gram.outcomes if p.startswith("BackPACK")), "none"))
        targets.append(Target(f"CPU seconds, BackPACK / ntkswift [{gram.title}]", ratio, ">=", 10, not settings.quick))
    return report(races, targets)


def _top(name: str, parameters: dict[str, Any], settings: Settings, get: Any) -> Any:
    peers = [
        Contestant(
            f"{label}, {dtype}", "curvature_", task, parameters | {"dtype": dtype}, environment="curvature", threads=1
        )
        for dtype in ("float64", "float32")
        for label, task in (("PyHessian", "pyhessian_top"), ("torch + eigsh", "eigsh_top"))
    ]
    ours = Contestant("ntkswift", "ntkswift_", "hessian_top", parameters, threads=1)
    return race(f"top Hessian eigenvalue to 1e-6, MLP {name}, n = {parameters['n']}", [ours, *peers], settings, get)


def _gradients(name: str, parameters: dict[str, Any], settings: Settings, get: Any) -> Any:
    """float64 gradients of the large network would need 21 GB: there the peer runs in float32."""
    dtype = "float64" if parameters["sizes"][0] < 100 else "float32"
    return race(
        f"covariance of gradients: five eigenvalues, MLP {name}, n = {parameters['n']}",
        [
            Contestant("ntkswift", "ntkswift_", "gradient_covariance", parameters | {"count": 5}, threads=1),
            Contestant(
                "ntkswift, all eigenvalues", "ntkswift_", "gradient_covariance", parameters | {"count": None}, threads=1
            ),
            Contestant(
                f"BackPACK BatchGrad + Gram, {dtype}",
                "curvature_",
                "batch_grad_gram",
                parameters | {"dtype": dtype},
                environment="curvature",
                threads=1,
            ),
        ],
        settings,
        get,
    )
