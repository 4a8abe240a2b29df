"""What infinite width predicts for an autoencoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._checks import integer
from . import _autoencoder_theory as theory
from ._autoencoder_inputs import parallel_message, parallel_rows
from ._autoencoder_settings import LAYERS, TRAINED, AutoencoderSettings
from ._autoencoder_theory import KernelBounds


class InfiniteWidth(AutoencoderSettings):
    """Kernel, eigenvalues, loss curve and trained function of the infinitely wide network; part of :class:`Autoencoder`."""

    def limit_kernel(self, X: Any = None, X2: Any = None, *, layers: str | None = None) -> np.ndarray:
        """Return the kernel of the infinitely wide network at its start.

        Without tied weights it is a Kronecker product with the d x d identity, and the (n, n2) factor is returned:
        ``m scale^2 H`` for the encoder and ``m scale^2 S`` for the decoder, which is H / d and S / d with the "ntk"
        scaling, where ``H = <x, y> (pi - t) / (2 pi)``, ``S = |x| |y| (sin t + (pi - t) cos t) / (2 pi)`` and t is the
        angle between x and y. With tied weights it has shape (n d, n2 d).

        Parameters
        ----------
        X, X2 : array_like of shape (n, d), (n2, d), optional
            Inputs; X is by default the training inputs, X2 by default X.
        layers : {"encoder", "decoder", "both"}, optional
            Whose gradients; by default those that the mode trains.
        """
        op = "Autoencoder.limit_kernel"
        self._check_choices(op)
        X = self._inputs(X, op)
        X2 = X if X2 is None else check_array(X2, "X2", dtype=np.float64, op=op)
        self._same_width(X2, "X2", X.shape[1], op)
        return self._limit(X, np.ascontiguousarray(X2), self._layers(layers, op), self._scale_for(X, op))

    def bounds(self, X: Any = None, *, kernel: str = "limit") -> KernelBounds:
        """Return the extreme eigenvalues of the kernel, the largest stable learning rate, and the predicted late rate.

        Parameters
        ----------
        X : array_like of shape (n, d), optional
            Inputs; the training inputs without it.
        kernel : {"limit", "empirical"}
            Of the infinitely wide network, or of the fitted one at its initial weights.
        """
        op = "Autoencoder.bounds"
        X, matrix = self._matrix(X, kernel, op)
        lowest, highest = theory.extremes(matrix)
        if self.mode != "tied" and parallel_rows(X) is not None:
            lowest = 0.0
        return theory.bounds(lowest, highest, self._present_rate(X, op), self.optimizer == "flow")

    def predicted_loss(
        self, X: Any = None, steps: int | None = None, *, kernel: str = "limit", start: Any = None
    ) -> np.ndarray:
        """Return the losses after 0, 1, ..., `steps` steps of training with a constant kernel.

        Along an eigenvector with eigenvalue l a residual shrinks by ``1 - learning_rate l`` in each step of gradient
        descent, and by ``exp(-learning_rate l)`` per interval in gradient flow.

        Parameters
        ----------
        X : array_like of shape (n, d), optional
            Inputs; the training inputs without it.
        steps : int, optional
            The steps of this object without it.
        kernel : {"limit", "empirical"}
            Of the infinitely wide network, or of the fitted one at its initial weights (the linearised network).
        start : array_like of shape (n, d), optional
            Outputs before training. By default those of the fitted network; where it is not fitted to these inputs, the
            mean over all initial weights is taken: outputs of mean 0 and covariance ``m scale^2 S`` in each coordinate.

        Raises
        ------
        ValueError
            With tied weights, whose kernel is not constant at any width.
        """
        op = "Autoencoder.predicted_loss"
        X, matrix = self._matrix(X, kernel, op)
        if self.mode == "tied":
            raise ValueError(
                f"[{op}] needs a network whose kernel is constant at infinite width: weak or joint training. "
                "Received tied weights, for which no scaling has such a limit."
            )
        steps = integer(self.steps if steps is None else steps, op, "steps", minimum=0)
        outputs, spread = self._start(X, start, op)
        residual = outputs - X
        if len(matrix) != len(X):  # an empirical kernel: one row for each coordinate of each output
            residual = np.ascontiguousarray(residual.reshape(-1, 1))
            spread = None if spread is None else np.kron(spread / X.shape[1], np.eye(X.shape[1]))
        return theory.loss_curve(matrix, residual, spread, self._present_rate(X, op), self.optimizer == "flow", steps)

    def _start(self, X: np.ndarray, start: Any, op: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Mean of the outputs before training, and the sum over coordinates of their covariance where they are random."""
        if start is not None:
            start = check_array(start, "start", dtype=np.float64, op=op)
            if start.shape != X.shape:
                raise ValueError(f"[{op}] start must have the shape {X.shape} of X. Received {start.shape}.")
            return start, None
        if hasattr(self, "inputs_") and _same_rows(X, self.inputs_):
            return self._weights(initial=True).outputs(X), None
        return np.zeros_like(X), X.shape[1] * self._limit(X, X, LAYERS["decoder"], self._scale_for(X, op))

    def _present_rate(self, X: np.ndarray, op: str) -> float:
        """The learning rate of the fit, or what it would be."""
        return getattr(self, "learning_rate_", None) or self._rate(X, self._scale_for(X, op), op)

    def predict_infinite(self, X_new: Any, X: Any = None) -> np.ndarray:
        """Return what an infinitely wide network makes of new inputs after training to the end, from outputs of 0.

        ``k(X_new, X) K^-1 X``: each reconstruction is a combination of the training inputs, the bias towards memorising
        them.

        Parameters
        ----------
        X_new : array_like of shape (n2, d)
            New inputs, of any norm.
        X : array_like of shape (n, d), optional
            Training inputs; those of `fit` without it.

        Raises
        ------
        ValueError
            With tied weights; where two training inputs are parallel.
        """
        op = "Autoencoder.predict_infinite"
        self._check_choices(op)
        if self.mode == "tied":
            raise ValueError(f"[{op}] needs weak or joint training. Received tied weights, which have no linear limit.")
        X = self._inputs(X, op)
        pair = parallel_rows(X)
        if pair is not None:
            raise ValueError(parallel_message(pair, op))
        new = np.ascontiguousarray(check_array(X_new, "X_new", dtype=np.float64, op=op))
        self._same_width(new, "X_new", X.shape[1], op)
        return theory.trained_function(X, new, TRAINED[self.mode], op)

    def _matrix(self, X: Any, kernel: str, op: str) -> tuple[np.ndarray, np.ndarray]:
        """Unit rows and the symmetric kernel that is meant."""
        self._check_choices(op)
        X = self._inputs(X, op)
        if kernel == "limit":
            return X, self._limit(X, X, TRAINED[self.mode], self._scale_for(X, op))
        if kernel != "empirical":
            raise ValueError(f'[{op}] kernel must be "limit" or "empirical". Received {kernel!r}.')
        self._fitted(op)
        self._same_width(X, "X", self.n_features_in_, op)
        return X, self._weights(initial=True).kernel(X, TRAINED[self.mode])


def _same_rows(X: np.ndarray, X2: np.ndarray) -> bool:
    return X.shape == X2.shape and np.allclose(X, X2, rtol=0, atol=1e-12)
