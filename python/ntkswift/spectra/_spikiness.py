"""The shape of a zonal kernel near angle 0."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .._call import Progress, takes_resources
from . import _domain
from ._asymptotics import expand_ends
from ._zonal import as_zonal


class Spikiness(NamedTuple):
    """How fast a kernel falls off around angle 0, its value there set to 1.

    Attributes
    ----------
    slope : float
        Slope of ``1 - kappa`` in the angle at 0: 0 for smooth kernels, L / (2 pi) for the fully connected NTK with L
        hidden layers.
    slope_error : float
        Estimated error of the slope.
    right_angle : float
        ``kappa`` at 90 degrees.
    """

    slope: float
    slope_error: float
    right_angle: float


@takes_resources()
def spikiness(
    kernel: Any, dimension: int = 3, *, memory_limit: int | None = None, progress: Progress | None = None
) -> Spikiness:
    """Slope at angle 0 and value at 90 degrees of a zonal kernel that is divided by its value at angle 0.

    Parameters
    ----------
    kernel : Layer, kernel_fn, callable or ZonalKernel
        As :class:`ZonalKernel` takes it.
    dimension : int
        The points are on S^(dimension - 1); of importance for networks with biases only.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Examples
    --------
    >>> from ntkswift import spectra
    >>> slope, _, right_angle = spectra.spikiness(spectra.fully_connected(20))
    >>> round(slope, 3), round(right_angle, 3)  # 20 / (2 pi)
    (3.183, 0.309)
    """
    kernel, dimension = as_zonal(kernel), _domain.dimension(dimension, "spikiness")
    start, _ = expand_ends(kernel, dimension)
    # In s = sin(theta / 2) the slope is twice that in theta.
    slope, error = -float(start.coefficients[1]) / 2, float(start.errors[1]) / 2
    scale = kernel.at_zero(dimension)
    return Spikiness(slope / scale, error / scale, float(kernel(math.pi / 2, dimension)) / scale)
