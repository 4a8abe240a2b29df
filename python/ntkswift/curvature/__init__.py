"""Instruments along a training run: curvature of the loss, covariance of its gradients, and the break-even point.

A `Tracker` measures what it is asked for every k steps of a run; the functions behind it work by themselves, for networks
of `ntkswift.stax`, for any linear operator with ``shape``, ``dtype`` and ``matvec``, and for any matrix of gradients
(PyTorch tensors among them). The instruments are those of Jastrzebski et al., "The Break-Even Point"
(arXiv:2002.09572).

>>> import numpy as np
>>> from ntkswift import stax, curvature
>>> network = stax.serial(stax.Dense(8), stax.Tanh(), stax.Dense(1))
>>> x, y = np.eye(4), np.ones((4, 1))
>>> _, params = network.init_fn(0, x.shape)
>>> top = curvature.eigenvalues(curvature.hessian(network, params, x, y)).values
>>> top.shape
(1,)
"""

from ._covariance import CovarianceSpectrum, covariance_spectrum, gradient_covariance
from ._line import sample_curvatures, step_to_raise
from ._measures import MEASURES
from ._model import BreakEven, break_even, stability_factor
from ._operators import LossCurvature, empirical_fisher, gauss_newton, hessian
from ._spectrum import Eigenpairs, SpectralDensity, TraceEstimate, eigenvalues, spectral_density, trace
from ._tracker import Tracker

__all__ = [
    "MEASURES",
    "BreakEven",
    "CovarianceSpectrum",
    "Eigenpairs",
    "LossCurvature",
    "SpectralDensity",
    "TraceEstimate",
    "Tracker",
    "break_even",
    "covariance_spectrum",
    "eigenvalues",
    "empirical_fisher",
    "gauss_newton",
    "gradient_covariance",
    "hessian",
    "sample_curvatures",
    "spectral_density",
    "stability_factor",
    "step_to_raise",
    "trace",
]
