"""Top Hessian eigenvalue and the spectrum of the covariance of gradients, against PyTorch, PyHessian and BackPACK."""

from __future__ import annotations

from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report

# Units per layer, inputs, and how many times less the top eigenvalue has to take.
NETWORKS = (((20, 64, 64, 1), 1000, 3.0), ((784, 512, 512, 10), 2000, 1.5))


def hessian(settings: Settings, get: Any) -> Report:
    """All on one thread; accuracy 1e-6 in float64 for everybody, and PyTorch's default float32 beside it."""
    races, targets = [], []
    for parameters, wanted in _networks(settings):
        each = _top(parameters, settings, get)
        races.append(each)
        for peer in ("PyHessian, float64", "torch + eigsh, float64"):
            title = f"CPU seconds, {peer} / ntkswift [{each.title}]"
            targets.append(Target(title, each.ratio(peer), ">=", wanted, not settings.quick))
    return report(races, targets)


def covariance(settings: Settings, get: Any) -> Report:
    """All on one thread: ntkswift's five largest eigenvalues with the traces, all of them, and a Gram matrix by BackPACK."""
    races, targets = [], []
    for parameters, _ in _networks(settings):
        each = _gradients(parameters, settings, get)
        races.append(each)
        ratio = each.ratio(next(iter(p for p in each.outcomes if p.startswith("BackPACK")), "none"))
        targets.append(Target(f"CPU seconds, BackPACK / ntkswift [{each.title}]", ratio, ">=", 10, not settings.quick))
    return report(races, targets)


def _networks(settings: Settings) -> list[tuple[dict[str, Any], float]]:
    if settings.quick:
        return [({"sizes": (8, 16, 1), "n": 64}, 1.0)]
    return [({"sizes": sizes, "n": n}, wanted) for sizes, n, wanted in NETWORKS]


def _name(parameters: dict[str, Any]) -> str:
    return f"MLP {'-'.join(map(str, parameters['sizes']))}, n = {parameters['n']}"


def _top(parameters: dict[str, Any], settings: Settings, get: Any) -> Any:
    peers = [
        Contestant(
            f"{label}, {dtype}", "curvature_", task, parameters | {"dtype": dtype}, environment="curvature", threads=1
        )
        for dtype in ("float64", "float32")
        for label, task in (("PyHessian", "pyhessian_top"), ("torch + eigsh", "eigsh_top"))
    ]
    ours = Contestant("ntkswift", "ntkswift_", "hessian_top", parameters, threads=1)
    return race(f"top Hessian eigenvalue to 1e-6, {_name(parameters)}", [ours, *peers], settings, get)


def _gradients(parameters: dict[str, Any], settings: Settings, get: Any) -> Any:
    """float64 gradients of the large network would need 21 GB: there the peer runs in float32."""
    dtype = "float64" if parameters["sizes"][0] < 100 else "float32"
    return race(
        f"covariance of gradients: five eigenvalues, {_name(parameters)}",
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
