"""How networks of finite width are trained, beside what infinite width predicts for them.

`RandomFeatures`, `NeuralTangent`, `FullyTrained`: two-layer networks of which the last layer, the linearised network or
everything is trained; `two_layer` chooses by one word. `Autoencoder`: two-layer ReLU autoencoders with one or both layers
trained, or tied weights.
`Bottleneck`, `LinearBottleneck`: infinitely wide networks with one finite layer, trained in function space.
"""

from __future__ import annotations

from ._autoencoder import Autoencoder
from ._autoencoder_history import AutoencoderHistory
from ._autoencoder_theory import KernelBounds
from ._bottleneck import Bottleneck
from ._bottleneck_history import BottleneckHistory, time_to_threshold
from ._finite_bottleneck import FiniteBottleneckRun, train_finite_bottleneck
from ._input_gradient import input_gradient
from ._limits import asymptotic_risk, mean_tangent_risk
from ._linear_bottleneck import LinearBottleneck
from ._targets import QuadraticTarget, TwoGaussians, lazy_training_target
from ._three_regimes import FullyTrained, NeuralTangent, RandomFeatures, two_layer
from ._two_layer_history import TwoLayerHistory

__all__ = [
    "Autoencoder",
    "AutoencoderHistory",
    "Bottleneck",
    "BottleneckHistory",
    "FiniteBottleneckRun",
    "FullyTrained",
    "KernelBounds",
    "LinearBottleneck",
    "NeuralTangent",
    "QuadraticTarget",
    "RandomFeatures",
    "TwoGaussians",
    "TwoLayerHistory",
    "asymptotic_risk",
    "input_gradient",
    "lazy_training_target",
    "mean_tangent_risk",
    "time_to_threshold",
    "train_finite_bottleneck",
    "two_layer",
]
