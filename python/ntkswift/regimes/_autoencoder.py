"""Two-layer ReLU autoencoders: trained at finite width, and what infinite width predicts for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._config import get_memory_limit
from .._errors import ConvergenceError
from .._random import generator
from ..predict._core_calls import call
from ..predict._shapes import check_number
from ..stax._checks import integer
from . import _autoencoder_theory as theory
from ._autoencoder_inputs import parallel_message, parallel_rows, unit_rows, warn_of_parallel_rows
from ._autoencoder_theory import KernelBounds
from ._autoencoder_training import Run, Weights
from ._parameters import Parameters

# Which layers' gradients make up the kernel; the numbers of the core.
_LAYERS = {"encoder": 1, "decoder": 2, "both": 3}
_TRAINED = {"weak": 1, "joint": 3, "tied": 3}


def _same_rows(X: np.ndarray, X2: np.ndarray) -> bool:
    return X.shape == X2.shape and np.allclose(X, X2, rtol=0, atol=1e-12)


class Autoencoder(Parameters):
    """Two-layer ReLU autoencoder ``u(x) = scale * A relu(W^T x)``, trained by full-batch gradient descent or flow.

    The network of Nguyen, Wong & Hegde, "Benefits of Jointly Training Autoencoders: An Improved Neural Tangent Kernel
    Analysis" (arXiv:1911.11983), on the loss ``0.5 sum_i ||u(x_i) - x_i||^2``. Weak training moves the encoder W alone,
    joint training W and the decoder A, tied training one matrix with A = W. Beside the trained network stand its
    empirical kernel, the kernel of infinite width, and what that predicts: step sizes, loss curves, the trained function.

    Parameters
    ----------
    width : int, default=1000
        Number m of neurons.
    mode : {"joint", "weak", "tied"}, default="joint"
        What is trained.
    scaling : {"ntk", "mean", "identity"} or float, default="ntk"
        Factor in front of the sum over neurons: ``(m d)^-0.5``, with which the kernel is of order one; ``1 / m``, with
        which tied outputs start at ``x / 2``; ``2 / m``, with which they start at x; or a number.
    decoder_init : {"rademacher", "gaussian", "mirrored"}, default="rademacher"
        Entries of A at the start, +-1 or N(0, 1). The theory asks for independent columns with ``E[a a^T] = I``; which of
        the two is our choice. "mirrored" draws half of the neurons, and gives the other half the same encoder and the
        opposite decoder: outputs start at exactly 0, with the same kernel limit. The encoder starts from N(0, 1).
    learning_rate : float or "auto", default="auto"
        Step size. "auto" is ``1 / lambda_max`` of the infinitely wide network's kernel, half the bound of stability.
    steps : int, default=1000
        Number of steps; 0 draws the weights and trains nothing.
    optimizer : {"gd", "flow"}, default="gd"
        Gradient descent, or gradient flow to the time ``learning_rate * steps`` by Heun's method with adaptive steps.
    tolerance : float, default=1e-3
        Gradient flow: local error of the outputs in a step, relative to the norm of the inputs.
    record : int, default=20
        In how many places, evenly spaced, movements are measured.
    track_kernel : bool, default=False
        Also measure there how far the empirical kernel is from its start (``O(m n^2 d^2)`` operations each).
    normalize : bool, default=False
        Scale the rows of X to norm 1, which the theory needs. False refuses other rows.
    random_state : int, SeedSequence, Generator or None
        Seed of the initial weights.

    Attributes
    ----------
    encoder_, decoder_ : ndarray of shape (width, d)
        Trained weights, one row per neuron (the same array where tied).
    initial_encoder_, initial_decoder_ : ndarray of shape (width, d)
        Where they started.
    history_ : AutoencoderHistory
        Losses and movements; also there after Ctrl-C and after divergence.
    learning_rate_, scale_ : float
        What "auto" and the scaling came to.
    inputs_ : ndarray of shape (n, d)
        The training inputs, with rows of norm 1.

    Raises
    ------
    ConvergenceError
        From `fit`, where training diverges; `history_` holds what came before.
    MemoryError
        Where the weights or the activations (``8 width n`` bytes) are over the memory limit.

    Notes
    -----
    Networks without biases are homogeneous: `reconstruct` and `predict_infinite` take rows of any norm.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.regimes import Autoencoder
    >>> X = np.random.default_rng(0).standard_normal((6, 4))
    >>> model = Autoencoder(2000, steps=200, normalize=True, random_state=0).fit(X)
    >>> bool(model.history_.loss[-1] < 0.02 * model.history_.loss[0])
    True
    >>> predicted = model.predicted_loss()
    >>> bool(np.all(np.abs(model.history_.loss - predicted) < 0.02 * predicted[0]))
    True
    """

    def __init__(
        self,
        width: int = 1000,
        mode: str = "joint",
        *,
        scaling: str | float = "ntk",
        decoder_init: str = "rademacher",
        learning_rate: float | str = "auto",
        steps: int = 1000,
        optimizer: str = "gd",
        tolerance: float = 1e-3,
        record: int = 20,
        track_kernel: bool = False,
        normalize: bool = False,
        random_state: Any = None,
    ) -> None:
        self.width = width
        self.mode = mode
        self.scaling = scaling
        self.decoder_init = decoder_init
        self.learning_rate = learning_rate
        self.steps = steps
        self.optimizer = optimizer
        self.tolerance = tolerance
        self.record = record
        self.track_kernel = track_kernel
        self.normalize = normalize
        self.random_state = random_state

    # ------------------------------------------------------------------ training

    def fit(self, X: Any, y: Any = None) -> Autoencoder:
        """Draw the weights and train them to reconstruct the rows of X; `y` is ignored.

        Parameters
        ----------
        X : array_like of shape (n, d)
            Inputs with rows of norm 1 (or any with `normalize`), no two of them parallel.

        Returns
        -------
        self
        """
        op = "Autoencoder.fit"
        self._check_choices(op)
        X = unit_rows(X, bool(self.normalize), op)
        warn_of_parallel_rows(X, op)
        start = self._draw(X.shape[1], op)
        run = Run(
            X,
            start.copy(),
            _TRAINED[self.mode],
            self._rate(X, start.scale, op),
            integer(self.steps, op, "steps", minimum=0),
            self.optimizer == "flow",
            check_number(self.tolerance, "tolerance", op, minimum=0, maximum=1, strict=True),
            integer(self.record, op, "record", minimum=1),
            bool(self.track_kernel),
        )
        try:
            run.run()
        finally:
            self._keep(run, X)
        if run.diverged:
            raise ConvergenceError(self._divergence(op))
        return self

    def _check_choices(self, op: str) -> None:
        choices = {
            "mode": tuple(_TRAINED),
            "decoder_init": ("rademacher", "gaussian", "mirrored"),
            "optimizer": ("gd", "flow"),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                raise ValueError(f"[{op}] {name} must be one of {', '.join(allowed)}. Received {value!r}.")

    def _draw(self, d: int, op: str) -> Weights:
        m = integer(self.width, op, "width", minimum=1)
        copies = 3 if self.mode == "tied" else 6  # initial, kept and trained weights
        needed, limit = 8 * copies * m * d, get_memory_limit()
        if needed > limit:
            raise MemoryError(
                f"[{op}] the weights of {m} neurons need {needed} bytes. The memory limit is {limit} bytes. "
                "Use fewer neurons, or ntkswift.set_memory_limit."
            )
        encoder, decoder = self._initial(generator(self.random_state, op=op), m, d, op)
        return Weights(encoder, decoder, self._scale(m, d, op))

    def _initial(self, random: np.random.Generator, m: int, d: int, op: str) -> tuple[np.ndarray, np.ndarray | None]:
        if self.mode == "tied":
            return random.standard_normal((m, d)), None
        if self.decoder_init == "mirrored":
            if m % 2:
                raise ValueError(f"[{op}] width must be even for mirrored neurons. Received {m}.")
            encoder, signs = random.standard_normal((m // 2, d)), random.integers(0, 2, (m // 2, d))
            return np.concatenate([encoder, encoder]), np.concatenate([2.0 * signs - 1, 1 - 2.0 * signs])
        encoder = random.standard_normal((m, d))
        if self.decoder_init == "gaussian":
            return encoder, random.standard_normal((m, d))
        return encoder, 2.0 * random.integers(0, 2, (m, d)) - 1.0

    def _scale(self, m: int, d: int, op: str) -> float:
        named = {"ntk": (m * d) ** -0.5, "mean": 1 / m, "identity": 2 / m}
        if isinstance(self.scaling, str):
            if self.scaling not in named:
                raise ValueError(f"[{op}] scaling must be {', '.join(named)} or a number. Received {self.scaling!r}.")
            return named[self.scaling]
        return check_number(self.scaling, "scaling", op, minimum=0, strict=True)

    def _rate(self, X: np.ndarray, scale: float, op: str) -> float:
        if not isinstance(self.learning_rate, str):
            return check_number(self.learning_rate, "learning_rate", op, minimum=0, strict=True)
        if self.learning_rate != "auto":
            raise ValueError(f'[{op}] learning_rate must be a number or "auto". Received {self.learning_rate!r}.')
        return 1 / call("largest_eigenvalue", "learning rate", self._limit(X, X, _TRAINED[self.mode], scale))

    def _keep(self, run: Run, X: np.ndarray) -> None:
        self.inputs_ = X
        self.n_features_in_ = X.shape[1]
        self.scale_ = run.weights.scale
        self.learning_rate_ = run.learning_rate
        self.encoder_ = run.weights.encoder
        self.decoder_ = run.weights.encoder if run.weights.decoder is None else run.weights.decoder
        self.initial_encoder_ = run.start.encoder
        self.initial_decoder_ = run.start.encoder if run.start.decoder is None else run.start.decoder
        self.history_ = run.history()

    def _divergence(self, op: str) -> str:
        history = self.history_
        stable = (
            "" if self.mode == "tied" else f", above which the infinitely wide network diverges: {self.bounds()[2]:.3g}"
        )
        return (
            f"[{op}] training must not diverge: choose a smaller learning_rate. Received {self.learning_rate_:.4g}{stable}; "
            f"the loss went from {history.loss[0]:.3g} to {history.loss[-1]:.3g} in {history.steps} steps. "
            "history_ holds the losses."
        )

    # ------------------------------------------------------------------ the trained network

    def reconstruct(self, X: Any) -> np.ndarray:
        """Return the outputs of the trained network, shape (n, d)."""
        return self._weights().outputs(self._rows(X, "Autoencoder.reconstruct"))

    def predict(self, X: Any) -> np.ndarray:
        """Return what `reconstruct` does, under scikit-learn's name."""
        return self._weights().outputs(self._rows(X, "Autoencoder.predict"))

    def transform(self, X: Any) -> np.ndarray:
        """Return the hidden activations ``relu(X W)``, shape (n, width)."""
        return self._weights().hidden(self._rows(X, "Autoencoder.transform"))

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean of ``||u(x) - x||^2 / 2`` over the rows of X."""
        X = self._rows(X, "Autoencoder.score")
        return -0.5 * float(np.mean(np.sum((self._weights().outputs(X) - X) ** 2, axis=1)))

    def gradients(self, X: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of the loss by `encoder_` and `decoder_`, each of shape (width, d).

        For tied weights both are the derivative by the one matrix. `X`: rows to reconstruct, by default `inputs_`.
        """
        self._fitted("Autoencoder.gradients")
        X = self.inputs_ if X is None else self._rows(X, "Autoencoder.gradients")
        before, after = self._weights(), self._weights().copy()
        # One step of gradient descent of size 1 is the gradient, in the code that trains.
        after.call("autoencoder_train", X, after.scale, True, False, 1.0, 0.5, np.zeros(2), np.zeros(2))
        encoder = before.encoder - after.encoder
        if before.decoder is None or after.decoder is None:
            return encoder, encoder
        return encoder, before.decoder - after.decoder

    def kernel(self, X: Any = None, *, layers: str | None = None, initial: bool = False) -> np.ndarray:
        """Return the empirical tangent kernel of the outputs, shape (n d, n d).

        Row ``i d + a`` belongs to coordinate a of output i.

        Parameters
        ----------
        X : array_like of shape (n, d), optional
            Inputs; the training inputs without it.
        layers : {"encoder", "decoder", "both"}, optional
            Whose gradients; by default those that the mode trains.
        initial : bool
            At the initial weights instead of the trained ones.
        """
        op = "Autoencoder.kernel"
        self._fitted(op)
        X = self.inputs_ if X is None else self._rows(X, op)
        return self._weights(initial).kernel(X, self._layers(layers, op))

    # ------------------------------------------------------------------ infinite width

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
        rate = getattr(self, "learning_rate_", None) or self._rate(X, self._scale_for(X, op), op)
        return theory.bounds(lowest, highest, rate, self.optimizer == "flow")

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
        spread = None
        if start is not None:
            start = check_array(start, "start", dtype=np.float64, op=op)
            if start.shape != X.shape:
                raise ValueError(f"[{op}] start must have the shape {X.shape} of X. Received {start.shape}.")
        elif hasattr(self, "inputs_") and (X is self.inputs_ or _same_rows(X, self.inputs_)):
            start = self._weights(initial=True).outputs(X)
        else:
            start = np.zeros_like(X)
            spread = X.shape[1] * self._limit(X, X, _LAYERS["decoder"], self._scale_for(X, op))
        residual = start - X
        if len(matrix) != len(X):
            residual = np.ascontiguousarray(residual.reshape(-1, 1))
            if spread is not None:
                spread = np.kron(spread / X.shape[1], np.eye(X.shape[1]))
        rate = getattr(self, "learning_rate_", None) or self._rate(X, self._scale_for(X, op), op)
        return theory.loss_curve(matrix, residual, spread, rate, self.optimizer == "flow", steps)

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
        return theory.trained_function(X, new, _TRAINED[self.mode], op)

    # ------------------------------------------------------------------ arguments

    def _fitted(self, op: str) -> None:
        if not hasattr(self, "inputs_"):
            raise AttributeError(f"[{op}] needs a fitted Autoencoder. Call fit(X) first (steps=0 trains nothing).")

    def _weights(self, initial: bool = False) -> Weights:
        self._fitted("Autoencoder")
        encoder = self.initial_encoder_ if initial else self.encoder_
        decoder = self.initial_decoder_ if initial else self.decoder_
        return Weights(encoder, None if decoder is encoder else decoder, self.scale_)

    def _rows(self, X: Any, op: str) -> np.ndarray:
        """Rows of any norm, as wide as the training inputs."""
        self._fitted(op)
        X = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
        self._same_width(X, "X", self.n_features_in_, op)
        return X

    def _same_width(self, X: np.ndarray, name: str, d: int, op: str) -> None:
        if X.shape[1] != d:
            raise ValueError(f"[{op}] {name} must have {d} columns, as the other inputs. Received shape {X.shape}.")

    def _inputs(self, X: Any, op: str) -> np.ndarray:
        """Unit rows: those given, or those of the fit."""
        if X is not None:
            return unit_rows(X, bool(self.normalize), op)
        self._fitted(op)
        return self.inputs_

    def _layers(self, layers: str | None, op: str) -> int:
        if layers is None:
            return _TRAINED[self.mode]
        if layers not in _LAYERS:
            raise ValueError(f"[{op}] layers must be one of {', '.join(_LAYERS)}. Received {layers!r}.")
        if self.mode == "tied" and layers != "both":
            raise ValueError(f"[{op}] tied weights are one layer: ask for both. Received {layers!r}.")
        return _LAYERS[layers]

    def _scale_for(self, X: np.ndarray, op: str) -> float:
        return self._scale(integer(self.width, op, "width", minimum=1), X.shape[1], op)

    def _limit(self, X: np.ndarray, X2: np.ndarray, layers: int, scale: float) -> np.ndarray:
        strength = integer(self.width, "Autoencoder", "width", minimum=1) * scale**2
        limit = theory.tied_limit(X, X2) if self.mode == "tied" else theory.limits(X, X2, layers)
        limit *= strength
        return limit

    def _matrix(self, X: Any, kernel: str, op: str) -> tuple[np.ndarray, np.ndarray]:
        """Unit rows and the symmetric kernel that is meant."""
        self._check_choices(op)
        X = self._inputs(X, op)
        if kernel == "limit":
            return X, self._limit(X, X, _TRAINED[self.mode], self._scale_for(X, op))
        if kernel != "empirical":
            raise ValueError(f'[{op}] kernel must be "limit" or "empirical". Received {kernel!r}.')
        self._fitted(op)
        self._same_width(X, "X", self.n_features_in_, op)
        return X, self._weights(initial=True).kernel(X, _TRAINED[self.mode])
