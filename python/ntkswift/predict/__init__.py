"""What infinitely wide networks predict: posteriors, ensembles, training over time, and their hyperparameters.

The functions follow `neural_tangents.predict`: they take kernels (or a `kernel_fn`) and training targets, and most
return a `predict_fn` that keeps its factorisation for later calls. Kernels are arrays, namedtuples with fields `nngp`
and `ntk`, or the Kernel records of a `kernel_fn`. Beyond neural-tangents there are `log_marginal_likelihood` and
`sample_posterior`.

Notes
-----
`trace_axes` names the axes of the targets that the kernel does not have (by default the last one, the outputs of the
network): the kernel is taken to be the same for each of them. Kernels of outputs with more axes have their axes in
pairs, shape ``(n1, n2, a1, a2, ...)``.

Everything is computed in float64; a float32 kernel gives float32 results. Kernels are taken as symmetric; one triangle
is read. A matrix that is not positive definite to working precision gets jitter of 1e-14 to 1e-6 times its mean
diagonal, with a RuntimeWarning that states it; where that is not enough, NotPositiveDefiniteError names the pivot.
"""

from ._descent import ODEState, gradient_descent
from ._ensemble import gradient_descent_mse_ensemble
from ._gaussian import Gaussian
from ._inference import gp_inference
from ._learning_rate import max_learning_rate
from ._likelihood import log_marginal_likelihood
from ._mse import gradient_descent_mse
from ._sampling import sample_posterior

__all__ = [
    "Gaussian",
    "ODEState",
    "gp_inference",
    "gradient_descent",
    "gradient_descent_mse",
    "gradient_descent_mse_ensemble",
    "log_marginal_likelihood",
    "max_learning_rate",
    "sample_posterior",
]
