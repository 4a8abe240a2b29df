"""What infinite width predicts for an autoencoder: kernels, eigenvalues, loss curves, the trained function."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._call import call
from .._kernel_matrix import factor


class KernelBounds(NamedTuple):
    """Extreme eigenvalues of a kernel and what they mean for gradient descent.

    Attributes
    ----------
    lambda_min, lambda_max : float
        Smallest and largest eigenvalue.
    max_learning_rate : float
        ``2 / lambda_max``: gradient descent with the constant kernel converges below it and diverges above it.
    late_rate : float
        ``(1 - learning_rate lambda_min)^2``, the factor by which the loss shrinks in a step when only the slowest
        direction is left; for gradient flow ``exp(-2 learning_rate lambda_min)``.
    """

    lambda_min: float
    lambda_max: float
    max_learning_rate: float
    late_rate: float


def limits(X: np.ndarray, X2: np.ndarray, layers: int) -> np.ndarray:
    """H (layers 1), S (2) or H + S (3), shape (n1, n2): d times the kernel of the infinitely wide network."""
    encoder, decoder = call("autoencoder_limits", "kernel", X, X2)
    return encoder if layers == 1 else decoder if layers == 2 else encoder + decoder


def tied_limit(X: np.ndarray, X2: np.ndarray) -> np.ndarray:
    """Kernel per neuron of infinitely many tied neurons, shape (n1 d, n2 d)."""
    return call("autoencoder_tied_limit", "kernel", X, X2)


def extremes(kernel: np.ndarray) -> tuple[float, float]:
    """Smallest and largest eigenvalue of a symmetric matrix."""
    values, _ = call("eigh", "eigenvalues", kernel, 0.0, False, False)
    return float(values[0]), float(values[-1])


def bounds(lowest: float, highest: float, learning_rate: float, is_flow: bool) -> KernelBounds:
    """`KernelBounds` of the two eigenvalues; what rounding makes negative counts as 0."""
    lowest = max(lowest, 0.0)
    rate = np.exp(-2 * learning_rate * lowest) if is_flow else (1 - learning_rate * lowest) ** 2
    return KernelBounds(lowest, highest, 2 / highest, float(rate))


def loss_curve(
    kernel: np.ndarray,
    residual: np.ndarray,
    spread: np.ndarray | None,
    learning_rate: float,
    is_flow: bool,
    steps: int,
) -> np.ndarray:
    """Losses after 0..steps steps under a constant kernel; `spread` (n, n): covariance of random residuals about `residual`."""
    values, vectors = call("eigh", "eigenvectors", kernel, 0.0, False, True)
    return call("predicted_loss", "predicted loss", values, vectors, residual, spread, learning_rate, is_flow, steps)


def trained_function(X: np.ndarray, X_new: np.ndarray, layers: int, op: str) -> np.ndarray:
    """``k(X_new, X) K^-1 X``, what training to the end makes of an infinitely wide network that starts at 0."""
    kernel = limits(X, X, layers)
    solution: Any = call("solve", "solve", factor(kernel, 0.0, True, op), X.copy())
    return call("multiply", "prediction", limits(X_new, X, layers), solution)
