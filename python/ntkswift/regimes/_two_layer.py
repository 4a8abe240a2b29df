"""Two-layer networks in three regimes: random features, neural tangent, fully trained."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .._arrays import check_array, check_lengths
from .._call import Progress, call, takes_resources
from .._checks import flag, integer, real
from .._random import generator
from ..stax import Layer, Polynomial
from ..stax import activation as activation_layer
from ._limits import Target, mode_number
from ._parameters import Parameters
from ._targets import QuadraticTarget, TwoGaussians
from ._two_layer_history import TwoLayerHistory
from ._two_layer_training import Problem, Run

SAMPLES_OF_RISK = 200_000


class TwoLayerRegressor(Parameters):
    """What the three regimes of a two-layer network have in common: ``f(x) = c + sum_i a_i s(<w_i, x>)`` with N units.

    Use `RandomFeatures`, `NeuralTangent`, `FullyTrained`, or `two_layer` to choose by name.
    """

    mode = ""

    def __init__(
        self,
        width: int = 100,
        activation: Any = "square",
        *,
        ridge: float = 0.0,
        fit_offset: bool = True,
        steps: int = 20_000,
        batch_size: int = 100,
        learning_rate: float | str = "auto",
        random_state: Any = None,
    ) -> None:
        self.width = width
        self.activation = activation
        self.ridge = ridge
        self.fit_offset = fit_offset
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    # ------------------------------------------------------------------ fitting

    @takes_resources()
    def fit(self, X: Any, y: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> Any:
        """Fit to n samples: in closed form for RF and NT, by stochastic gradient descent for NN.

        Minimises ``|y - f(X)|^2 + ridge |coefficients|^2``; the constant is not penalised. Warns where the equations are
        singular, which more ridge cures.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.

        Raises
        ------
        ValueError
            For NaN or infinity, shapes that do not fit, and parameters out of range.
        MemoryError
            Where the smaller of the Gram matrix of the samples and that of the features is over the memory limit.
        """
        op = self._op("fit")
        X, y = self._data(X, y, op)
        ridge = real(self.ridge, op, "ridge", minimum=0)
        weights = self._draw_weights(X.shape[1], op)
        outputs, tangents, offset, jitter = call(
            "two_layer_ridge",
            op,
            self._compiled(op),
            weights,
            X,
            y,
            ridge,
            self._uses_outputs(),
            self.mode == "lazy",
            flag(self.fit_offset, op, "fit_offset"),
        )
        self._warn_of_jitter(jitter, op, "a larger ridge chooses the solution")
        self._set(weights, outputs, tangents, offset)
        return self

    @takes_resources()
    def fit_population(
        self, target: Target, *, memory_limit: int | None = None, progress: Progress | None = None
    ) -> Any:
        """Fit to the distribution of `target` itself, as infinitely many samples would: exact at finite d and N.

        Only with squares, ``activation="square"``, whose networks are quadratic forms; the ridge plays no part and the
        constant is free. NN takes units of either sign.

        Parameters
        ----------
        target : QuadraticTarget or TwoGaussians
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.

        Raises
        ------
        ValueError
            For another activation.
        NotPositiveDefiniteError
            Where the classes of a mixture have no positive definite covariance.
        """
        op = self._op("fit_population")
        self._check_target(target, op)
        if not self._is_square(op):
            raise ValueError(f'[{op}] needs activation="square". Received {self.activation!r}; use train instead.')
        width = integer(self.width, op, "width")
        weights = None if self.mode == "full" else self._draw_weights(target.dimension, op)
        made, coefficients, offset, jitter = call(
            "quadratic_fit", op, target._task(), mode_number(self.mode, op), weights, width
        )
        self._warn_of_jitter(jitter, op, "the features are linearly dependent")
        weights = made if weights is None else weights
        if self.mode == "lazy":
            self._set(weights, np.zeros(width), coefficients, offset)
        else:
            self._set(weights, coefficients, None, offset)
        return self

    @takes_resources()
    def train(
        self,
        X: Any,
        y: Any = None,
        *,
        decay: Any = ((0.8, 10.0), (0.9, 15.0)),
        dtype: Any = np.float32,
        record_every: int | None = None,
        progress: Progress | None = None,
        memory_limit: int | None = None,
    ) -> Any:
        """Train by stochastic gradient descent on the mean squared error of batches, from the random weights.

        RF trains the output weights, NT the coefficients of the linearised network (both layers), NN everything; the
        constant always. Ctrl-C ends training after a whole step: the model is then what was reached, and
        `history_.interrupted` says so.

        Parameters
        ----------
        X : QuadraticTarget or TwoGaussians, or array_like of shape (n, d)
            Fresh samples of a target in each step, or a fixed set, shuffled anew in each epoch.
        y : array_like of shape (n,), optional
            Targets of the fixed set.
        decay : sequence of (fraction, divisor)
            From this fraction of the steps on, the learning rate is divided by this number (of the first learning rate).
        dtype : float32 or float64, default=float32
            Precision of the training; the same samples are drawn in both.
        record_every : int, optional
            Steps over which a recorded loss is averaged; None: about 200 records.
        progress : callable, optional
            Called with the fraction done; None shows a bar where somebody watches.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.

        Raises
        ------
        DivergenceError
            Where training diverges. Its `history`, which is also `history_`, holds what came before; nothing else changes.
        """
        op = self._op("train")
        if isinstance(X, (QuadraticTarget, TwoGaussians)):
            if y is not None:
                raise ValueError(f"[{op}] y must be None with a target. Received {type(y).__name__}.")
            target, data, d = X, None, X.dimension
        else:
            target, data = None, self._data(X, y, op)
            d = data[0].shape[1]
        problem = Problem(
            mode=self.mode,
            shares_outputs=self._shares_outputs(op),
            activation=self._compiled(op),
            target=target,
            data=data,
            weights=self._draw_weights(d, op),
            steps=integer(self.steps, op, "steps"),
            batch_size=integer(self.batch_size, op, "batch_size"),
            learning_rate=self._learning_rate(op),
            decay=decay,
            fit_offset=flag(self.fit_offset, op, "fit_offset"),
            dtype=dtype,
            record_every=record_every,
            seed=self.random_state,
            op=op,
        )
        run = Run(problem)
        try:
            run.run()
        finally:
            self.history_: TwoLayerHistory = run.history()
        self.learning_rate_ = problem.learning_rate
        tangents = None if problem.tangents is None else problem.tangents.astype(np.float64)
        self._set(
            problem.weights.astype(np.float64),
            problem.outputs.astype(np.float64),
            tangents,
            float(problem.offset[0, 0]),
        )
        return self

    # ------------------------------------------------------------------ using

    def predict(self, X: Any) -> np.ndarray:
        """Return f(x) for the rows of X, shape (n,), float64."""
        op = self._op("predict")
        self._check_fitted(op)
        X = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
        if X.shape[1] != self.n_features_in_:
            raise ValueError(f"[{op}] X must have {self.n_features_in_} columns. Received shape {X.shape}.")
        return call(
            "two_layer_predict",
            op,
            self._compiled(op),
            self.hidden_weights_,
            self.output_weights_,
            self.tangent_weights_,
            self.offset_,
            X,
        )

    def score(self, X: Any, y: Any) -> float:
        """Return the coefficient of determination R^2 on samples."""
        X, y = self._data(X, y, self._op("score"))
        spread = float(np.sum((y - y.mean()) ** 2))
        gap = float(np.sum((y - self.predict(X)) ** 2))
        return 1 - gap / spread if spread > 0 else float(gap == 0)

    def quadratic_form(self) -> np.ndarray:
        """Return the symmetric matrix M (d, d) with ``f(x) = offset_ + x^T M x``; only with squares."""
        op = self._op("quadratic_form")
        self._check_fitted(op)
        if not self._is_square(op):
            raise ValueError(f'[{op}] needs activation="square". Received {self.activation!r}.')
        outputs = self.output_weights_[:, None]
        return call("quadratic_form", op, self.hidden_weights_, outputs, self.tangent_weights_)

    @takes_resources()
    def risk(
        self,
        target: Target,
        *,
        relative: bool = False,
        n_samples: int = SAMPLES_OF_RISK,
        random_state: Any = 0,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> float:
        """Return ``E (y - f(x))^2`` over the distribution of `target`.

        Exact with squares; otherwise the mean over `n_samples` fresh samples.

        Parameters
        ----------
        target : QuadraticTarget or TwoGaussians
        relative : bool, default=False
            Divide by the variance of y, the risk of the best constant.
        n_samples, random_state
            Size and seed of the Monte-Carlo estimate, where one is needed.
        memory_limit : int, optional
            Bytes that this call may allocate; see `ntkswift.memory_limit`.
        progress : function, optional
            Called with the fraction done; by default a bar where somebody watches.
        """
        op = self._op("risk")
        self._check_target(target, op)
        self._check_fitted(op)
        if target.dimension != self.n_features_in_:
            raise ValueError(
                f"[{op}] target must have the dimension {self.n_features_in_}. Received {target.dimension}."
            )
        if self._is_square(op):
            risk = call("quadratic_risk", op, target._task(), self.quadratic_form(), self.offset_)[0]
        else:
            X, y = target.sample(integer(n_samples, op, "n_samples"), random_state)
            risk = float(np.mean((y - self.predict(X)) ** 2))
        return risk / target.variance if relative else risk

    # ------------------------------------------------------------------ parts

    def _op(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _uses_outputs(self) -> bool:
        return True

    def _shares_outputs(self, op: str) -> bool:
        return False

    def _layer(self, op: str) -> Layer:
        if isinstance(self.activation, str) and self.activation == "square":
            return Polynomial((0.0, 0.0, 1.0))
        return activation_layer(self.activation)

    def _compiled(self, op: str) -> Any:
        return self._layer(op)._compiled

    def _is_square(self, op: str) -> bool:
        return self._layer(op) == Polynomial((0.0, 0.0, 1.0))

    def _learning_rate(self, op: str) -> float | None:
        if isinstance(self.learning_rate, str):
            if self.learning_rate == "auto":
                return None
            raise ValueError(f'[{op}] learning_rate must be a number or "auto". Received {self.learning_rate!r}.')
        rate = real(self.learning_rate, op, "learning_rate", minimum=0)
        if rate == 0:
            raise ValueError(f"[{op}] learning_rate must be positive. Received 0.")
        return rate

    def _draw_weights(self, d: int, op: str) -> np.ndarray:
        """Rows w_i ~ N(0, I / d)."""
        width = integer(self.width, op, "width")
        return generator(self.random_state, op=op).standard_normal((width, d)) / math.sqrt(d)

    def _data(self, X: Any, y: Any, op: str) -> tuple[np.ndarray, np.ndarray]:
        X = np.ascontiguousarray(check_array(X, "X", dtype=np.float64, op=op))
        if y is None:
            raise ValueError(f"[{op}] y is required with samples. Received None.")
        y = np.ascontiguousarray(check_array(y, "y", ndim=1, dtype=np.float64, op=op))
        check_lengths(X, y, ("X", "y"), op=op)
        return X, y

    def _set(self, weights: np.ndarray, outputs: np.ndarray, tangents: np.ndarray | None, offset: float) -> None:
        self.hidden_weights_ = weights
        self.output_weights_ = np.asarray(outputs).reshape(-1)
        self.tangent_weights_ = tangents
        self.offset_ = offset
        self.n_features_in_ = weights.shape[1]

    def _warn_of_jitter(self, jitter: float, op: str, advice: str) -> None:
        if jitter > 0:
            warnings.warn(
                f"[{op}] the equations are singular to working precision. {jitter:.3g} was added to their diagonal; {advice}.",
                RuntimeWarning,
                stacklevel=3,
            )

    def _check_fitted(self, op: str) -> None:
        if not hasattr(self, "hidden_weights_"):
            raise ValueError(f"[{op}] needs a fitted network: call fit, fit_population or train first.")

    def _check_target(self, target: Any, op: str) -> None:
        if not isinstance(target, (QuadraticTarget, TwoGaussians)):
            raise TypeError(
                f"[{op}] target must be a QuadraticTarget or TwoGaussians. Received {type(target).__name__}."
            )
