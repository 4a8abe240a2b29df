"""One training run of an autoencoder: the core trains in stretches, between which movements are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._call import Resources
from .._norm import euclidean_norm
from .._runs import Loop
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

    def call(self, name: str, X: np.ndarray, *arguments: Any, resources: Resources | None = None) -> Any:
        """`_core.<name>(X, encoder, decoder, ...)`."""
        resources = resources or Resources()
        return resources.run(name, name.replace("_", " "), X, self.encoder, self.decoder, *arguments)

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Outputs of the network, shape (n, d)."""
        return self.call("autoencoder_outputs", X, self.scale, True, False)[0]

    def hidden(self, X: np.ndarray) -> np.ndarray:
        """Hidden activations, shape (n, width)."""
        return self.call("autoencoder_outputs", X, self.scale, False, True)[1]

    def kernel(self, X: np.ndarray, layers: int) -> np.ndarray:
        """Empirical kernel, shape (n d, n d); layers: 1 encoder, 2 decoder, 3 both."""
        return self.call("autoencoder_kernel", X, self.scale, layers)


class Run(Loop):
    """Trains `weights` in place, and measures at `record` + 1 steps how far they moved."""

    def __init__(
        self, op: str, X: np.ndarray, weights: Weights, layers: int, *, learning_rate: float, steps: int, is_flow: bool,
        tolerance: float, record: int, tracks_kernel: bool,
    ) -> None:  # fmt: skip
        super().__init__(op, steps, Resources(), knows_end=True)
        self.X, self.weights, self.layers, self.learning_rate = X, weights, layers, learning_rate
        self.is_flow, self.tolerance, self.tracks_kernel = is_flow, tolerance, tracks_kernel
        self.stops = np.unique(np.linspace(0, steps, record + 1).round().astype(int))
        self.start = weights.copy()
        self.output_norm = float(np.sqrt(np.mean(np.sum(weights.outputs(X) ** 2, axis=1))))
        self.start_kernel = weights.kernel(X, layers) if tracks_kernel else None
        self.rows: list[tuple[float, ...]] = []

    def next_pause(self) -> int:
        later = self.stops[self.stops > self.step]
        return min(super().next_pause(), *later[:1].tolist()) if len(later) else 0

    def advance(self, length: int, record: np.ndarray, done: np.ndarray, resources: Resources) -> None:
        self.weights.call(
            "autoencoder_train", self.X, self.weights.scale, bool(self.layers & 2), self.is_flow, self.learning_rate,
            self.tolerance, length, record, done, resources=resources,
        )  # fmt: skip

    def pause(self) -> None:
        """Measure how far the weights moved, once at each stop."""
        if self.step not in self.stops or (self.rows and self.rows[-1][0] == self.step):
            return
        moved = self.weights.call("autoencoder_movement", self.X, self.start.encoder, self.start.decoder)
        kernel: tuple[float, ...] = ()
        if self.start_kernel is not None:
            change = self.weights.kernel(self.X, self.layers) - self.start_kernel
            kernel = (euclidean_norm(change) / euclidean_norm(self.start_kernel),)
        self.rows.append((self.step, *moved, *kernel))

    def history(self) -> AutoencoderHistory:
        table = np.array(self.rows).reshape(len(self.rows), 5 + self.tracks_kernel)
        columns = self.columns()
        return AutoencoderHistory(
            **{**columns, "time": self.learning_rate * np.arange(len(columns["loss"]))},
            recorded=table[:, 0].astype(int),
            encoder_movement=table[:, 1],
            decoder_movement=table[:, 2],
            largest_neuron_movement=table[:, 3],
            flipped=table[:, 4],
            kernel_movement=table[:, 5] if self.tracks_kernel else None,
            initial_output_norm=self.output_norm,
            clock="time",
        )
