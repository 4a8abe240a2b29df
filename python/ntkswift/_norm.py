"""Norms of long vectors, by the core.

One call of NumPy's BLAS on a vector of more than ten thousand numbers wakes its second thread, which then waits busily for
some 30 ms: in a callback that is called every few steps of a training run that is most of the cost.
"""

from __future__ import annotations

import math

import numpy as np

from . import _core


def euclidean_norm(array: np.ndarray) -> float:
    """The root of the sum of squares of a float64 vector or matrix."""
    return math.sqrt(_core.inner_product(array, array))
