"""Symmetric matrices known by their products: curvature of a network's loss, and whatever the caller has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core
from .._arrays import check_array
from .._networks import loss_number, network_for, seed_of


class LossCurvature:
    """The Hessian of a network's loss, or its Gauss-Newton matrix, as a linear operator on flat vectors of parameters.

    Made by `hessian` and `gauss_newton`. SciPy's functions take it (``scipy.sparse.linalg.aslinearoperator``);
    `eigenvalues`, `trace` and `spectral_density` run in the core without coming back to Python between products.

    Attributes
    ----------
    shape : (parameters, parameters)
    dtype : dtype
        float64.
    """

    def __init__(self, f: Any, params: Any, x: Any, y: Any, loss: str, kind: int, rng: Any, op: str) -> None:
        network, rows = network_for(f, x, op, "x")
        self._op = op
        self._arrays = (network.vector(params), rows, network.targets(y, len(rows), "y"))
        self._network = network
        self._kind, self._loss = kind, loss_number(loss, op)
        self._seed = seed_of(network.layer, rng, op)
        vector, rows, targets = self._arrays
        self._core = _core.SymmetricOperator(network.core, vector, kind, self._loss, rows, targets, seed=self._seed)
        self.shape = (network.parameter_count, network.parameter_count)
        self.dtype = np.dtype(np.float64)

    def matvec(self, vector: Any) -> np.ndarray:
        """The product with a vector of length `shape[1]`."""
        return self.matmat(check_array(vector, "vector", ndim=(1, 2), dtype=np.float64, op=self._op).reshape(-1, 1))[
            :, 0
        ]

    def matmat(self, matrix: Any) -> np.ndarray:
        """The product with the columns of a matrix of `shape[1]` rows."""
        columns = check_array(matrix, "matrix", ndim=2, dtype=np.float64, op=self._op)
        if columns.shape[0] != self.shape[1]:
            raise ValueError(f"[{self._op}] matrix must have {self.shape[1]} rows. Received shape {columns.shape}.")
        vector, rows, targets = self._arrays
        products = self._network.call(
            "curvature",
            vector,
            self._kind,
            self._loss,
            rows,
            targets,
            np.ascontiguousarray(columns.T),
            seed=self._seed,
        )
        return products.T

    rmatvec = matvec

    def __matmul__(self, other: Any) -> np.ndarray:
        return self.matvec(other) if np.ndim(other) == 1 else self.matmat(other)

    def __repr__(self) -> str:
        return f"LossCurvature({('Hessian', 'Gauss-Newton')[self._kind]}, shape={self.shape})"


def hessian(f: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, rng: Any = None) -> LossCurvature:
    """The Hessian of the training loss by all parameters, exact to rounding.

    Parameters
    ----------
    f : ApplyFunction or Layer
        The network; one with BatchNorm is differentiated through the statistics of the batch.
    params : nested tuples
        Its parameters.
    x, y : array_like
        Inputs, and targets of the shape of the outputs.
    loss : {"mse", "cross_entropy"}
        As in `ntkswift.empirical.loss_and_gradient`.
    rng : seed, optional
        Dropout in train mode needs it.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, trajectory
    >>> network = stax.serial(stax.Dense(3), stax.Tanh(), stax.Dense(1))
    >>> x, y = np.eye(4), np.ones((4, 1))
    >>> h = trajectory.hessian(network, network.init_fn(0, x.shape)[1], x, y)
    >>> bool(np.allclose(h @ np.eye(15), (h @ np.eye(15)).T))
    True
    """
    return LossCurvature(f, params, x, y, loss, 0, rng, "hessian")


def gauss_newton(f: Any, params: Any, x: Any, y: Any, loss: str = "mse", *, rng: Any = None) -> LossCurvature:
    """The Gauss-Newton matrix J^T H_f J, with the Hessian H_f of the loss by the outputs; arguments as for `hessian`."""
    return LossCurvature(f, params, x, y, loss, 1, rng, "gauss_newton")


def core_operator(operator: Any, op: str) -> Any:
    """The core's view of a `LossCurvature`, or of anything with ``shape`` and ``matvec``."""
    if isinstance(operator, LossCurvature):
        return operator._core
    shape, matvec = getattr(operator, "shape", None), getattr(operator, "matvec", None)
    if shape is None or not callable(matvec):
        raise TypeError(
            f"[{op}] operator must have shape, dtype and matvec (see scipy.sparse.linalg.aslinearoperator). "
            f"Received {type(operator).__name__}."
        )
    shape = tuple(shape)
    if len(shape) != 2 or shape[0] != shape[1] or int(shape[0]) < 1:
        raise ValueError(f"[{op}] operator must be square, with at least one row. Received shape {shape}.")
    if np.dtype(getattr(operator, "dtype", None) or np.float64).kind not in "fiu":
        raise TypeError(f"[{op}] operator must be real. Received dtype {operator.dtype}.")
    return _core.SymmetricOperator(_product(matvec, int(shape[0]), op), int(shape[0]))


def _product(matvec: Callable[[np.ndarray], Any], dimension: int, op: str) -> Callable[[np.ndarray], np.ndarray]:
    def product(x: np.ndarray) -> np.ndarray:
        y = check_array(matvec(x), "the operator's product", ndim=(1, 2), dtype=np.float64, op=op)
        if y.size != dimension:
            raise ValueError(f"[{op}] the operator's product must have {dimension} numbers. Received shape {y.shape}.")
        return np.ascontiguousarray(y.reshape(-1))

    return product
