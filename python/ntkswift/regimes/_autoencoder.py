"""Two-layer ReLU autoencoders: trained at finite width, and what infinite width predicts for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._call import Progress, takes_resources
from .._checks import integer, real
from .._errors import DivergenceError
from ._autoencoder_history import AutoencoderHistory
from ._autoencoder_infinite import InfiniteWidth
from ._autoencoder_inputs import unit_rows, warn_of_parallel_rows
from ._autoencoder_settings import TRAINED
from ._autoencoder_training import Run


class Autoencoder(InfiniteWidth):
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
        opposite decoder: outputs start at 0 (to rounding), with the same kernel limit. The encoder starts from N(0, 1).
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
        Losses and movements. Ctrl-C ends `fit` after a whole step, and `history_.interrupted` says so.
    learning_rate_, scale_ : float
        What "auto" and the scaling came to.
    inputs_ : ndarray of shape (n, d)
        The training inputs, with rows of norm 1.

    Raises
    ------
    DivergenceError
        From `fit`, where training diverges. Its `history`, which is also `history_`, holds what came before.
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

    history_: AutoencoderHistory

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

    @takes_resources()
    def fit(
        self, X: Any, y: Any = None, *, memory_limit: int | None = None, progress: Progress | None = None
    ) -> Autoencoder:
        """Draw the weights and train them to reconstruct the rows of X; `y` is ignored.

        Parameters
        ----------
        X : array_like of shape (n, d)
            Inputs with rows of norm 1 (or any with `normalize`), no two of them parallel.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.

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
            op,
            X,
            start.copy(),
            TRAINED[self.mode],
            learning_rate=self._rate(X, start.scale, op),
            steps=integer(self.steps, op, "steps", minimum=0),
            is_flow=self.optimizer == "flow",
            tolerance=real(self.tolerance, op, "tolerance", above=0, maximum=1),
            record=integer(self.record, op, "record", minimum=1),
            tracks_kernel=bool(self.track_kernel),
        )
        try:
            run.run()
        except DivergenceError as error:
            self._keep(run)
            raise DivergenceError(f"{error}{self._stable_rate()}", error.history) from None
        self._keep(run)
        return self

    def _keep(self, run: Run) -> None:
        self.inputs_ = run.X
        self.n_features_in_ = run.X.shape[1]
        self.scale_ = run.weights.scale
        self.learning_rate_ = run.learning_rate
        self.encoder_ = run.weights.encoder
        self.decoder_ = run.weights.encoder if run.weights.decoder is None else run.weights.decoder
        self.initial_encoder_ = run.start.encoder
        self.initial_decoder_ = run.start.encoder if run.start.decoder is None else run.start.decoder
        self.history_ = run.history()

    def _stable_rate(self) -> str:
        if self.mode == "tied":
            return ""
        return f" The infinitely wide network diverges above a learning_rate of {self.bounds()[2]:.3g}."

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
        after.call("autoencoder_train", X, after.scale, True, False, 1.0, 0.5, 1, np.zeros((3, 2)), np.zeros(4))
        encoder = before.encoder - after.encoder
        if before.decoder is None or after.decoder is None:
            return encoder, encoder
        return encoder, before.decoder - after.decoder

    @takes_resources()
    def kernel(
        self,
        X: Any = None,
        *,
        layers: str | None = None,
        initial: bool = False,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
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
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.
        """
        op = "Autoencoder.kernel"
        self._fitted(op)
        X = self.inputs_ if X is None else self._rows(X, op)
        return self._weights(initial).kernel(X, self._layers(layers, op))
