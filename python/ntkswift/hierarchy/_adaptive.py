"""The kernel that a network has at any moment of its training (Dou and Liang, arXiv:1901.07114)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _checks
from .._arrays import check_array
from .._call import Progress, call, double, takes_resources
from .._kernel_matrix import factor
from .._networks import layer_of, network_for
from ..empirical import empirical_ntk_fn
from ..stax import Dense, Serial

_KERNELS = ("last_layer", "full")


@dataclass(frozen=True)
class ResidualParts:
    """Where a residual is, relative to the features that a kernel spans at the training inputs.

    Attributes
    ----------
    inside, outside : float
        Norms of the residual's part in the range of the kernel matrix and of that orthogonal to it; their squares add
        up to that of the residual.
    rank : int
        Dimension of the range.
    """

    inside: float
    outside: float
    rank: int


class KernelRegression:
    """Ridge regression with an adaptive kernel; call it with inputs. See `AdaptiveKernel.regression`.

    Attributes
    ----------
    coefficients : ndarray of shape (n, outputs)
        (H + n ridge I)^-1 y.
    """

    def __init__(self, kernel: AdaptiveKernel, which: str, x: np.ndarray, coefficients: np.ndarray) -> None:
        self._kernel, self._which, self._x = kernel, which, x
        self.coefficients = coefficients

    @takes_resources(phases=2)
    def __call__(self, x: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """Return predictions at inputs x, of shape (m, outputs)."""
        result: np.ndarray = call(
            "multiply", "regression", double(self._kernel(x, self._x, self._which)), self.coefficients
        )
        return result


class AdaptiveKernel:
    """The kernel of a network with given parameters, at initialisation, during or after training.

    Two of them: H, the products of the derivatives by the last layer's weights, which are its features; and K, the whole
    empirical NTK, ``K = H +`` the share of the layers before. For ``f(x) = sum_j w_j relu(<u_j, x>)`` they are
    ``H = sum_j relu(u_j x) relu(u_j x')`` and ``K = H + sum_j w_j^2 1(u_j x > 0) 1(u_j x' > 0) <x, x'>``
    (arXiv:1901.07114).

    Where the last layer is stationary on ``0.5 mean (f - y)^2 + ridge/2 |w|^2``, the network *is* kernel ridge
    regression with its own H, ``f(x) = H(x, X) (H + n ridge I)^-1 y``, however the other layers came about (one output);
    and without weight decay the residual is orthogonal to the range of H, and where all layers are stationary, to that
    of K.

    Parameters
    ----------
    network : ApplyFunction or Layer
        A network that ends in `stax.Dense`.
    params : nested tuples
        Its parameters.

    Raises
    ------
    ValueError
        Where the network does not end in a trainable Dense layer.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax
    >>> from ntkswift.hierarchy import AdaptiveKernel
    >>> network = stax.serial(stax.Dense(64), stax.Relu(), stax.Dense(1))
    >>> x = np.eye(3)
    >>> _, params = network.init_fn(0, x.shape)
    >>> kernel = AdaptiveKernel(network, params)
    >>> bool(np.allclose(kernel(x), kernel.features(x) @ kernel.features(x).T))
    True
    >>> regression = kernel.regression(x, [1.0, -1.0, 0.5], ridge=0.1)
    >>> regression(x).shape
    (3, 1)
    """

    def __init__(self, network: Any, params: Any) -> None:
        self._layer = layer_of(network, "AdaptiveKernel")
        self._params = params
        self._head, self._head_params, self._last = _split(self._layer, params)
        self._whole = empirical_ntk_fn(self._layer)

    @takes_resources()
    def __call__(
        self,
        x1: Any,
        x2: Any = None,
        which: str = "last_layer",
        *,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Return the kernel between the rows of x1 and those of x2 (None: x1), of shape (n1, n2).

        Parameters
        ----------
        x1, x2 : array_like
            Inputs.
        which : {"last_layer", "full"}
            H or K. With several outputs, the mean of their kernels.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.
        """
        if _checks.choice(which, "AdaptiveKernel", "which", _KERNELS) == "full":
            return self._whole(x1, x2, self._params)
        left = self.features(x1)
        right = left if x2 is None else self.features(x2)
        product: np.ndarray = call("multiply", "AdaptiveKernel", left, double(right.T))
        return product

    @takes_resources()
    def features(self, x: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """Return the derivatives of an output by the weights and bias that lead to it, of shape (n, features)."""
        inputs = self._inputs(x, "AdaptiveKernel")
        received = inputs if self._head is None else self._head.apply_fn(self._head_params, inputs)
        last, width = self._last, received.shape[-1]
        standard = last.parameterization == "standard"
        scaled = received * (1 / np.sqrt(last.s[0]) if standard else last.W_std / np.sqrt(width))
        if last.b_std is None:
            return double(scaled)
        return double(np.concatenate([scaled, np.full((len(scaled), 1), 1.0 if standard else last.b_std)], axis=1))

    def _inputs(self, x: Any, op: str) -> np.ndarray:
        """Inputs of the network, in their own shape."""
        network, rows = network_for(self._layer, x, op, "x")
        network.vector(self._params)  # refuses parameters that do not belong to the network
        return rows.reshape(len(rows), *network.shape)

    @takes_resources(phases=3)
    def regression(
        self,
        x: Any,
        y: Any,
        ridge: float,
        which: str = "last_layer",
        *,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> KernelRegression:
        """Kernel ridge regression with this kernel: ``k(., X) (k(X, X) + n ridge I)^-1 y``.

        Parameters
        ----------
        x, y : array_like of shapes (n, ...) and (n,) or (n, outputs)
            Training data.
        ridge : float
            The weight decay of a loss ``0.5 mean (f - y)^2 + ridge/2 |w|^2``; towards 0 it is ridgeless regression.
        which : {"last_layer", "full"}
            The kernel.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.
        """
        op = "regression"
        inputs = self._inputs(x, op)
        targets = _targets(y, len(inputs), op)
        amount = float(check_array(ridge, "ridge", ndim=0, dtype=np.float64, op=op))
        if amount < 0:
            raise ValueError(f"[{op}] ridge must be at least 0. Received {ridge!r}.")
        gram = double(self(inputs, None, which))
        solved = call("solve", op, factor(gram, len(inputs) * amount, True, op), targets, 0)
        return KernelRegression(self, which, inputs, solved)

    @takes_resources(phases=3)
    def residual_parts(
        self,
        x: Any,
        y: Any,
        which: str = "last_layer",
        *,
        tolerance: float = 1e-10,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> ResidualParts:
        """Split the residual ``y - f(X)`` into what the kernel's features reach and what they do not.

        Parameters
        ----------
        x, y : array_like
            Training data of a network with one output.
        which : {"last_layer", "full"}
            The kernel.
        tolerance : float
            Eigenvalues below this share of the largest do not count for the range.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.
        """
        op = "residual_parts"
        inputs = self._inputs(x, op)
        targets = _targets(y, len(inputs), op)
        outputs = self._layer.apply_fn(self._params, inputs)
        if outputs.shape != targets.shape:
            raise ValueError(f"[{op}] y must have shape {outputs.shape}, as the outputs. Received {targets.shape}.")
        values, vectors = call("eigh", op, double(self(inputs, None, which)), 0.0)
        spanned = values > _checks.real(tolerance, op, "tolerance", minimum=0) * values[-1]
        parts = call("multiply", op, vectors, double(targets - outputs))
        return ResidualParts(
            float(np.linalg.norm(parts[spanned])), float(np.linalg.norm(parts[~spanned])), int(spanned.sum())
        )


def balance(network: Any, params: Any) -> np.ndarray:
    """Per hidden unit of a two-layer network, ``w_j^2 - |u_j|^2`` with its outgoing weight w and incoming weights u.

    Gradient flow of ReLU networks conserves it (arXiv:1901.07114; the network is homogeneous in both); under weight decay
    lambda it shrinks like exp(-2 lambda t). A bias of the hidden layer counts as one of the incoming weights.

    Parameters
    ----------
    network : ApplyFunction or Layer
        ``serial(Dense, Relu, Dense)``; several outputs count with the sum of their squared weights.
    params : nested tuples
        Its parameters.

    Returns
    -------
    ndarray of shape (width,)

    Examples
    --------
    >>> from ntkswift import stax
    >>> from ntkswift.hierarchy import balance
    >>> network = stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1))
    >>> _, params = network.init_fn(0, (1, 3))
    >>> balance(network, params).shape
    (4,)
    """
    layer = layer_of(network, "balance")
    layers = layer.layers if isinstance(layer, Serial) else ()
    if len(layers) != 3 or not isinstance(layers[0], Dense) or not isinstance(layers[2], Dense):
        raise ValueError(f"[balance] network must be serial(Dense, nonlinearity, Dense). Received {layer!r}.")
    (inner, bias), _, (outer, _) = params
    incoming = np.square(np.asarray(inner, np.float64)).sum(axis=0)
    if bias is not None:
        incoming = incoming + np.square(np.asarray(bias, np.float64)).reshape(-1)
    return np.asarray(np.square(np.asarray(outer, np.float64)).sum(axis=1) - incoming)


def _split(layer: Any, params: Any) -> tuple[Any, Any, Dense]:
    """The layers before the last one (None: there are none), their parameters, and the last one."""
    if isinstance(layer, Dense) and layer.trainable:
        return None, (), layer
    if not isinstance(layer, Serial) or not layer.layers or not isinstance(layer.layers[-1], (Dense, Serial)):
        raise ValueError(f"[AdaptiveKernel] network must end in a trainable Dense layer. Received {layer!r}.")
    if not isinstance(params, (tuple, list)) or len(params) != len(layer.layers):
        raise ValueError(
            f"[AdaptiveKernel] params must be a tuple with one entry for each of {len(layer.layers)} layers. "
            f"Received {type(params).__name__}."
        )
    head, head_params, last = _split(layer.layers[-1], params[-1])
    before, own = layer.layers[:-1], tuple(params[:-1])
    if head is None:
        return (Serial(before), own, last) if before else (None, (), last)
    return Serial((*before, head)), (*own, head_params), last


def _targets(y: Any, count: int, op: str) -> np.ndarray:
    targets = check_array(y, "y", ndim=(1, 2), dtype=np.float64, op=op)
    if len(targets) != count:
        raise ValueError(f"[{op}] y must have {count} rows, one per input. Received an array of shape {targets.shape}.")
    return double(targets.reshape(count, -1))
