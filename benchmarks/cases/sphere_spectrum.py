"""Eigenvalues on the sphere up to frequency 300 for kernels of depth 20, beside a plain NumPy sum in float64."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.report import Report, Table, Target
from ..harness.settings import Settings

DEPTH = 20
DIMENSIONS = (3, 5, 10)
LIMIT = 0.2


def run(settings: Settings, get: Any) -> Report:
    """CPU seconds on one thread, contestants alternating: with and without the quadrature rule in its cache, and NumPy."""
    import ntkswift
    from ntkswift import spectra
    from ntkswift.spectra import _sphere

    top = settings.size(300, 60)
    rows, slowest, times = [], 0.0, {}
    for d in DIMENSIONS:
        kernels = {
            "FC-NTK": spectra.ZonalKernel(spectra.fully_connected(DEPTH)),
            "ResNTK": spectra.ZonalKernel(ntkswift.resntk(DEPTH, gamma=0.5, input_dim=d)),
        }
        for name, kernel in kernels.items():

            def ours(kernel: Any = kernel, d: int = d) -> Any:
                return spectra.sphere_spectrum(kernel, d, top, normalize=True)

            def numpy_sum(kernel: Any = kernel, d: int = d) -> np.ndarray:
                return plain_sum(kernel, d, top)

            cold, warm, plain = [], [], []
            with ntkswift.num_threads(1):
                ours()
                for _ in range(settings.size(max(settings.repeats, 5), 3)):
                    _sphere._rule.cache_clear()
                    cold.append(seconds(ours))
                    warm.append(seconds(ours))
                    plain.append(seconds(numpy_sum))
                found, rough = ours(), numpy_sum()
            times[f"{name} d={d}"] = {"cold": cold, "warm": warm, "numpy": plain}
            error = np.abs(rough - found.eigenvalues) / np.abs(found.eigenvalues)
            slowest = max(slowest, statistics.median(cold))
            medians = [statistics.median(values) for values in (cold, warm, plain)]
            rows.append([f"{name}, d = {d}", *medians, float(found.relative_errors.max()), float(error.max())])
    title = f"eigenvalues 0 to {top}, depth {DEPTH}, one thread"
    columns = ["kernel", "CPU s", "rule cached", "NumPy float64", "stated error", "NumPy's error"]
    return Report(
        [Table(title, columns, rows)],
        [Target("CPU seconds of the slowest kernel, rule included", slowest, "<=", LIMIT, not settings.quick)],
        {"seconds": times},
    )


def seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def plain_sum(kernel: Any, d: int, top: int) -> np.ndarray:
    """Funk-Hecke by Gauss-Legendre in the angle and the three-term recurrence, all in float64, nothing estimated."""
    x, weights = np.polynomial.legendre.leggauss(2 * top + 100)
    angles = (x + 1) * math.pi / 2
    t = np.cos(angles)
    ratio = math.exp(math.lgamma(d / 2) - math.lgamma((d - 1) / 2)) / math.sqrt(math.pi)
    terms = kernel(angles, d) / kernel.at_zero(d) * np.sin(angles) ** (d - 2) * weights * (math.pi / 2 * ratio)
    before, now, found = np.ones_like(t), t, [terms.sum(), terms @ t]
    for k in range(2, top + 1):
        before, now = now, ((2 * k + d - 4) * t * now - (k - 1) * before) / (k + d - 3)
        found.append(terms @ now)
    return np.array(found)
