"""Networks as layers: what neural-tangents calls `stax`, layer by layer.

A network is a small immutable tree of layers that unpacks into ``init_fn, apply_fn, kernel_fn``; `kernel_fn`
computes the NNGP and NTK kernels of the infinitely wide network, the other two make and run finite ones.

>>> import numpy as np
>>> from ntkswift import stax
>>> init_fn, apply_fn, kernel_fn = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1))
>>> x = np.random.default_rng(0).standard_normal((5, 3))
>>> kernel_fn(x, None, "ntk").shape
(5, 5)
"""

from . import _absent, _nonlinearities
from ._activations import activation
from ._base import Layer
from ._branching import FanInConcat, FanInProd, FanInSum, FanOut
from ._combinators import parallel, repeat, serial
from ._kernel_plan import KernelPlan
from ._linear import Dense, Dropout, Flatten, Identity, LayerNorm
from ._nonlinearities import *  # noqa: F403
from ._nonlinearity import Nonlinearity
from ._residual import ResidualBlock
from ._spatial import AvgPool, BatchNorm, Conv, GlobalAvgPool, GlobalSumPool, SumPool
from ._user_functions import Elementwise, ElementwiseNumerical

# isort: split

# For the other packages of ntkswift: no part of what `stax` offers to its users.
from ._combinators import Parallel as Parallel
from ._combinators import Repeat as Repeat
from ._combinators import Serial as Serial
from ._core_network import FiniteNetwork as FiniteNetwork
from ._core_network import finite_network as finite_network
from ._kernel_function import KernelFunction as KernelFunction
from ._nonlinearity import as_entry as as_entry
from ._op_table import op_table as op_table
from ._residual import resntk as resntk

__all__ = [
    "AvgPool",
    "BatchNorm",
    "Conv",
    "Dense",
    "Dropout",
    "Elementwise",
    "ElementwiseNumerical",
    "FanInConcat",
    "FanInProd",
    "FanInSum",
    "FanOut",
    "Flatten",
    "GlobalAvgPool",
    "GlobalSumPool",
    "Identity",
    "KernelPlan",
    "Layer",
    "LayerNorm",
    "Nonlinearity",
    "ResidualBlock",
    "SumPool",
    "activation",
    "parallel",
    "repeat",
    "serial",
]
__all__ += _nonlinearities.__all__


def __getattr__(name: str) -> object:
    raise AttributeError(_absent.absent(name, __all__))
