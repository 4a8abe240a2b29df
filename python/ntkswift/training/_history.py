"""What was recorded while a network was trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._runs import History


@dataclass(repr=False)
class NetworkHistory(History):
    """One run of `train`: a `History`, with what was measured on the way, and the parameters at the end.

    `recorded` has the steps after which the validation data were evaluated; the `clock` counts steps, time for gradient flow.

    Attributes
    ----------
    gradient_norm : ndarray or None
        The Euclidean norm of each step's gradient, where asked for.
    validation_loss, validation_accuracy : ndarray
        What was found on the validation data after the `recorded` steps.
    params : nested tuples
        The parameters at the end.
    """

    gradient_norm: np.ndarray | None = None
    validation_loss: np.ndarray = field(default_factory=lambda: np.zeros(0))
    validation_accuracy: np.ndarray = field(default_factory=lambda: np.zeros(0))
    params: Any = None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The classes by their numbers, where the labels were strings; else None."""
        named = self.settings.get("classes")
        return None if named is None else tuple(named)
