"""What two-layer networks are to learn where their risk has a closed form."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import call
from .._checks import integer, real
from .._random import generator


def _symmetric(matrix: Any, name: str, op: str) -> np.ndarray:
    array = check_array(matrix, name, dtype=np.float64, op=op)
    if array.shape[0] != array.shape[1]:
        raise ValueError(f"[{op}] {name} must be square. Received shape {array.shape}.")
    if not np.allclose(array, array.T, rtol=1e-10, atol=1e-12 * np.abs(array).max()):
        raise ValueError(f"[{op}] {name} must be symmetric. Received a matrix that is not.")
    return np.ascontiguousarray((array + array.T) / 2)


class QuadraticTarget:
    """``y = b0 + x^T B x`` with x ~ N(0, I): the target *qf* of Ghorbani et al., arXiv:1906.08899.

    Parameters
    ----------
    B : array_like of shape (d, d)
        Symmetric matrix.
    b0 : float or "centered", default="centered"
        Constant; "centered" is ``-tr B``, so that y has mean 0.

    Attributes
    ----------
    B : ndarray of shape (d, d)
    b0 : float
    dimension : int
        Number d of features.
    variance : float
        Variance of y, ``2 |B|^2``: the risk of the best constant.
    spectrum : ndarray of shape (d,)
        Eigenvalues of B, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import QuadraticTarget
    >>> target = QuadraticTarget(np.diag([3.0, 4.0]))
    >>> target.variance, target.b0
    (50.0, -7.0)
    >>> X, y = target.sample(5, seed=0)
    >>> X.shape, y.shape
    ((5, 2), (5,))
    """

    def __init__(self, B: Any, b0: float | str = "centered") -> None:
        self.B = _symmetric(B, "B", "QuadraticTarget")
        if isinstance(b0, str) and b0 != "centered":
            raise ValueError(f'[QuadraticTarget] b0 must be a number or "centered". Received {b0!r}.')
        self.b0 = -float(np.trace(self.B)) if isinstance(b0, str) else real(b0, "QuadraticTarget", "b0")

    @property
    def dimension(self) -> int:
        """Number d of features."""
        return len(self.B)

    @property
    def variance(self) -> float:
        """Variance of y, the risk of the best constant."""
        return 2 * float(np.sum(self.B**2))

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Eigenvalues of B, ascending."""
        return _eigenvalues(self.B)

    def __call__(self, X: Any) -> np.ndarray:
        """Return y for the rows of X."""
        X = check_array(X, "X", dtype=np.float64, op="QuadraticTarget")
        if X.shape[1] != self.dimension:
            raise ValueError(f"[QuadraticTarget] X must have {self.dimension} columns. Received shape {X.shape}.")
        return self.b0 + np.einsum("ij,ij->i", call("multiply", "target", X, self.B), X)

    def sample(self, n: int, seed: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return n inputs (n, d) and their targets (n,)."""
        n = integer(n, "QuadraticTarget.sample", "n")
        X = generator(seed, op="sample").standard_normal((n, self.dimension))
        return X, self(X)

    def _task(self) -> tuple[np.ndarray, None, float]:
        return self.B, None, self.b0

    def _limit(self, relative: float) -> float:
        """Risk over the risk of the best constant, from that share of |B|^2."""
        return relative

    def __repr__(self) -> str:
        return f"QuadraticTarget(dimension={self.dimension}, b0={self.b0:.6g}, variance={self.variance:.6g})"


class TwoGaussians:
    """``y = +-1`` with probability 1/2 each and ``x | y ~ N(0, Sigma - y Delta)``: the target *mg* of arXiv:1906.08899.

    Parameters
    ----------
    Sigma, Delta : array_like of shape (d, d)
        Symmetric; ``Sigma - Delta`` and ``Sigma + Delta`` must be positive definite.

    Attributes
    ----------
    Sigma, Delta : ndarray of shape (d, d)
    dimension : int
        Number d of features.
    variance : float
        1, the risk of the best constant.
    spectrum : ndarray of shape (d,)
        Eigenvalues of ``L^-1 Delta L^-T`` with ``Sigma = L L^T``, ascending, between -1 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import TwoGaussians
    >>> target = TwoGaussians(2 * np.eye(3), np.diag([1.0, 0.5, 0.0]))
    >>> target.spectrum.round(6).tolist()
    [0.0, 0.25, 0.5]
    """

    variance = 1.0

    def __init__(self, Sigma: Any, Delta: Any) -> None:
        self.Sigma = _symmetric(Sigma, "Sigma", "TwoGaussians")
        self.Delta = _symmetric(Delta, "Delta", "TwoGaussians")
        if self.Sigma.shape != self.Delta.shape:
            raise ValueError(
                "[TwoGaussians] Sigma and Delta must have the same shape. "
                f"Received {self.Sigma.shape} and {self.Delta.shape}."
            )

    @property
    def dimension(self) -> int:
        """Number d of features."""
        return len(self.Sigma)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Eigenvalues of the whitened difference of the classes, ascending."""
        factor = call("cholesky", "Cholesky factorisation", self.Sigma, 0.0, True)[0]
        half = call("solve", "solve", factor, self.Delta, system=1)
        white = call("solve", "solve", factor, np.ascontiguousarray(half.T), system=1)
        return _eigenvalues((white + white.T) / 2)

    @cached_property
    def _factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Cholesky factors of the classes y = 1 and y = -1."""
        plus, minus = (
            call("cholesky", "Cholesky factorisation", self.Sigma - sign * self.Delta, 0.0, True)[0] for sign in (1, -1)
        )
        return plus, minus

    def sample(self, n: int, seed: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return n inputs (n, d) and their labels (n,)."""
        n = integer(n, "TwoGaussians.sample", "n")
        random = generator(seed, op="sample")
        y = random.choice([-1.0, 1.0], size=n)
        X = random.standard_normal((n, self.dimension))
        for sign, factor in zip((1, -1), self._factors):
            X[y == sign] = call("multiply", "samples", X[y == sign], np.ascontiguousarray(factor.T))
        return X, y

    def _task(self) -> tuple[np.ndarray, np.ndarray, float]:
        return self.Sigma, self.Delta, 0.0

    def _limit(self, relative: float) -> float:
        explained = (1 - relative) * float(np.sum(self.spectrum**2))
        return 1 / (1 + explained / 2)

    def __repr__(self) -> str:
        return f"TwoGaussians(dimension={self.dimension})"


def _eigenvalues(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(call("eigh", "eigenvalues", matrix, 0.0, True, False)[0]).ravel()


def lazy_training_target(d: int = 450, seed: int = 100) -> QuadraticTarget:
    """Return the target of the authors' code: ``y = sum_i g_i (x_i^2 - 1) / sqrt(d)`` with g_i ~ Exp(1).

    The g_i are those of NumPy's legacy generator with this seed, as in github.com/bGhorbani/Lazy-Training-Neural-Nets;
    NumPy's global state is not touched.

    Examples
    --------
    >>> from ntkswift.regimes import lazy_training_target
    >>> round(lazy_training_target().variance, 4)
    4.2024
    """
    d = integer(d, "lazy_training_target", "d")
    slopes = np.random.RandomState(integer(seed, "lazy_training_target", "seed", minimum=0)).exponential(1, size=(1, d))
    return QuadraticTarget(np.diag(slopes.ravel()) / np.sqrt(d))
