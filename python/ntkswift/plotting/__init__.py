"""Figures of kernels, posteriors, spectra, depth and training, as scikit-learn's Display classes.

Each class keeps the numbers it shows, has constructors `from_*`, and draws with `plot(ax=None)`, which sets `ax_` and
`figure_`. Colours can be told apart with every common form of colour blindness (Okabe and Ito; viridis).

>>> import numpy as np
>>> from ntkswift.plotting import SpectrumDisplay
>>> SpectrumDisplay.from_matrix(np.diag([4.0, 1.0]), name="example").eigenvalues["example"].tolist()
[4.0, 1.0]
"""

from . import style
from ._curvature import CurvatureDisplay, SpectralDensityDisplay
from ._decay import EigenvalueDecayDisplay
from ._depth import DepthDisplay
from ._gram import GramMatrixDisplay
from ._hierarchy import HierarchyErrorDisplay
from ._posterior import PosteriorDisplay
from ._profile import KernelProfileDisplay
from ._spectrum import SpectrumDisplay
from ._training import TrainingDisplay

__all__ = [
    "DepthDisplay",
    "EigenvalueDecayDisplay",
    "GramMatrixDisplay",
    "HierarchyErrorDisplay",
    "KernelProfileDisplay",
    "PosteriorDisplay",
    "SpectralDensityDisplay",
    "SpectrumDisplay",
    "TrainingDisplay",
    "CurvatureDisplay",
    "style",
]
