"""Kernel regression as the estimators need it, on the core's factorisations."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .._call import Resources
from .._checks import integer, real
from ..stax import KernelFunction, Layer
from ._network import threads

# Test rows per block: kernels between test and training inputs need no more memory than this many rows.
_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Solution:
    """What a fit found: (K + ridge I)^-1 y, the Cholesky factor, the jitter beside the ridge, and the log marginal
    likelihood.
    """

    dual_coef: np.ndarray
    factor: np.ndarray
    jitter: float
    log_likelihood: float


class Machine:
    """One network's kernel with the resources that an estimator may use.

    Parameters
    ----------
    network : Layer
        The network.
    name : {"ntk", "nngp"}
        Which kernel.
    memory_limit, n_jobs : int or None
        As the estimator was given them.
    owner : str
        The estimator, for messages.
    """

    def __init__(self, network: Layer, name: str, memory_limit: int | None, n_jobs: int | None, owner: str) -> None:
        self.kernel_fn: KernelFunction = network.kernel_fn
        self.name = name
        self.owner = owner
        self.resources = Resources(threads(n_jobs, owner), memory_limit)

    def gram(self, X: np.ndarray) -> np.ndarray:
        """The kernel of the rows of X, one output per input."""
        K = self.kernel_fn._array(X, None, self.name, self.resources)
        if len(K) != len(X):
            raise ValueError(
                f"[{self.owner}] the network must give one output per input (FanInConcat along the batch does not). "
                f"Received a kernel of shape {K.shape} for {len(X)} inputs."
            )
        return K

    def cross(self, X: np.ndarray, X_fit: np.ndarray) -> np.ndarray:
        """The kernel between the rows of X and those of X_fit."""
        return self.kernel_fn._array(X, X_fit, self.name, self.resources)

    def fit(self, X: np.ndarray, y: np.ndarray, ridge: float) -> Solution:
        """Solves (K + ridge mean(diag K) I) x = y for the columns of y; warns where that needed jitter."""
        ridge = real(ridge, self.owner, "ridge", minimum=0)
        factor, _, jitter, _ = self.resources.run(
            "cholesky", "Cholesky factorisation", self.gram(X), ridge, True, overwrite=True
        )
        if jitter > 0:
            warnings.warn(
                f"[{self.owner}] the kernel is singular to working precision (duplicate or nearly duplicate rows?): "
                f"{jitter:.3g} was added to its diagonal. A larger ridge avoids this.",
                RuntimeWarning,
                stacklevel=3,
            )
        solution = self.resources.run("solve", "solution", factor, y)
        likelihood, _ = self.resources.run("log_marginal_likelihood", "likelihood", factor, y, solution)
        return Solution(solution, factor, float(jitter), float(likelihood))

    def predict(self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """k(X, X_fit) times the columns of `coefficients`."""
        blocks = [self._product(self.cross(rows, X_fit), coefficients) for rows in _blocks(X, len(X_fit))]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def predict_variance(
        self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray, factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """`predict`, and the posterior variance of each row."""
        outputs, variances = [], []
        for rows in _blocks(X, len(X_fit)):
            cross, prior = self.cross(rows, X_fit), self._diagonal(rows)
            outputs.append(self._product(cross, coefficients))
            variances.append(self._posterior(factor, cross, prior[:, None])[:, 0])
        return np.concatenate(outputs), np.concatenate(variances)

    def predict_covariance(
        self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray, factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """`predict`, and the posterior covariance of the rows."""
        cross = self.cross(X, X_fit)
        covariance = self._posterior(factor, cross, self.gram(X))
        return self._product(cross, coefficients), covariance

    def sample(self, mean: np.ndarray, covariance: np.ndarray, count: int, key: tuple[int, int]) -> np.ndarray:
        """`count` draws from Gaussians with the columns of `mean` and one covariance: shape (rows, columns, count)."""
        count = integer(count, self.owner, "n_samples", minimum=0)
        if count == 0:
            return np.empty((*mean.shape, 0))
        draws, _ = self.resources.run("sample_posterior", "samples", mean, covariance, key, count)
        return draws.reshape(len(mean), count, mean.shape[1]).transpose(0, 2, 1)

    def _product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.resources.run("multiply", "prediction", a, b)

    def _posterior(self, factor: np.ndarray, cross: np.ndarray, prior: np.ndarray) -> np.ndarray:
        return self.resources.run("posterior_covariance", "posterior", factor, cross, prior)

    def _diagonal(self, X: np.ndarray) -> np.ndarray:
        return self.kernel_fn._diagonal(X, self.name, self.resources)


def _blocks(X: np.ndarray, columns: int) -> list[np.ndarray]:
    """X in pieces whose kernel with `columns` training inputs stays small."""
    rows = max(1, _BLOCK_BYTES // (8 * max(1, columns)))
    return [X[first : first + rows] for first in range(0, len(X), rows)]
