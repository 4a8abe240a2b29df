"""float32: error of the NTK relative to its diagonal, against float64 on the same float32 inputs; and what care costs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..harness.race import race
from ..harness.report import Report, Table, Target
from ..harness.settings import Settings
from .networks import ours

ACTIVATIONS = ("Relu", "Erf", "Gelu", "Sin")
DEPTHS = (1, 3, 10, 30)
W_STDS = (1.0, 1.25, 1.5)
BIASES = (None, 0.1)


def rows(n: int, d: int = 64) -> np.ndarray:
    """Random float32 rows, a third of them near-duplicates (1e-1 to 1e-6), duplicates, opposite or scaled copies."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((n, d))
    third = n // 3
    distances = 10.0 ** -rng.integers(1, 7, size=(third, 1))
    X[:third] = X[third : 2 * third] + distances * rng.standard_normal((third, d))
    X[0], X[1], X[2] = X[third], -X[third + 1], 3 * X[third + 2]
    return X.astype(np.float32)


def errors(K32: np.ndarray, K64: np.ndarray) -> tuple[float, float]:
    """Largest error relative to the diagonal: of all entries, and of the diagonal alone."""
    scale = np.sqrt(np.diag(K64))
    difference = np.abs(K32.astype(np.float64) - K64) / np.outer(scale, scale)
    return float(difference.max()), float(np.diag(difference).max())


def networks(settings: Settings) -> Iterator[tuple[str, int, float, float | None]]:
    """The grid of networks."""
    for activation in ACTIVATIONS:
        for depth in DEPTHS if not settings.quick else (1, 10):
            for W_std in W_STDS:
                for b_std in BIASES:
                    yield activation, depth, W_std, b_std


def run(settings: Settings, get: Any) -> Report:
    """Errors over the grid, neural-tangents' for one W_std, and the cost of near-parallel pairs."""
    from ..programs.ntkswift_ import kernel_function

    X = rows(settings.size(300, 60))
    worst: dict[tuple[str, int], list[Any]] = {}
    for activation, depth, W_std, b_std in networks(settings):
        kernel_fn = kernel_function(activation, depth, W_std, b_std)
        K32, K64 = (np.asarray(kernel_fn(X.astype(dtype), None, "ntk")) for dtype in (np.float32, np.float64))
        entry, diagonal = errors(K32, K64)
        least32, least64 = np.linalg.eigvalsh(K32.astype(np.float64))[0], np.linalg.eigvalsh(K64)[0]
        line = worst.setdefault((activation, depth), [activation, depth, 0.0, 0.0, 0.0, ""])
        if not entry <= line[2]:
            line[2], line[5] = entry, f"W_std {W_std}, b_std {b_std}"
        line[3] = max(line[3], diagonal)
        line[4] = min(line[4], float((least32 - least64) / K64.diagonal().max()))
    columns = ["activation", "depth", "largest error", "of the diagonal", "least eigenvalue off by", "worst at"]
    tables = [Table(f"float32 NTK against float64, {len(X)} rows", columns, list(worst.values()))]
    largest = max((line[2] for line in worst.values()), key=lambda value: math.inf if math.isnan(value) else value)
    targets = [Target("largest float32 error relative to the diagonal", largest, "<=", 5e-6)]
    if settings.peers:
        tables.append(peer(X, get))
    cost = care(settings, get)
    tables += [cost.table()]
    name = "a hundredth near-duplicates"
    targets.append(Target(f"CPU seconds, {name} / random rows", cost.ratio(name), "<=", 1.1, not settings.quick))
    return Report(tables, targets)


def peer(X: np.ndarray, get: Any) -> Table:
    """neural-tangents' own float32 error on the same rows, W_std 1.5 without bias."""
    worker = get("neural_tangents_", "neural_tangents")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(folder) / "rows.npy")
        np.save(source, X)
        for activation in ACTIVATIONS:
            for depth in DEPTHS:
                K = {}
                for dtype in ("float32", "float64"):
                    result = str(Path(folder) / "kernel.npy")
                    worker.ask(
                        "prepare",
                        key="kernel",
                        task="kernel",
                        parameters={
                            "data": {"file": source, "dtype": dtype},
                            "activation": activation,
                            "depth": depth,
                            "W_std": 1.5,
                        },
                    )
                    worker.ask("save", key="kernel", path=result)
                    K[dtype] = np.load(result)
                lines.append([activation, depth, *errors(K["float32"], K["float64"])])
    return Table(
        "neural-tangents, W_std 1.5, no bias", ["activation", "depth", "largest error", "of the diagonal"], lines
    )


def care(settings: Settings, get: Any) -> Any:
    """float32, 3 x Relu: random rows, and rows of which one in a hundred nearly repeats another."""
    n = settings.size(4000, 500)
    X = np.random.default_rng(0).standard_normal((n, 64))
    near = X.copy()
    near[: n // 100] = X[n // 2 : n // 2 + n // 100] * (1 + 1e-3) + 1e-3
    with tempfile.TemporaryDirectory() as folder:
        taking_part = []
        for name, data in (("random rows", X), ("a hundredth near-duplicates", near)):
            path = str(Path(folder) / f"{len(taking_part)}.npy")
            np.save(path, data)
            parameters = {"data": {"file": path, "dtype": "float32"}, "W_std": math.sqrt(2), "b_std": 0.1}
            taking_part.append(ours(name, parameters, comparable=False))
        return race(f"cost of care, 3 x Relu, float32, N = {n}", taking_part, settings, get)
