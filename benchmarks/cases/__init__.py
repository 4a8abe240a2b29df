"""The table of cases: name on the command line, what is measured, the function that measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..harness.report import Report
from ..harness.settings import Settings
from . import (
    autoencoder,
    curvature,
    empirical,
    float32_accuracy,
    fully_connected,
    import_time,
    memory,
    quadratic_sgd,
    regression,
    sphere_spectrum,
    tanh,
    threads,
    tracking,
)


@dataclass(frozen=True)
class Case:
    """One line of the table. ``run`` gets the settings and the starter of workers."""

    name: str
    about: str
    run: Callable[[Settings, Any], Report]


CASES = {
    case.name: case
    for case in [
        Case("fc-relu", "3 hidden ReLU layers, float64 and float32, with and without bias", fully_connected.relu),
        Case("fc-relu-deep", "10 hidden ReLU layers, float64", fully_connected.relu_deep),
        Case("fc-erf", "3 hidden Erf layers", fully_connected.erf),
        Case("fc-gelu", "3 hidden Gelu layers", fully_connected.gelu),
        Case("fc-sin", "3 hidden Sin layers", fully_connected.sin),
        Case("tanh", "Tanh by Hermite expansion to 1e-8, against Erf", tanh.run),
        Case("regression", "kernel, fit and predict, N = 2000", regression.run),
        Case("autoencoder", "joint training of an autoencoder, 30,000 neurons, 1,000 steps", autoencoder.run),
        Case("hessian", "top Hessian eigenvalue to 1e-6, one thread", curvature.hessian),
        Case("gradient-covariance", "spectrum of the covariance of gradients, one thread", curvature.covariance),
        Case("tracking", "what a tracker costs beside training, CNN on digits", tracking.run),
        Case("quadratic-sgd", "SGD of two-layer networks of squares, d = 450, against PyTorch", quadratic_sgd.run),
        Case("empirical", "NTK and gradients of finite networks, 3 x 512 units, 256 inputs", empirical.run),
        Case("float32-accuracy", "float32 NTK against float64 on the same inputs", float32_accuracy.run),
        Case("threads", "one and two threads, N = 8000", threads.run),
        Case("import-time", "what import ntkswift adds after NumPy", import_time.run),
        Case("sphere-spectrum", "eigenvalues on the sphere up to k = 300, depth 20", sphere_spectrum.run),
        Case("memory", "peak memory above the result", memory.run),
    ]
}
