"""How networks of finite width are trained, beside what infinite width predicts for them.

`Autoencoder`: two-layer ReLU autoencoders with one or both layers trained, or tied weights.
"""

from __future__ import annotations

from ._autoencoder import Autoencoder
from ._autoencoder_history import AutoencoderHistory
from ._autoencoder_theory import KernelBounds

__all__ = ["Autoencoder", "AutoencoderHistory", "KernelBounds"]
