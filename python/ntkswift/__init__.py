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

from . import stax
from ._config import (
    get_memory_limit,
    get_num_threads,
    memory_limit,
    num_threads,
    set_memory_limit,
    set_num_threads,
)
from ._errors import ConvergenceError, DivergenceError, InconsistentVersionWarning, NotPositiveDefiniteError
from ._show import show_config
from .kernel import Kernel
from .stax import resntk

if TYPE_CHECKING:
    from . import (
        curvature,
        empirical,
        estimators,
        hierarchy,
        operators,
        parametrizations,
        plotting,
        predict,
        regimes,
        reproduce,
        solvers,
        spectra,
        training,
    )
    from .empirical import (
        batch,
        empirical_kernel_fn,
        empirical_nngp_fn,
        empirical_ntk_fn,
        empirical_ntk_vp_fn,
        linearize,
        monte_carlo_kernel_fn,
        taylor_expand,
    )
    from .training import train

__version__ = "0.1.0"

__all__ = [
    "ConvergenceError",
    "DivergenceError",
    "InconsistentVersionWarning",
    "Kernel",
    "NotPositiveDefiniteError",
    "batch",
    "empirical",
    "empirical_kernel_fn",
    "empirical_nngp_fn",
    "empirical_ntk_fn",
    "empirical_ntk_vp_fn",
    "estimators",
    "get_memory_limit",
    "get_num_threads",
    "hierarchy",
    "linearize",
    "memory_limit",
    "monte_carlo_kernel_fn",
    "num_threads",
    "operators",
    "parametrizations",
    "plotting",
    "predict",
    "regimes",
    "reproduce",
    "resntk",
    "set_memory_limit",
    "set_num_threads",
    "show_config",
    "solvers",
    "spectra",
    "stax",
    "taylor_expand",
    "train",
    "training",
    "curvature",
]

# What not every program needs loads when it is first named.
_MODULES = (
    "demo",
    "empirical",
    "estimators",
    "hierarchy",
    "operators",
    "parametrizations",
    "plotting",
    "predict",
    "regimes",
    "reproduce",
    "solvers",
    "spectra",
    "training",
    "curvature",
)
# Functions by the module they come from; those of `empirical` stand at the top as in neural-tangents.
_FUNCTIONS = {
    "batch": "empirical",
    "empirical_kernel_fn": "empirical",
    "empirical_nngp_fn": "empirical",
    "empirical_ntk_fn": "empirical",
    "empirical_ntk_vp_fn": "empirical",
    "linearize": "empirical",
    "monte_carlo_kernel_fn": "empirical",
    "taylor_expand": "empirical",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, "demo", *(name for name in globals() if name.startswith("__"))})
