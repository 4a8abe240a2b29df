"""The three regimes, and the word that chooses one."""

from __future__ import annotations

from typing import Any

from .._call import Progress, takes_resources
from .._checks import choice, integer
from ._limits import mode_number
from ._two_layer import TwoLayerRegressor


class RandomFeatures(TwoLayerRegressor):
    """Two-layer network of which only the output weights are trained: ``f(x) = c + sum_i a_i s(<w_i, x>)``, w_i random.

    Parameters
    ----------
    width : int, default=100
        Number N of units.
    activation : str or stax nonlinearity, default="square"
        The function s: "square" for ``s(t) = t^2``, or what `stax.activation` takes; a function of your own as
        ``stax.ElementwiseNumerical(fn, df=fn_derivative)``.
    ridge : float, default=0.0
        Penalty of the coefficients in `fit`, in the units of scikit-learn's Ridge.
    fit_offset : bool, default=True
        Train the constant c.
    steps, batch_size : int, default=20000 and 100
        Length and batch of `train`.
    learning_rate : float or "auto", default="auto"
        Learning rate of `train`. "auto": a share (RF 0.25, NT 0.1, NN 0.3) of the
        inverse of the largest eigenvalue of the gradients' Gram matrix on one batch, over its size.
    random_state : int, SeedSequence, Generator or None
        Seed of the weights w_i ~ N(0, I / d) and of the batches.

    Attributes
    ----------
    hidden_weights_ : ndarray of shape (width, d)
    output_weights_ : ndarray of shape (width,)
    tangent_weights_ : ndarray of shape (width, d) or None
        Coefficients g_i of the linear part ``sum_i s'(<w_i, x>) <g_i, x>``; NT only.
    offset_ : float
    history_ : TwoLayerHistory
        After `train`, also where it diverged.

    Notes
    -----
    The regime RF of Ghorbani, Mei, Misiakiewicz & Montanari (arXiv:1906.08899). With squares and without a constant, or
    with centred targets and no constant, the trace of the target cannot be fitted: the constant is free here.

    Examples
    --------
    >>> from ntkswift import regimes
    >>> target = regimes.lazy_training_target(d=50, seed=0)
    >>> model = regimes.RandomFeatures(width=100, random_state=0).fit_population(target)
    >>> bool(0.4 < model.risk(target, relative=True) < 1)
    True
    """

    mode = "random_features"


class NeuralTangent(TwoLayerRegressor):
    """Two-layer network linearised about its random weights: ``f(x) = c + sum_i s'(<w_i, x>) <g_i, x> + a_i s(<w_i, x>)``.

    Parameters
    ----------
    width, activation, ridge, fit_offset, steps, batch_size, learning_rate, random_state
        As for `RandomFeatures`.
    layers : {"first", "both"}, default="first"
        Whether `fit` uses the tangent features of the first layer alone, as the paper's class does, or those of both.
        `train` always uses both; with squares the two span the same functions.

    Notes
    -----
    The regime NT of arXiv:1906.08899, with output weights of the same size, which the coefficients absorb.

    Examples
    --------
    >>> from ntkswift import regimes
    >>> target = regimes.lazy_training_target(d=50, seed=0)
    >>> model = regimes.NeuralTangent(width=25, random_state=0).fit_population(target)
    >>> bool(0.2 < model.risk(target, relative=True) < 0.6)
    True
    """

    mode = "lazy"

    def __init__(
        self,
        width: int = 100,
        activation: Any = "square",
        *,
        layers: str = "first",
        ridge: float = 0.0,
        fit_offset: bool = True,
        steps: int = 20_000,
        batch_size: int = 100,
        learning_rate: float | str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(
            width,
            activation,
            ridge=ridge,
            fit_offset=fit_offset,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            random_state=random_state,
        )
        self.layers = layers

    def _uses_outputs(self) -> bool:
        return choice(self.layers, "NeuralTangent", "layers", ("first", "both")) == "both"


class FullyTrained(TwoLayerRegressor):
    """Two-layer network with every weight trained by stochastic gradient descent: ``f(x) = c + sum_i a_i s(<w_i, x>)``.

    Parameters
    ----------
    width, activation, fit_offset, steps, batch_size, learning_rate, random_state
        As for `RandomFeatures`; `ridge` must be 0. "auto" is 0.1 with shared output weights, where the hidden weights
        take steps in units that suit the dimension, the batch and the variance of the targets.
    outputs : {"free", "shared"}, default="free"
        One output weight per unit, starting as +-1 / sqrt N, or one for all, starting at 0, as in the authors' code. With
        squares and one sign for all, indefinite targets are out of reach.

    Notes
    -----
    The regime NN of arXiv:1906.08899. `fit_population` returns the best network there is (units of either sign); gradient
    descent on the population risk reaches it where B is positive semidefinite.

    Examples
    --------
    >>> from ntkswift import regimes
    >>> target = regimes.lazy_training_target(d=50, seed=0)
    >>> model = regimes.FullyTrained(width=25, random_state=0).fit_population(target)
    >>> bool(model.risk(target, relative=True) < 0.07)
    True
    """

    mode = "full"

    def __init__(
        self,
        width: int = 100,
        activation: Any = "square",
        *,
        outputs: str = "free",
        ridge: float = 0.0,
        fit_offset: bool = True,
        steps: int = 20_000,
        batch_size: int = 100,
        learning_rate: float | str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(
            width,
            activation,
            ridge=ridge,
            fit_offset=fit_offset,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            random_state=random_state,
        )
        self.outputs = outputs

    @takes_resources()
    def fit(self, X: Any, y: Any, *, memory_limit: int | None = None, progress: Progress | None = None) -> Any:
        """Train on n samples by stochastic gradient descent: `train` with its defaults."""
        if self.ridge != 0:
            raise ValueError(f"[FullyTrained.fit] ridge must be 0: weights are not penalised. Received {self.ridge!r}.")
        return self.train(X, y)

    def _shares_outputs(self, op: str) -> bool:
        return choice(self.outputs, op, "outputs", ("free", "shared")) == "shared"


_CLASSES = (RandomFeatures, NeuralTangent, FullyTrained)


def two_layer(mode: str, width: int = 100, activation: Any = "square", **parameters: Any) -> TwoLayerRegressor:
    """Return the two-layer network of a regime, unfitted.

    Parameters
    ----------
    mode : {"random_features", "lazy", "full"}, or "rf", "nt", "nn" for short
        Random features, neural tangent, fully trained.
    width, activation, **parameters
        As the classes `RandomFeatures`, `NeuralTangent` and `FullyTrained` take them.

    Examples
    --------
    >>> from ntkswift import regimes
    >>> target = regimes.lazy_training_target(d=40, seed=0)
    >>> risks = [
    ...     regimes.two_layer(mode, width=20, random_state=0).fit_population(target).risk(target)
    ...     for mode in ("random_features", "lazy", "full")
    ... ]
    >>> risks == sorted(risks, reverse=True)
    True
    """
    integer(width, "two_layer", "width")
    return _CLASSES[mode_number(mode, "two_layer")](width, activation, **parameters)
