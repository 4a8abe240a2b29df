"""The kernels as a covariance function for scikit-learn's Gaussian processes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from .._arrays import check_array
from .._call import Resources
from .._checks import choice
from .._pickling import VersionedState
from ._network import KERNELS, network_of


class NTKKernel(VersionedState, Kernel):
    """NNGP or NTK of an infinitely wide network as a kernel of `sklearn.gaussian_process`, with analytic gradients.

    It combines with other kernels (``NTKKernel() + WhiteKernel()``); `W_std` and `b_std`, shared by all layers, are
    optimised on a logarithmic scale.

    Parameters
    ----------
    W_std, b_std : float
        Standard deviations of weights and biases, positive; of the network that is built from `depth` and `activation`.
    W_std_bounds, b_std_bounds : pair of float or "fixed"
        Bounds for the optimiser.
    depth : int
        Hidden layers.
    activation : str or stax layer
        Their nonlinearity.
    kernel : {"nngp", "ntk"}
        Which kernel.
    network : stax network, optional
        Any network instead; it has no hyper-parameters then.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.estimators import NTKKernel
    >>> NTKKernel(depth=2)(np.eye(3)).shape
    (3, 3)
    """

    def __init__(
        self,
        W_std: float = 2.0**0.5,
        b_std: float = 0.1,
        W_std_bounds: Any = (1e-1, 1e1),
        b_std_bounds: Any = (1e-3, 1e1),
        depth: int = 3,
        activation: Any = "relu",
        kernel: str = "nngp",
        network: Any = None,
    ) -> None:
        self.W_std = W_std
        self.b_std = b_std
        self.W_std_bounds = W_std_bounds
        self.b_std_bounds = b_std_bounds
        self.depth = depth
        self.activation = activation
        self.kernel = kernel
        self.network = network

    @property
    def hyperparameter_W_std(self) -> Hyperparameter:
        """`W_std` as the optimiser sees it."""
        return Hyperparameter("W_std", "numeric", self._bounds(self.W_std_bounds))

    @property
    def hyperparameter_b_std(self) -> Hyperparameter:
        """`b_std` as the optimiser sees it."""
        return Hyperparameter("b_std", "numeric", self._bounds(self.b_std_bounds))

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """The kernel between the rows of `X` and `Y` (None: `X`), and its gradient by the logarithms of the free
        hyper-parameters.

        Returns
        -------
        K : ndarray of shape (n_X, n_Y)
        K_gradient : ndarray of shape (n_X, n_X, n_hyperparameters)
            If `eval_gradient`; `Y` must be None then.
        """
        if eval_gradient and Y is not None:
            raise ValueError("[NTKKernel] the gradient is that of kernel(X). Received Y as well.")
        own_network, name = self._network(), choice(self.kernel, "NTKKernel", "kernel", KERNELS)
        X = check_array(X, "X", dtype=np.float64, op="NTKKernel")
        K = own_network.kernel_fn(X, None if Y is None else check_array(Y, "Y", dtype=np.float64, op="NTKKernel"), name)
        return (K, self._gradient(own_network, name, X)) if eval_gradient else K

    def diag(self, X: Any) -> np.ndarray:
        """The kernel of each row with itself, of shape (n_X,)."""
        own_network, name = self._network(), choice(self.kernel, "NTKKernel", "kernel", KERNELS)
        X = check_array(X, "X", dtype=np.float64, op="NTKKernel")
        return own_network.kernel_fn._diagonal(X, name, Resources())

    def is_stationary(self) -> bool:
        """False: the kernel depends on more than the difference of its arguments."""
        return False

    def __repr__(self) -> str:
        inside = (
            f"network={self.network!r}"
            if self.network is not None
            else f"W_std={self.W_std:.3g}, b_std={self.b_std:.3g}, depth={self.depth}, activation={self.activation!r}"
        )
        return f"NTKKernel({inside}, kernel={self.kernel!r})"

    def _network(self) -> Any:
        return network_of(self.network, self.depth, self.activation, self.W_std, self.b_std, owner="NTKKernel")

    def _bounds(self, bounds: Any) -> Any:
        return bounds if self.network is None else "fixed"

    def _gradient(self, own_network: Any, name: str, X: np.ndarray) -> np.ndarray:
        columns = []
        for hyperparameter, value in (("W_std", self.W_std), ("b_std", self.b_std)):
            if getattr(self, f"hyperparameter_{hyperparameter}").fixed:
                continue
            # d/d(log p) = p d/dp, with every Dense layer changed alike.
            change = np.full(self.depth + 1, float(value))
            none = np.zeros_like(change)
            dense_W, dense_b = (change, none) if hyperparameter == "W_std" else (none, change)
            tangent = Resources().run(
                "kernel_tangent",
                "gradient",
                own_network._compiled,
                X,
                None,
                dense_W,
                dense_b,
                name == "nngp",
                name == "ntk",
            )
            columns.append(tangent[name])
        return np.stack(columns, axis=2) if columns else np.empty((len(X), len(X), 0))
