"""How the kernel of a finite network moves: the neural tangent hierarchy, and the kernel that training has adapted to the data.

`tangent_hierarchy` gives the kernels K2 (the empirical NTK), K3 and K4 of a network with smooth nonlinearities and predicts
its training from them; `kernel_velocity` is the motion of the NTK without any tensor; `gradient_flow` is the true path.
`AdaptiveKernel` is the kernel of a network at any moment of training.

>>> import numpy as np
>>> from ntkswift import hierarchy, stax
>>> network = stax.serial(stax.Dense(32), stax.Tanh(), stax.Dense(1))
>>> x, y = np.eye(3), np.array([1.0, -1.0, 0.5])
>>> _, params = network.init_fn(0, x.shape)
>>> kernels = hierarchy.tangent_hierarchy(network, params, x)
>>> kernels.k4.shape
(3, 3, 3, 3)
>>> path = kernels.predict(y, [0.5, 1.0], order=4)
>>> truth = hierarchy.gradient_flow(network, params, x, y, [0.5, 1.0])
>>> bool(np.abs(path.outputs - truth.outputs).max() < 1e-3)
True
"""

from ._adaptive import AdaptiveKernel, KernelRegression, ResidualParts, balance
from ._kernels import TangentHierarchy, kernel_velocity, loss_kernel_velocity, tangent_hierarchy
from ._path import FlowPath, gradient_flow
from ._truncated import HierarchyPath, truncated_hierarchy

__all__ = [
    "AdaptiveKernel",
    "FlowPath",
    "HierarchyPath",
    "KernelRegression",
    "ResidualParts",
    "TangentHierarchy",
    "balance",
    "gradient_flow",
    "kernel_velocity",
    "loss_kernel_velocity",
    "tangent_hierarchy",
    "truncated_hierarchy",
]
