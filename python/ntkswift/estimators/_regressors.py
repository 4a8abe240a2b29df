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
from ._noise import noise_of, sample_weights
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
    ridge: Any
    solver: str
    memory_limit: int | None
    n_jobs: int | None

    def _kernel_name(self) -> str:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Computes the kernel of the training inputs and solves for the dual coefficients.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Training inputs; computed with in float64.
        y : array_like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array_like of shape (n_samples,), optional
            Weights, at least 0: the noise of a sample is divided by its weight, so that 2 counts as twice the sample and 0 as
            none.

        Returns
        -------
        self : object
        """
        with all_or_nothing(self):
            X, y = validated(self, X, y, multi_output=True, y_numeric=True)
            return self._fit(X, y, sample_weights(sample_weight, len(X), type(self).__name__))

    def _fit(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Any:
        owner = type(self).__name__
        kept = np.ones(len(X), bool) if weights is None else weights > 0
        weights = None if weights is None else weights[kept]
        noise = noise_of(self.ridge, kept, y[:1].size, weights, owner)
        if not kept.all():
            X, y = X[kept], y[kept]
        self.network_ = network_of(self.network, self.depth, self.activation, self.W_std, self.b_std, owner=owner)
        targets = np.asarray(y, np.float64).reshape(len(y), -1)
        mean = np.average(targets, axis=0, weights=weights)
        scale = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=weights))
        # Constant targets: rounding of the mean must not be blown up.
        scale = np.where(scale > 10 * np.finfo(np.float64).eps * np.abs(mean), scale, 1.0)
        solution = self._machine().fit(X, (targets - mean) / scale, noise, self.solver)
        self.X_fit_ = X
        self.dual_coef_ = solution.dual_coef.reshape(y.shape)
        self.factor_ = solution.factor
        self.jitter_ = solution.jitter
        self.solver_, self.residual_, self.n_iter_ = solution.solver, solution.residual, solution.iterations
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
            Also return the posterior standard deviation of the noise-free function. It and the covariance need the factor of
            ``solver="cholesky"``.
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
            output, variance = machine.predict_variance(X, self.X_fit_, coefficients, self._factor("return_std"))
            mean = self._targets(output)
            std = np.sqrt(variance)
            return mean, std[:, 0] * self.y_scale_ if mean.ndim == 1 else std * self.y_scale_
        output, cov = machine.predict_covariance(X, self.X_fit_, coefficients, self._factor("return_cov"))
        mean = self._targets(output)
        return mean, cov[:, :, 0] * self.y_scale_**2 if mean.ndim == 1 else cov * self.y_scale_**2

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
        mean, cov = machine.predict_covariance(X, self.X_fit_, coefficients, self._factor("sample_y"))
        draws = machine.sample(mean, cov, n_samples, philox_key(random_state, op="sample_y"))
        draws = draws * np.reshape(self.y_scale_, (1, -1, 1)) + np.reshape(self.y_mean_, (1, -1, 1))
        return draws[:, 0] if self.dual_coef_.ndim == 1 else draws

    def _factor(self, wanted: str) -> np.ndarray:
        if self.factor_ is None:
            raise ValueError(
                f'[{type(self).__name__}] {wanted} needs the Cholesky factor of a fit with solver="cholesky". '
                f"Received a fit by {self.solver_!r}."
            )
        factor: np.ndarray = self.factor_
        return factor

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
    ridge : float or array_like of shape (n_samples,), (1, n_targets) or (n_samples, n_targets)
        Added to the diagonal of the kernel, relative to its mean; the noise variance of a Gaussian process in these
        units. One number, one for each sample, one for each target (a row), or for each of both.
    kernel : {"ntk", "nngp"}
        The trained network, or (NNGP) a network whose last layer only is trained.
    solver : str
        A method of `ntkswift.solvers`: "cholesky", which standard deviations, samples and the likelihood need, or an iterative
        one ("cg", "minres"), which never makes the kernel's matrix. "auto": "cholesky" where the matrix fits into half of the
        memory limit and has at most 20,000 rows, else "cg".
    memory_limit : int, optional
        Bytes that one call may allocate; None means half of what is available.
    n_jobs : int, optional
        Threads; None means as `ntkswift.set_num_threads` says, -1 every CPU.

    Attributes
    ----------
    network_ : stax network
    X_fit_ : ndarray of shape (n_samples, n_features)
        The samples of positive weight.
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
    factor_ : ndarray of shape (n_samples, n_samples) or (n_targets, n_samples, n_samples), or None
        Lower Cholesky factor of the kernel with its ridge, one for each target where the ridge is; None for iterative solvers.
    jitter_ : float
        What had to be added to the diagonal beside the ridge, because the kernel was singular to working precision;
        0 in most cases. A RuntimeWarning tells when it is not.
    log_marginal_likelihood_value_ : float or None
        Of the scaled targets, under a Gaussian process with this kernel; None for iterative solvers.
    solver_ : str
        The method that was used.
    residual_ : float or None
        Largest ``||y - (K + ridge) x|| / ||y||``; iterative solvers only.
    n_iter_ : int
        Products with the kernel; 0 for "cholesky".
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
        ridge: Any = 1e-3,
        kernel: str = "ntk",
        solver: str = "auto",
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
        self.solver = solver
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
    ridge : float or array_like of shape (n_samples,), (1, n_targets) or (n_samples, n_targets)
        Noise variance, relative to the mean of the kernel's diagonal: one number, one for each sample, one for each target (a
        row), or for each of both.
    solver : str
        A method of `ntkswift.solvers`: "cholesky", which standard deviations, samples and the likelihood need, or an iterative
        one ("cg", "minres"), which never makes the kernel's matrix. "auto": "cholesky" where the matrix fits into half of the
        memory limit and has at most 20,000 rows, else "cg".
    memory_limit : int, optional
        Bytes that one call may allocate; None means half of what is available.
    n_jobs : int, optional
        Threads; None means as `ntkswift.set_num_threads` says, -1 every CPU.

    Attributes
    ----------
    network_ : stax network
    X_fit_ : ndarray of shape (n_samples, n_features)
        The samples of positive weight.
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
    factor_ : ndarray of shape (n_samples, n_samples) or (n_targets, n_samples, n_samples), or None
        Lower Cholesky factor of the kernel with its noise, one for each target where the noise is; None for iterative solvers.
    jitter_ : float
        What had to be added to the diagonal beside the noise; a RuntimeWarning tells when it is not 0.
    log_marginal_likelihood_value_ : float or None
        Of the scaled targets; None for iterative solvers.
    solver_ : str
        The method that was used.
    residual_ : float or None
        Largest ``||y - (K + ridge) x|| / ||y||``; iterative solvers only.
    n_iter_ : int
        Products with the kernel; 0 for "cholesky".
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
        ridge: Any = 1e-3,
        solver: str = "auto",
        memory_limit: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.network = network
        self.depth = depth
        self.activation = activation
        self.W_std = W_std
        self.b_std = b_std
        self.ridge = ridge
        self.solver = solver
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    def _kernel_name(self) -> str:
        return "nngp"
