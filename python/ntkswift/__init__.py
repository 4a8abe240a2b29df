"""ntkswift: kernels, training dynamics and predictions of infinitely wide neural networks.

Describe a network with `ntkswift.stax`, get its NNGP and NTK kernels, train it in closed form with `ntkswift.predict`, or
use it as a scikit-learn estimator from `ntkswift.estimators`. NumPy is the only package that this import needs.

Examples
--------
>>> import numpy as np
>>> from ntkswift import stax
>>> init_fn, apply_fn, kernel_fn = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1))
>>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
>>> kernel_fn(x, None, "ntk").shape
(2, 2)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import predict, stax
from ._config import (
    get_memory_limit,
    get_num_threads,
    memory_limit,
    num_threads,
    set_memory_limit,
    set_num_threads,
)
from ._errors import ConvergenceError, DivergenceError, NotPositiveDefiniteError
from ._show import show_config
from .kernel import Kernel
from .stax._residual import resntk

if TYPE_CHECKING:
    from . import (
        empirical,
        estimators,
        hierarchy,
        parametrizations,
        plotting,
        regimes,
        reproduce,
        spectra,
        training,
        trajectory,
    )
    from .training import train

__version__ = "0.1.0"

__all__ = [
    "ConvergenceError",
    "DivergenceError",
    "Kernel",
    "NotPositiveDefiniteError",
    "empirical",
    "estimators",
    "get_memory_limit",
    "get_num_threads",
    "hierarchy",
    "memory_limit",
    "num_threads",
    "parametrizations",
    "plotting",
    "predict",
    "regimes",
    "reproduce",
    "resntk",
    "set_memory_limit",
    "set_num_threads",
    "show_config",
    "spectra",
    "stax",
    "train",
    "training",
    "trajectory",
]

# Modules that not every program needs load when they are first named.
_LAZY = frozenset(
    {
        "demo",
        "empirical",
        "estimators",
        "hierarchy",
        "parametrizations",
        "plotting",
        "regimes",
        "reproduce",
        "spectra",
        "training",
        "trajectory",
    }
)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "train":
        return importlib.import_module(f"{__name__}.training").train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "train"})
