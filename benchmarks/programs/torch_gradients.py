"""PyTorch's part: empirical kernels and per-input gradients with torch.func, in float32 as its users have it."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch

from . import inputs

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _network(
    n: int, d: int, width: int, outputs: int
) -> tuple[dict[str, torch.Tensor], Callable, torch.Tensor, torch.Tensor]:
    """Parameters of variance one, the network as a function of them and one input, inputs, one weight per output."""
    x, weights, combination = inputs.network(n, d, width, outputs)
    params = {str(i): torch.from_numpy(w).float() for i, w in enumerate(weights)}

    def forward(params: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        for i in range(len(params)):
            x = x @ params[str(i)] / params[str(i)].shape[0] ** 0.5
            if i < len(params) - 1:
                x = torch.relu(x)
        return x

    return params, forward, torch.from_numpy(x).float(), torch.from_numpy(combination).float()


def empirical_ntk(n: int, d: int, width: int, outputs: int) -> Callable[[], np.ndarray]:
    """Jacobians of all inputs, contracted layer by layer, as PyTorch's own tutorial on neural tangent kernels does."""
    params, forward, x, _ = _network(n, d, width, outputs)
    jacobian = torch.func.vmap(torch.func.jacrev(forward), (None, 0))

    def run() -> np.ndarray:
        parts = [j.flatten(2) for j in jacobian(params, x).values()]
        return sum(torch.einsum("Naf,Maf->NM", j, j) for j in parts).div(outputs).numpy()

    return run


def gradient_gram(n: int, d: int, width: int, outputs: int) -> Callable[[], np.ndarray]:
    """Gradients of one combination of outputs per input, then their products."""
    params, forward, x, combination = _network(n, d, width, outputs)
    gradient = torch.func.vmap(torch.func.grad(lambda p, x, c: (forward(p, x) * c).sum()), (None, 0, 0))

    def run() -> np.ndarray:
        parts = [g.flatten(1) for g in gradient(params, x, combination).values()]
        return sum(g @ g.T for g in parts).numpy()

    return run


TASKS = {"empirical_ntk": empirical_ntk, "gradient_gram": gradient_gram}


def versions() -> dict[str, str]:
    """The version of PyTorch."""
    return {"torch": torch.__version__}
