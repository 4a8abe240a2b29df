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
    ridge : float
        Added to the diagonal of the kernel, relative to its mean; ``method="regression"`` only.
    kernel : {"ntk", "nngp"}
        The trained network, or a network whose last layer only is trained.
    method : {"regression", "svm"}
        Kernel regression on one-hot labels, or scikit-learn's `SVC` with this kernel as in Arora et al.,
        arXiv:1910.01663.
    C : float
        Inverse strength of the regularisation; ``method="svm"`` only.
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
        ridge: float = 1e-3,
        kernel: str = "ntk",
        method: str = "regression",
        C: float = 1.0,
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
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> NTKClassifier:
        """Computes the kernel of the training inputs and trains on it.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Training inputs; computed with in float64.
        y : array_like of shape (n_samples,)
            Class labels of any type, at least two different ones.

        Returns
        -------
        self : object
        """
        with all_or_nothing(self):
            return self._fit(*validated(self, X, y))

    def _fit(self, X: np.ndarray, y: np.ndarray) -> NTKClassifier:
        check_classification_targets(y)
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
        for name in ("dual_coef_", "label_mean_", "svc_"):  # of an earlier fit by the other method
            self.__dict__.pop(name, None)
        if self.method == "svm":
            svc = SVC(C=self.C, kernel="precomputed", decision_function_shape="ovr", break_ties=True)
            self.svc_ = svc.fit(self._machine().gram(X), labels)
            self.jitter_ = 0.0
            return self
        one_hot = (labels[:, None] == np.arange(len(self.classes_))).astype(np.float64)
        self.label_mean_ = one_hot.mean(axis=0)
        solution = self._machine().fit(X, one_hot - self.label_mean_, self.ridge)
        self.dual_coef_ = solution.dual_coef
        self.jitter_ = solution.jitter
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
