"""gpytorch's part in regression: exact Gaussian process prediction with fixed hyperparameters, no training."""

from __future__ import annotations

import os
from collections.abc import Callable

import gpytorch
import numpy as np
import torch

from . import inputs

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


class Model(gpytorch.models.ExactGP):
    """Zero mean, RBF kernel."""

    def __init__(self, X: torch.Tensor, y: torch.Tensor, likelihood: gpytorch.likelihoods.GaussianLikelihood) -> None:
        super().__init__(X, y, likelihood)
        self.mean_module = gpytorch.means.ZeroMean()
        self.covar_module = gpytorch.kernels.RBFKernel()

    def forward(self, X: torch.Tensor) -> gpytorch.distributions.MultivariateNormal:
        """The prior at X."""
        return gpytorch.distributions.MultivariateNormal(self.mean_module(X), self.covar_module(X))


def regression(n: int, d: int, std: bool = False) -> Callable[[], np.ndarray]:
    """A new model each time, so that nothing is cached: posterior mean, and standard deviation if wanted."""
    X, y, X_test = (torch.from_numpy(array) for array in inputs.regression(n, d))

    def run() -> np.ndarray:
        likelihood = gpytorch.likelihoods.GaussianLikelihood()
        model = Model(X, y, likelihood).double()
        model.covar_module.lengthscale = (d / 2) ** 0.5
        likelihood.noise = 1e-2
        model.eval()
        likelihood.eval()
        with torch.no_grad():
            posterior = model(X_test)
            parts = [posterior.mean] + ([posterior.stddev] if std else [])
        return torch.stack(parts).numpy()

    return run


TASKS = {"regression": regression}


def versions() -> dict[str, str]:
    """Versions of gpytorch and torch."""
    return {"gpytorch": gpytorch.__version__, "torch": torch.__version__}
