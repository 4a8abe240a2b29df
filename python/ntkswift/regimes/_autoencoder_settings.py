"""What an autoencoder's parameters and arguments come to: checks, initial weights, scale, step size."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import check_array
from .._call import call
from .._checks import choice, integer, real
from .._config import get_memory_limit
from .._random import generator
from . import _autoencoder_theory as theory
from ._autoencoder_inputs import unit_rows
from ._autoencoder_training import Weights
from ._parameters import Parameters

# Whose gradients make up a kernel, and what each mode trains; the numbers of the core.
LAYERS = {"encoder": 1, "decoder": 2, "both": 3}
TRAINED = {"weak": 1, "joint": 3, "tied": 3}


class AutoencoderSettings(Parameters):
    """Parameters and fitted attributes of :class:`Autoencoder`, and how they are checked."""

    width: int
    mode: str
    scaling: str | float
    decoder_init: str
    learning_rate: float | str
    steps: int
    optimizer: str
    tolerance: float
    record: int
    track_kernel: bool
    normalize: bool
    random_state: Any
    encoder_: np.ndarray
    decoder_: np.ndarray
    initial_encoder_: np.ndarray
    initial_decoder_: np.ndarray
    inputs_: np.ndarray
    scale_: float
    learning_rate_: float
    n_features_in_: int

    # ------------------------------------------------------------------ parameters

    def _check_choices(self, op: str) -> None:
        choices = {
            "mode": tuple(TRAINED),
            "decoder_init": ("rademacher", "gaussian", "mirrored"),
            "optimizer": ("gd", "flow"),
        }
        for name, allowed in choices.items():
            choice(getattr(self, name), op, name, allowed)

    def _width(self, op: str) -> int:
        return integer(self.width, op, "width", minimum=1)

    def _draw(self, d: int, op: str) -> Weights:
        m = self._width(op)
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
        return real(self.scaling, op, "scaling", above=0)

    def _scale_for(self, X: np.ndarray, op: str) -> float:
        return self._scale(self._width(op), X.shape[1], op)

    def _rate(self, X: np.ndarray, scale: float, op: str) -> float:
        if not isinstance(self.learning_rate, str):
            return real(self.learning_rate, op, "learning_rate", above=0)
        if self.learning_rate != "auto":
            raise ValueError(f'[{op}] learning_rate must be a number or "auto". Received {self.learning_rate!r}.')
        return 1 / call("largest_eigenvalue", "learning rate", self._limit(X, X, TRAINED[self.mode], scale))

    def _layers(self, layers: str | None, op: str) -> int:
        if layers is None:
            return TRAINED[self.mode]
        choice(layers, op, "layers", LAYERS)
        if self.mode == "tied" and layers != "both":
            raise ValueError(f"[{op}] tied weights are one layer: ask for both. Received {layers!r}.")
        return LAYERS[layers]

    def _limit(self, X: np.ndarray, X2: np.ndarray, layers: int, scale: float) -> np.ndarray:
        strength = self._width("Autoencoder") * scale**2
        limit = theory.tied_limit(X, X2) if self.mode == "tied" else theory.limits(X, X2, layers)
        limit *= strength
        return limit

    # ------------------------------------------------------------------ arguments and fitted weights

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "inputs_")

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
