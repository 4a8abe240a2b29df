"""Training of finite networks: gradient descent, momentum, Adam, gradient flow; all layers, the last one, or linearised.

>>> import numpy as np
>>> from ntkswift import stax, train
>>> network = stax.serial(stax.Dense(64), stax.Tanh(), stax.Dense(1))
>>> x = np.linspace(-1, 1, 8)[:, None]
>>> _, params = network.init_fn(0, x.shape)
>>> history = train(network, params, x, np.sin(3 * x), optimizer="gd", steps=200)
>>> bool(history.loss[-1] < 0.5 * history.loss[0])
True
"""

from .._runs import History, interrupts_raise
from ._early_stopping import EarlyStopping
from ._history import NetworkHistory
from ._optimizers import GD, SGD, Adam, Flow
from ._schedules import Constant, Cosine, Piecewise
from ._snapshot import Snapshot
from ._train import train

__all__ = [
    "GD",
    "SGD",
    "Adam",
    "Constant",
    "Cosine",
    "EarlyStopping",
    "Flow",
    "History",
    "NetworkHistory",
    "Piecewise",
    "Snapshot",
    "interrupts_raise",
    "train",
]
