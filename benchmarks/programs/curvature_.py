"""PyTorch's part in curvature: PyHessian, SciPy's eigsh on Hessian-vector products, BackPACK's gradients of single inputs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import inputs

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def network(sizes: list[int], n: int, dtype: str) -> tuple[torch.nn.Sequential, torch.Tensor, torch.Tensor]:
    """The network of `inputs.mlp`, its inputs and targets."""
    x, y, weights = inputs.mlp(sizes, n)
    layers: list[torch.nn.Module] = []
    kind = getattr(torch, dtype)
    for W, b in weights:
        layer = torch.nn.Linear(*W.shape).to(kind)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.T.copy()))
            layer.bias.copy_(torch.from_numpy(b))
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1]), torch.from_numpy(x).to(kind), torch.from_numpy(y).to(kind)


def half_mse(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """0.5 mean (f - y)^2."""
    return 0.5 * ((outputs - targets) ** 2).mean()


def pyhessian_top(sizes: list[int], n: int, dtype: str) -> Callable[[], np.ndarray]:
    """Power iteration until two estimates differ by 1e-6, relatively."""
    from pyhessian import hessian

    model, x, y = network(sizes, n, dtype)

    def run() -> np.ndarray:
        values, _ = hessian(model, half_mse, data=(x, y), cuda=False).eigenvalues(maxIter=10_000, tol=1e-6, top_n=1)
        return np.array(values)

    return run


def eigsh_top(sizes: list[int], n: int, dtype: str) -> Callable[[], np.ndarray]:
    """ARPACK to 1e-6 on products by double backpropagation through one graph."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    model, x, y = network(sizes, n, dtype)
    parameters = list(model.parameters())
    count = sum(p.numel() for p in parameters)

    def flat(parts: Any) -> torch.Tensor:
        return torch.cat([part.reshape(-1) for part in parts])

    def run() -> np.ndarray:
        gradient = flat(torch.autograd.grad(half_mse(model(x), y), parameters, create_graph=True))

        def product(v: np.ndarray) -> np.ndarray:
            direction = torch.from_numpy(np.ascontiguousarray(v.reshape(-1))).to(gradient.dtype)
            return flat(torch.autograd.grad(gradient @ direction, parameters, retain_graph=True)).numpy()

        operator = LinearOperator((count, count), matvec=product, dtype=np.dtype(dtype))
        v0 = np.random.default_rng(0).standard_normal(count).astype(dtype)
        return eigsh(operator, 1, which="LA", tol=1e-6, v0=v0, return_eigenvectors=False)

    return run


def batch_grad_gram(sizes: list[int], n: int, dtype: str) -> Callable[[], np.ndarray]:
    """Gradients of single inputs, their Gram matrix layer by layer, its eigenvalues after centring: the five largest."""
    from backpack import backpack, extend
    from backpack.extensions import BatchGrad

    model, x, y = network(sizes, n, dtype)
    model, loss = extend(model), extend(torch.nn.MSELoss(reduction="sum"))

    def run() -> np.ndarray:
        value = loss(model(x), y) * (0.5 / y.shape[1])
        with backpack(BatchGrad()):
            value.backward()
        gram = torch.zeros(n, n, dtype=x.dtype)
        for parameter in model.parameters():
            rows = parameter.grad_batch.reshape(n, -1)
            gram += rows @ rows.T
            parameter.grad = None
            del parameter.grad_batch
        gram = gram - gram.mean(0)
        gram = gram - gram.mean(1, keepdim=True)
        return torch.linalg.eigvalsh(gram / n).numpy()[::-1][:5].copy()

    return run


TASKS = {"pyhessian_top": pyhessian_top, "eigsh_top": eigsh_top, "batch_grad_gram": batch_grad_gram}


def versions() -> dict[str, str]:
    """Versions of torch, PyHessian and BackPACK."""
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "pyhessian", "backpack-for-pytorch", "scipy")}
