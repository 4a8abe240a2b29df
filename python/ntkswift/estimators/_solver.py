"""Kernel regression as the estimators need it, on the core's factorisations."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .._call import Resources, allowing
from .._checks import choice, integer
from .._kernel_matrix import condition_text
from ..operators import KernelOperator
from ..solvers import METHODS, automatic, solve
from ..stax import KernelFunction, Layer
from ._network import threads
from ._noise import Noise

# Test rows per block: kernels between test and training inputs need no more memory than this many rows.
_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Solution:
    """What a fit found: (K + noise)^-1 y; the Cholesky factor, one for each target where their noise differs, or None; the
    jitter beside the noise; the log marginal likelihood, where there is a factor; and how it was found.
    """

    dual_coef: np.ndarray
    factor: np.ndarray | None
    jitter: float
    log_likelihood: float | None
    solver: str
    residual: float | None
    iterations: int


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

    def fit(self, X: np.ndarray, y: np.ndarray, noise: Noise, solver: str) -> Solution:
        """Solves (K + noise) x = y for the columns of y; warns where that needed jitter or did not converge."""
        method = choice(solver, self.owner, "solver", ("auto", *METHODS))
        if method == "auto":
            with allowing(self.resources):
                method = automatic(len(X))
        return self._factored(X, y, noise) if method == "cholesky" else self._iterated(X, y, noise, method)

    def _factored(self, X: np.ndarray, y: np.ndarray, noise: Noise) -> Solution:
        K = self.gram(X)
        if noise.plain is not None:
            parts = [self._factor_and_solve(K, y, noise.plain, True)]
            factor = parts[0][0]
        else:
            diagonal = K.diagonal().copy()
            columns = noise.columns(diagonal)
            parts = []
            for k in range(columns.shape[1]):
                own = K if k == columns.shape[1] - 1 else K.copy()
                np.fill_diagonal(own, diagonal + columns[:, k])
                parts.append(self._factor_and_solve(own, y if columns.shape[1] == 1 else y[:, k : k + 1], 0.0, False))
            factor = parts[0][0] if len(parts) == 1 else np.stack([part[0] for part in parts])
        jitter, condition = max(part[1] for part in parts), min(part[4] for part in parts)
        advice = "a larger ridge avoids this (duplicate or nearly duplicate rows?)."
        text = condition_text(jitter, condition, np.dtype(np.float64), advice)
        if text:
            warnings.warn(f"[{self.owner}] {text}", RuntimeWarning, stacklevel=4)
        coefficients = np.concatenate([part[2] for part in parts], axis=1)
        likelihood = float(sum(part[3] for part in parts))
        return Solution(coefficients, factor, jitter, likelihood, "cholesky", None, 0)

    def _factor_and_solve(
        self, K: np.ndarray, y: np.ndarray, ridge: float, relative: bool
    ) -> tuple[np.ndarray, float, np.ndarray, float, float]:
        """The factor in K's place, the jitter, the solution, the log marginal likelihood, the reciprocal condition number."""
        factor, _, jitter, _, condition = self.resources.run(
            "cholesky", "Cholesky factorisation", K, ridge, relative, overwrite=True
        )
        solution = self.resources.run("solve", "solution", factor, np.ascontiguousarray(y))
        likelihood, _ = self.resources.run(
            "log_marginal_likelihood", "likelihood", factor, np.ascontiguousarray(y), solution
        )
        return factor, float(jitter), solution, float(likelihood), float(condition)

    def _iterated(self, X: np.ndarray, y: np.ndarray, noise: Noise, method: str) -> Solution:
        columns = noise.columns(self._diagonal(X))
        limit = self.resources.memory_limit
        store = None if limit is None else limit // 2
        found = []
        with allowing(self.resources):
            for k in range(columns.shape[1]):
                operator = KernelOperator(self.kernel_fn, X, get=self.name, ridge=columns[:, k], store=store)
                found.append(solve(operator, y if columns.shape[1] == 1 else y[:, k : k + 1], method))
        return Solution(
            np.concatenate([one.solution for one in found], axis=1),
            None,
            max(one.jitter for one in found),
            None,
            method,
            float(max(np.max(one.residual) for one in found)),
            sum(one.iterations for one in found),
        )

    def predict(self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """k(X, X_fit) times the columns of `coefficients`."""
        blocks = [self._product(self.cross(rows, X_fit), coefficients) for rows in _blocks(X, len(X_fit))]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def predict_variance(
        self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray, factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """`predict`, and the posterior variance of each row for each factor: (rows, 1), or (rows, targets)."""
        outputs, variances = [], []
        for rows in _blocks(X, len(X_fit)):
            cross, prior = self.cross(rows, X_fit), self._diagonal(rows)
            outputs.append(self._product(cross, coefficients))
            variances.append(
                np.concatenate([self._posterior(own, cross, prior[:, None]) for own in _factors(factor)], axis=1)
            )
        return np.concatenate(outputs), np.concatenate(variances)

    def predict_covariance(
        self, X: np.ndarray, X_fit: np.ndarray, coefficients: np.ndarray, factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """`predict`, and the posterior covariance of the rows for each factor: (rows, rows, 1), or (rows, rows, targets)."""
        cross, prior = self.cross(X, X_fit), self.gram(X)
        covariances = [self._posterior(own, cross, prior) for own in _factors(factor)]
        return self._product(cross, coefficients), np.stack(covariances, axis=2)

    def sample(self, mean: np.ndarray, covariance: np.ndarray, count: int, key: tuple[int, int]) -> np.ndarray:
        """`count` draws from Gaussians with the columns of `mean`, and one covariance or one each: (rows, columns, count)."""
        count = integer(count, self.owner, "n_samples", minimum=0)
        if count == 0:
            return np.empty((*mean.shape, 0))
        parts = [mean] if covariance.shape[2] == 1 else [mean[:, k : k + 1] for k in range(mean.shape[1])]
        draws = []
        for k, own in enumerate(parts):
            spread = np.ascontiguousarray(covariance[:, :, k])
            stream = (key[0], (key[1] + k) % 2**64)
            one, _ = self.resources.run("sample_posterior", "samples", np.ascontiguousarray(own), spread, stream, count)
            draws.append(one.reshape(len(mean), count, own.shape[1]).transpose(0, 2, 1))
        return np.concatenate(draws, axis=1)

    def _product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.resources.run("multiply", "prediction", a, b)

    def _posterior(self, factor: np.ndarray, cross: np.ndarray, prior: np.ndarray) -> np.ndarray:
        return self.resources.run("posterior_covariance", "posterior", factor, cross, prior)

    def _diagonal(self, X: np.ndarray) -> np.ndarray:
        return self.kernel_fn._diagonal(X, self.name, self.resources)


def _factors(factor: np.ndarray) -> list[np.ndarray]:
    """One factor for all targets, or one for each."""
    return [factor] if factor.ndim == 2 else list(factor)


def _blocks(X: np.ndarray, columns: int) -> list[np.ndarray]:
    """X in pieces whose kernel with `columns` training inputs stays small."""
    rows = max(1, _BLOCK_BYTES // (8 * max(1, columns)))
    return [X[first : first + rows] for first in range(0, len(X), rows)]
