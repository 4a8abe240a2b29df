"""Regression from arrays to predictions: kernel, fit on N rows, predict N rows."""

from __future__ import annotations

from typing import Any

from ..harness.race import Contestant, race
from ..harness.report import Report, Target
from ..harness.settings import Settings
from .fully_connected import report


def run(settings: Settings, get: Any) -> Report:
    """Means against scikit-learn, gpytorch and scikit-ntk; means with standard deviations against the first two."""
    size = {"n": settings.size(2000, 300), "d": 32}
    limit = Contestant("limit (Cholesky alone)", "numpy_limits", "cholesky", size, comparable=False)

    def peer(name: str, task: str, environment: str, **more: Any) -> Contestant:
        return Contestant(name, f"{environment}_", task, size | more, environment=environment, comparable=False)

    mean = race(
        f"regression, mean, N = {size['n']}, d = {size['d']}",
        [
            Contestant("ntkswift NTKRegressor", "ntkswift_", "regression", size),
            peer("scikit-learn KernelRidge(rbf)", "rbf_ridge", "scikit"),
            peer("gpytorch exact GP", "regression", "gpytorch"),
            peer("scikit-ntk", "ntk_ridge", "scikit"),
            limit,
        ],
        settings,
        get,
    )
    std = race(
        f"regression, mean and std, N = {size['n']}, d = {size['d']}",
        [
            Contestant("ntkswift NNGPRegressor", "ntkswift_", "regression", size | {"std": True}),
            peer("scikit-learn GaussianProcessRegressor", "gaussian_process", "scikit"),
            peer("gpytorch exact GP", "regression", "gpytorch", std=True),
            limit,
        ],
        settings,
        get,
    )

    targets = []
    for kind in ("cpu", "wall"):
        for name, bound in (("scikit-learn KernelRidge(rbf)", 1), ("gpytorch exact GP", 5), ("scikit-ntk", 3)):
            targets.append(
                Target(
                    f"{kind} seconds, {name} / ntkswift", mean.ratio(name, kind=kind), ">=", bound, not settings.quick
                )
            )
        targets.append(
            Target(
                f"{kind} seconds, gpytorch / ntkswift, mean and std",
                std.ratio("gpytorch exact GP", kind=kind),
                ">=",
                5,
                not settings.quick,
            )
        )
    return report([mean, std], targets)
