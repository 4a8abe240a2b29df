"""Regression with infinitely wide networks: Gaussian-process posterior and the limit of training."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .._checks import choice
from .._pickling import VersionedState
from .._random import philox_key
from ._network import KERNELS, all_or_nothing, network_of, validated
from ._solver import Machine


class _KernelRegressor(VersionedState, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the regressors share: a zero-mean Gaussian process on targets that are centred and scaled to unit
    variance.
    """

    network: Any
    depth: int
    activation: Any
    W_std: float
    b_std: float
    ridge: float
    memory_limit: int | None
    n_jobs: int | None

    def _kernel_name(self) -> str:
        raise NotImplementedError

    def fit(self, X: Any, y: Any) -> Any:
        """Computes the kernel of the training inputs and solves for the dual coefficients.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Training inputs; computed with in float64.
        y : array_like of shape (n_samples,) or (n_samples, n_targets)
            Targets.

        Returns
        -------
        self : object
        """
        with all_or_nothing(self):
            return self._fit(*validated(self, X, y, multi_output=True, y_numeric=True))

    def _fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        owner = type(self).__name__
        self.network_ = network_of(self.network, self.depth, self.activation, self.W_std, self.b_std, owner=owner)
        targets = np.asarray(y, np.float64).reshape(len(y), -1)
        mean, scale = targets.mean(axis=0), targets.std(axis=0)
        # Constant targets: rounding of the mean must not be blown up.
        scale = np.where(scale > 10 * np.finfo(np.float64).eps * np.abs(mean), scale, 1.0)
        solution = self._machine().fit(X, (targets - mean) / scale, self.ridge)
        self.X_fit_ = X
        self.dual_coef_ = solution.dual_coef.reshape(y.shape)
        self.factor_ = solution.factor
        self.jitter_ = solution.jitter
        self.log_marginal_likelihood_value_ = solution.log_likelihood
        self.y_mean_ = mean.reshape(y.shape[1:])
        self.y_scale_ = scale.reshape(y.shape[1:])
        return self

    def predict(self, X: Any, return_std: bool = False, return_cov: bool = False) -> Any:
        """Posterior mean, with standard deviation or covariance if wanted.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Where to predict.
        return_std : bool
            Also return the posterior standard deviation of the noise-free function.
        return_cov : bool
            Also return its covariance; not together with `return_std`.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
        std : ndarray of the shape of `mean`
            If `return_std`.
        cov : ndarray of shape (n_samples, n_samples) or (n_samples, n_samples, n_targets)
            If `return_cov`.
        """
        if return_std and return_cov:
            raise ValueError(f"[{type(self).__name__}] predict returns std or cov at a time. Received both as True.")
        check_is_fitted(self)
        X = validated(self, X, reset=False)
        machine = self._machine()
        coefficients = self.dual_coef_.reshape(len(self.X_fit_), -1)
        if not (return_std or return_cov):
            return self._targets(machine.predict(X, self.X_fit_, coefficients))
        if return_std:
            output, variance = machine.predict_variance(X, self.X_fit_, coefficients, self.factor_)
            mean = self._targets(output)
            std = np.sqrt(variance)
            return mean, std * self.y_scale_ if mean.ndim == 1 else std[:, None] * self.y_scale_
        output, cov = machine.predict_covariance(X, self.X_fit_, coefficients, self.factor_)
        mean = self._targets(output)
        return mean, cov * self.y_scale_**2 if mean.ndim == 1 else cov[:, :, None] * self.y_scale_**2

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = 0) -> np.ndarray:
        """Draws functions from the posterior.

        Parameters
        ----------
        X : array_like of shape (n_samples_X, n_features)
            Where to evaluate the functions.
        n_samples : int
            How many functions.
        random_state : int, SeedSequence, Generator, RandomState or None
            Seed; the same bits for any number of threads.

        Returns
        -------
        ndarray of shape (n_samples_X, n_samples) or (n_samples_X, n_targets, n_samples)
        """
        check_is_fitted(self)
        X = validated(self, X, reset=False)
        machine = self._machine()
        coefficients = self.dual_coef_.reshape(len(self.X_fit_), -1)
        mean, cov = machine.predict_covariance(X, self.X_fit_, coefficients, self.factor_)
        draws = machine.sample(mean, cov, n_samples, philox_key(random_state, op="sample_y"))
        draws = draws * np.reshape(self.y_scale_, (1, -1, 1)) + np.reshape(self.y_mean_, (1, -1, 1))
        return draws[:, 0] if self.dual_coef_.ndim == 1 else draws

    def _machine(self) -> Machine:
        return Machine(self.network_, self._kernel_name(), self.memory_limit, self.n_jobs, type(self).__name__)

    def _targets(self, output: np.ndarray) -> np.ndarray:
        return output.reshape((len(output), *self.dual_coef_.shape[1:])) * self.y_scale_ + self.y_mean_


class NTKRegressor(_KernelRegressor):
    """Kernel regression with an infinitely wide network: what gradient descent on it converges to, up to its random
    start.

    The prediction is ``k(X, X_train) (K + ridge mean(diag K) I)^-1 y`` with the neural tangent kernel (Jacot et al.,
    arXiv:1806.07572), on targets that are centred and scaled to unit variance.

    Parameters
    ----------
    network : stax network, optional
        The network. None builds one from the next four parameters.
    depth : int
        Hidden layers.
    activation : str or stax layer
        Their nonlinearity, by a name that `ntkswift.stax.activation` knows or as a layer.
    W_std, b_std : float
        Standard deviations of weights and biases.
    ridge : float
        Added to the diagonal of the kernel, relative to its mean; the noise variance of a Gaussian process in these
        units.
    kernel : {"ntk", "nngp"}
        The trained network, or (NNGP) a network whose last layer only is trained.
    memory_limit : int, optional
        Bytes that one call may allocate; None means half of what is available.
    n_jobs : int, optional
        Threads; None means as `ntkswift.set_num_threads` says, -1 every CPU.

    Attributes
    ----------
    network_ : stax network
    X_fit_ : ndarray of shape (n_samples, n_features)
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
    factor_ : ndarray of shape (n_samples, n_samples)
        Lower Cholesky factor of the kernel with its ridge.
    jitter_ : float
        What had to be added to the diagonal beside the ridge, because the kernel was singular to working precision;
        0 in most cases. A RuntimeWarning tells when it is not.
    log_marginal_likelihood_value_ : float
        Of the scaled targets, under a Gaussian process with this kernel.
    y_mean_, y_scale_ : float or ndarray of shape (n_targets,)
    n_features_in_ : int

    See Also
    --------
    NNGPRegressor : The Gaussian process of networks at initialisation.
    ntkswift.predict.gradient_descent_mse_ensemble : Mean and covariance of an ensemble of trained networks, also at
    finite times.

    Notes
    -----
    `predict(return_std=True)` gives the posterior of a Gaussian process with the chosen kernel. For the NTK that is
    not the spread of trained networks, which `ntkswift.predict` computes.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.estimators import NTKRegressor
    >>> x = np.linspace(-2, 2, 30)[:, None]
    >>> model = NTKRegressor(depth=2).fit(x, np.sin(2 * x[:, 0]))
    >>> bool(model.score(x, np.sin(2 * x[:, 0])) > 0.95)
    True
    """

    def __init__(
        self,
        network: Any = None,
        *,
        depth: int = 3,
        activation: Any = "relu",
        W_std: float = 2.0**0.5,
        b_std: float = 0.1,
        ridge: float = 1e-3,
        kernel: str = "ntk",
        memory_limit: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.network = network
        self.depth = depth
        self.activation = activation
        self.W_std = W_std
        self.b_std = b_std
        self.ridge = ridge
        self.kernel = kernel
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    def _kernel_name(self) -> str:
        return choice(self.kernel, type(self).__name__, "kernel", KERNELS)


class NNGPRegressor(_KernelRegressor):
    """Gaussian-process regression with the kernel of an infinitely wide network at initialisation (Lee et al.,
    arXiv:1711.00165).

    The targets are centred and scaled to unit variance; the noise variance is `ridge` times the mean of the kernel's
    diagonal.

    Parameters
    ----------
    network : stax network, optional
        The network. None builds one from the next four parameters.
    depth : int
        Hidden layers.
    activation : str or stax layer
        Their nonlinearity, by a name that `ntkswift.stax.activation` knows or as a layer.
    W_std, b_std : float
        Standard deviations of weights and biases.
    ridge : float
        Noise variance, relative to the mean of the kernel's diagonal.
    memory_limit : int, optional
        Bytes that one call may allocate; None means half of what is available.
    n_jobs : int, optional
        Threads; None means as `ntkswift.set_num_threads` says, -1 every CPU.

    Attributes
    ----------
    network_ : stax network
    X_fit_ : ndarray of shape (n_samples, n_features)
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
    factor_ : ndarray of shape (n_samples, n_samples)
        Lower Cholesky factor of the kernel with its noise.
    jitter_ : float
        What had to be added to the diagonal beside the noise; a RuntimeWarning tells when it is not 0.
    log_marginal_likelihood_value_ : float
        Of the scaled targets.
    y_mean_, y_scale_ : float or ndarray of shape (n_targets,)
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift.estimators import NNGPRegressor
    >>> x = np.linspace(-2, 2, 30)[:, None]
    >>> model = NNGPRegressor(activation="erf", W_std=2.0, b_std=1.0, ridge=1e-4).fit(x, np.sin(2 * x[:, 0]))
    >>> mean, std = model.predict(np.array([[0.0], [10.0]]), return_std=True)
    >>> bool(std[1] > 10 * std[0])
    True
    """

    def __init__(
        self,
        network: Any = None,
        *,
        depth: int = 3,
        activation: Any = "relu",
        W_std: float = 2.0**0.5,
        b_std: float = 0.1,
        ridge: float = 1e-3,
        memory_limit: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.network = network
        self.depth = depth
        self.activation = activation
        self.W_std = W_std
        self.b_std = b_std
        self.ridge = ridge
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    def _kernel_name(self) -> str:
        return "nngp"
