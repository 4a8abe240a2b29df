"""PyTorch's part: stochastic gradient descent of a quadratic two-layer network on fresh samples, as its users write it."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch

from . import inputs

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def quadratic_sgd(d: int, width: int, batch: int, steps: int) -> Callable[[], np.ndarray]:
    """Loss of the last batch of `steps` steps from the same weights: autograd, in-place updates, one fused product per layer."""
    form, weights = inputs.quadratic_network(d, width)
    slopes, start = torch.from_numpy(form).float(), torch.from_numpy(weights).float()
    offset = float(form.sum())

    def run() -> np.ndarray:
        torch.manual_seed(0)
        w = start.clone().requires_grad_()
        a = torch.zeros((), requires_grad=True)
        c = torch.zeros((), requires_grad=True)
        rates = (inputs.rate(d, width, batch), 0.1 / width**2, 0.1)
        loss = torch.zeros(())
        for _ in range(steps):
            x = torch.randn(batch, d)
            squares = x * x
            y = squares @ slopes - offset
            f = c + a * (x @ w.T).square().sum(dim=1)
            loss = (y - f).square().mean()
            gradients = torch.autograd.grad(loss, (w, a, c))
            with torch.no_grad():
                for parameter, gradient, rate in zip((w, a, c), gradients, rates):
                    parameter.sub_(gradient, alpha=rate)
        return np.array([[float(loss.detach())]])

    return run


def quadratic_sgd_by_hand(d: int, width: int, batch: int, steps: int) -> Callable[[], np.ndarray]:
    """The same with the gradients written out, without autograd: the least that PyTorch can do."""
    form, weights = inputs.quadratic_network(d, width)
    slopes, start = torch.from_numpy(form).float(), torch.from_numpy(weights).float()
    offset = float(form.sum())

    @torch.no_grad()
    def run() -> np.ndarray:
        torch.manual_seed(0)
        w, a, c = start.clone(), 0.0, 0.0
        hidden, rate = inputs.rate(d, width, batch), 0.1
        loss = 0.0
        for _ in range(steps):
            x = torch.randn(batch, d)
            y = (x * x) @ slopes - offset
            z = x @ w.T
            features = z.square().sum(dim=1)
            r = y - c - a * features
            scale = 2 / batch
            w.addmm_((z * r[:, None]).T, x, alpha=2 * hidden * scale * a)
            a += rate / width**2 * scale * float(r @ features)
            c += rate * scale * float(r.sum())
            loss = float(r @ r) / batch
        return np.array([[loss]])

    return run


TASKS = {"quadratic_sgd": quadratic_sgd, "quadratic_sgd_by_hand": quadratic_sgd_by_hand}


def versions() -> dict[str, str]:
    """The version of torch."""
    return {"torch": torch.__version__}
