"""neural-tangents' part: the same networks, compiled by jit before anything is timed."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

# This module of 0.6.5 wants an outdated converter and is not needed here.
sys.modules["neural_tangents.experimental"] = types.ModuleType("neural_tangents.experimental")

import jax  # noqa: E402
import neural_tangents  # noqa: E402
from jax.experimental import enable_x64  # noqa: E402
from neural_tangents import stax  # noqa: E402

from . import inputs  # noqa: E402


def kernel(
    data: dict[str, Any],
    activation: str = "Relu",
    depth: int = 3,
    W_std: float = 1.0,
    b_std: float | None = None,
    get: str = "ntk",
) -> Callable[[], Any]:
    """The kernel of all pairs of rows; x2=None, so that it may use symmetry where it can.

    With 64-bit mode on, neural-tangents promotes float32 inputs to float64; so that mode follows the data's type.
    """
    layers = []
    for _ in range(depth):
        layers += [stax.Dense(512, W_std, b_std), getattr(stax, activation)()]
    kernel_fn = stax.serial(*layers, stax.Dense(1, W_std, b_std))[2]
    compiled = jax.jit(lambda x: kernel_fn(x, None, get))
    double = data.get("dtype", "float64") == "float64"
    with enable_x64(double):
        X = jax.numpy.asarray(inputs.matrix(**data))

    def run() -> Any:
        with enable_x64(double):
            return compiled(X).block_until_ready()

    return run


def empirical_ntk(n: int, d: int, width: int, outputs: int, implementation: int) -> Callable[[], Any]:
    """The NTK of a finite network, averaged over its outputs; compiled, inputs mapped one by one (its fastest way)."""
    x, weights, _ = inputs.network(n, d, width, outputs)
    layers = [stax.Dense(width), stax.Relu()] * 3
    apply_fn = stax.serial(*layers, stax.Dense(outputs))[1]
    params = [(jax.numpy.asarray(w), None) for w in weights]
    nested = [params[0], (), params[1], (), params[2], (), params[3]]
    ntk_fn = jax.jit(neural_tangents.empirical_ntk_fn(apply_fn, vmap_axes=0, implementation=implementation))
    X = jax.numpy.asarray(x)
    return lambda: ntk_fn(X, None, nested).block_until_ready()


TASKS = {"empirical_ntk": empirical_ntk, "kernel": kernel}


def versions() -> dict[str, str]:
    """Versions of neural-tangents and JAX."""
    return {"neural_tangents": neural_tangents.__version__, "jax": jax.__version__}
