"""Symmetric matrices as operators: kernels on data, dense matrices, covariances, and whatever has ``shape`` and ``matvec``.

An operator knows its products with vectors and blocks of vectors (``@``, `matvec`, `matmat`), its rows and its diagonal; the
matrix itself need not exist. `ntkswift.solvers` solves with them, `ntkswift.spectra` and `ntkswift.curvature` find their
eigenvalues, and SciPy takes them (``scipy.sparse.linalg.aslinearoperator``).

>>> import numpy as np
>>> from ntkswift import operators, stax
>>> network = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1))
>>> kernel = operators.KernelOperator(network, np.eye(4), ridge=0.1)
>>> (kernel @ np.ones(4)).shape
(4,)
"""

from ._adopted import Adopted, as_operator
from ._base import SymmetricOperator
from ._dense import Dense, GradientCovariance
from ._kernel import KernelOperator, kernel_matrix

__all__ = [
    "Adopted",
    "Dense",
    "GradientCovariance",
    "KernelOperator",
    "SymmetricOperator",
    "as_operator",
    "kernel_matrix",
]
