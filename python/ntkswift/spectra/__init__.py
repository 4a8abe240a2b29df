"""Spectra: kernels on the sphere, frequency by frequency, and Gram matrices on data.

On the sphere S^(d-1) every kernel that depends on the angle alone (a zonal kernel: those of all fully connected and residual
networks, Laplace, Gaussian) has spherical harmonics as eigenfunctions: one eigenvalue per frequency k tells how fast functions
of that frequency are learnt, how smooth the kernel's functions are, and how well regression with n samples will do.

>>> import ntkswift
>>> from ntkswift import spectra
>>> spectrum = spectra.sphere_spectrum(ntkswift.resntk(3, 0.5, input_dim=3), 3, 200)
>>> round(spectrum.decay(100, 200).exponent, 2)
2.99
"""

from ._asymptotics import Asymptotics, asymptotics, harmonic_decay_constant
from ._compare import Comparison, compare
from ._decay import DecayFit
from ._gram import (
    LabelAlignment,
    effective_dimension,
    gram_eigenvalues,
    kernel_alignment,
    label_alignment,
)
from ._learning import LearningCurve, learning_curve
from ._rkhs import frequency_energies, interpolant_norm, zonal_energies
from ._sphere import SphereSpectrum, multiplicity, sphere_spectrum
from ._spikiness import Spikiness, spikiness
from ._zonal import ZonalKernel, fully_connected, gaussian, laplace

__all__ = [
    "Asymptotics",
    "Comparison",
    "DecayFit",
    "LabelAlignment",
    "LearningCurve",
    "SphereSpectrum",
    "Spikiness",
    "ZonalKernel",
    "asymptotics",
    "compare",
    "effective_dimension",
    "frequency_energies",
    "fully_connected",
    "gaussian",
    "gram_eigenvalues",
    "harmonic_decay_constant",
    "interpolant_norm",
    "kernel_alignment",
    "label_alignment",
    "laplace",
    "learning_curve",
    "multiplicity",
    "sphere_spectrum",
    "spikiness",
    "zonal_energies",
]
