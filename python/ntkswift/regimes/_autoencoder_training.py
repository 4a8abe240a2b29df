"""One training run of an autoencoder: the core trains in stretches, between which movements are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._call import Resources
from .._norm import euclidean_norm
from .._progress import progress_bar
from ._autoencoder_history import AutoencoderHistory


@dataclass
class Weights:
    """Encoder and decoder (None: tied to the encoder), float64 of shape (width, d) each, and the output scale."""

    encoder: np.ndarray
    decoder: np.ndarray | None
    scale: float

    def copy(self) -> Weights:
        """Weights that share no memory with these."""
        return Weights(self.encoder.copy(), None if self.decoder is None else self.decoder.copy(), self.scale)

    def call(self, name: str, X: np.ndarray, *arguments: Any, progress: Any = None) -> Any:
        """`_core.<name>(X, encoder, decoder, ...)`."""
        return Resources(progress=progress).run(name, name.replace("_", " "), X, self.encoder, self.decoder, *arguments)

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Outputs of the network, shape (n, d)."""
        return self.call("autoencoder_outputs", X, self.scale, True, False)[0]

    def hidden(self, X: np.ndarray) -> np.ndarray:
        """Hidden activations, shape (n, width)."""
        return self.call("autoencoder_outputs", X, self.scale, False, True)[1]

    def kernel(self, X: np.ndarray, layers: int) -> np.ndarray:
        """Empirical kernel, shape (n d, n d); layers: 1 encoder, 2 decoder, 3 both."""
        return self.call("autoencoder_kernel", X, self.scale, layers)


@dataclass
class Run:
    """Trains `weights` in place; `history()` is right at any moment, also after an exception."""

    X: np.ndarray
    weights: Weights
    layers: int
    learning_rate: float
    steps: int
    is_flow: bool
    tolerance: float
    record: int
    tracks_kernel: bool
    rows: list[tuple[float, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = self.weights.copy()
        self.loss = np.full(self.steps + 1, np.nan)
        self.done = 0
        self.diverged = self.interrupted = False
        self.output_norm = float(np.sqrt(np.mean(np.sum(self.weights.outputs(self.X) ** 2, axis=1))))
        self.start_kernel = self.weights.kernel(self.X, self.layers) if self.tracks_kernel else None

    def run(self) -> None:
        """Train to the end, or to divergence; KeyboardInterrupt passes through, with whole steps done."""
        stops = np.unique(np.linspace(0, self.steps, self.record + 1).round().astype(int))
        with progress_bar("autoencoder") as bar:
            try:
                self._measure()
                if self.steps == 0:
                    self._train(0, bar)
                for stop in stops[1:]:
                    self._train(int(stop), bar)
                    self._measure()
                    if self.diverged:
                        return
            except KeyboardInterrupt:
                self.interrupted = True
                raise

    def _train(self, stop: int, bar: Callable[[float], None] | None) -> None:
        begin, state = self.done, np.zeros(2)

        def progress(fraction: float) -> None:
            if bar is not None:
                bar((begin + fraction * (stop - begin)) / max(self.steps, 1))

        try:
            self.weights.call(
                "autoencoder_train",
                self.X,
                self.weights.scale,
                bool(self.layers & 2),
                self.is_flow,
                self.learning_rate,
                self.tolerance,
                self.loss[begin : stop + 1],
                state,
                progress=progress,
            )
        finally:
            self.done = begin + int(state[0])
            self.diverged = bool(state[1])

    def _measure(self) -> None:
        moved = self.weights.call("autoencoder_movement", self.X, self.start.encoder, self.start.decoder)
        kernel: tuple[float, ...] = ()
        if self.start_kernel is not None:
            change = self.weights.kernel(self.X, self.layers) - self.start_kernel
            kernel = (euclidean_norm(change) / euclidean_norm(self.start_kernel),)
        self.rows.append((self.done, *moved, *kernel))

    def history(self) -> AutoencoderHistory:
        """What has been recorded so far."""
        table = np.array(self.rows).reshape(len(self.rows), 5 + self.tracks_kernel)
        return AutoencoderHistory(
            loss=self.loss[: self.done + 1].copy(),
            learning_rate=self.learning_rate,
            initial_output_norm=self.output_norm,
            records=table[:, 0].astype(int),
            encoder_movement=table[:, 1],
            decoder_movement=table[:, 2],
            largest_neuron_movement=table[:, 3],
            flipped=table[:, 4],
            kernel_movement=table[:, 5] if self.tracks_kernel else None,
            diverged=self.diverged,
            interrupted=self.interrupted,
        )
