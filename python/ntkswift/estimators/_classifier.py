"""Classification with infinitely wide networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._checks import choice
from .._pickling import VersionedState
from ._network import KERNELS, all_or_nothing, network_of, validated
from ._noise import class_weights, noise_of, sample_weights
from ._solver import Machine


class NTKClassifier(VersionedState, ClassifierMixin, BaseEstimator):
    """Classification by kernel regression on one-hot labels, or by a support vector machine, with an infinitely wide
    network's kernel.

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
    ridge : float or array_like of shape (n_samples,)
        Added to the diagonal of the kernel, relative to its mean, one number or one for each sample; ``method="regression"``
        only.
    kernel : {"ntk", "nngp"}
        The trained network, or a network whose last layer only is trained.
    method : {"regression", "svm"}
        Kernel regression on one-hot labels, or scikit-learn's `SVC` with this kernel as in Arora et al.,
        arXiv:1910.01663.
    C : float
        Inverse strength of the regularisation; ``method="svm"`` only.
    class_weight : dict, "balanced" or None
        Weights of the classes, which multiply those of their samples; "balanced": inversely to the classes' (weighted) counts.
    solver : str
        A method of `ntkswift.solvers` for ``method="regression"``; "auto": "cholesky" where the matrix fits into half of the
        memory limit and has at most 20,000 rows, else "cg", which never makes the matrix.
    memory_limit : int, optional
        Bytes that one call may allocate; None means half of what is available.
    n_jobs : int, optional
        Threads; None means as `ntkswift.set_num_threads` says, -1 every CPU.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    network_ : stax network
    X_fit_ : ndarray of shape (n_samples, n_features)
    dual_coef_ : ndarray of shape (n_samples, n_classes)
        ``method="regression"`` only.
    jitter_ : float
        What had to be added to the diagonal beside the ridge; a RuntimeWarning tells when it is not 0.
    solver_ : str
        The method that was used; ``method="regression"`` only, as are the next two.
    residual_ : float or None
        Largest ``||y - (K + ridge) x|| / ||y||``; iterative solvers only.
    n_iter_ : int
        Products with the kernel; 0 for "cholesky".
    svc_ : SVC
        ``method="svm"`` only.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ntkswift.estimators import NTKClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(NTKClassifier().fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9)
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
        method: str = "regression",
        C: float = 1.0,
        class_weight: Any = None,
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
        self.method = method
        self.C = C
        self.class_weight = class_weight
        self.solver = solver
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NTKClassifier:
        """Computes the kernel of the training inputs and trains on it.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Training inputs; computed with in float64.
        y : array_like of shape (n_samples,)
            Class labels of any type, at least two different ones.
        sample_weight : array_like of shape (n_samples,), optional
            Weights, at least 0: the ridge of a sample is divided by its weight (its C is multiplied by it), so that 2 counts as
            twice the sample and 0 as none.

        Returns
        -------
        self : object
        """
        with all_or_nothing(self):
            X, y = validated(self, X, y)
            return self._fit(X, y, sample_weights(sample_weight, len(X), "NTKClassifier"))

    def _fit(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> NTKClassifier:
        check_classification_targets(y)
        weights = class_weights(self.class_weight, y, weights)
        kept = np.ones(len(X), bool) if weights is None else weights > 0
        weights = None if weights is None else weights[kept]
        noise = noise_of(self.ridge, kept, 1, weights, "NTKClassifier")
        if not kept.all():
            X, y = X[kept], y[kept]
        choice(self.method, "NTKClassifier", "method", ("regression", "svm"))
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"[NTKClassifier] y must hold at least two classes. Received one class: {self.classes_[0]!r}."
            )
        self.network_ = network_of(
            self.network, self.depth, self.activation, self.W_std, self.b_std, owner="NTKClassifier"
        )
        self.X_fit_ = X
        # Of an earlier fit by the other method.
        for name in ("dual_coef_", "label_mean_", "svc_", "solver_", "residual_", "n_iter_"):
            self.__dict__.pop(name, None)
        if self.method == "svm":
            # With libsvm's usual tolerance of 1e-3 a weight of 2 would not be twice the sample.
            svc = SVC(C=self.C, kernel="precomputed", tol=1e-8, decision_function_shape="ovr", break_ties=True)
            self.svc_ = svc.fit(self._machine().gram(X), labels, sample_weight=weights)
            self.jitter_ = 0.0
            return self
        one_hot = (labels[:, None] == np.arange(len(self.classes_))).astype(np.float64)
        self.label_mean_ = np.average(one_hot, axis=0, weights=weights)
        solution = self._machine().fit(X, one_hot - self.label_mean_, noise, self.solver)
        self.dual_coef_ = solution.dual_coef
        self.jitter_ = solution.jitter
        self.solver_, self.residual_, self.n_iter_ = solution.solver, solution.residual, solution.iterations
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores of the classes; the largest wins. With two classes, one number per sample that is positive for the
        second.

        Kernel regression estimates the probability of each class, so its scores sum to 1 (two classes: their
        difference). The support vector machine gives one-against-rest values.

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
        """
        check_is_fitted(self)
        X = validated(self, X, reset=False)
        machine = self._machine()
        if hasattr(self, "svc_"):
            return self.svc_.decision_function(machine.cross(X, self.X_fit_))
        scores = machine.predict(X, self.X_fit_, self.dual_coef_) + self.label_mean_
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest score.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimates of the class probabilities.

        Kernel regression: its scores, which are least-squares estimates of the probabilities, with negative ones set
        to zero and divided by their sum. Support vector machine: the softmax of its scores (the logistic function
        for two classes); that only orders the classes and is not calibrated, for which
        `sklearn.calibration.CalibratedClassifierCV` is there.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        scores = self.decision_function(X)
        if hasattr(self, "svc_"):
            if scores.ndim == 1:
                scores = np.stack([-scores / 2, scores / 2], axis=1)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        else:
            if scores.ndim == 1:
                scores = np.stack([(1 - scores) / 2, (1 + scores) / 2], axis=1)
            weights = np.maximum(scores, 0)
        return weights / weights.sum(axis=1, keepdims=True)

    def _machine(self) -> Machine:
        name = choice(self.kernel, "NTKClassifier", "kernel", KERNELS)
        return Machine(self.network_, name, self.memory_limit, self.n_jobs, "NTKClassifier")
