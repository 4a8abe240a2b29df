"""The mean and covariance that posteriors are returned as."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Gaussian(NamedTuple):
    """Mean and covariance of the outputs.

    Attributes
    ----------
    mean : ndarray
        Of the shape of the outputs.
    covariance : ndarray
        Of the shape of the kernel between the points; the same for every output along `trace_axes`.
    """

    mean: np.ndarray
    covariance: np.ndarray
