"""Linear systems with symmetric operators: ``solve(A, b)`` by the solvers of the table `METHODS`.

>>> import numpy as np
>>> from ntkswift import operators, solvers, stax
>>> network = stax.serial(stax.Dense(512), stax.Relu(), stax.Dense(1))
>>> kernel = operators.KernelOperator(network, np.eye(4), ridge=0.1)
>>> found = solvers.solve(kernel, np.ones(4), method="cg")
>>> found.status
'converged'
>>> bool(np.allclose(kernel @ found.solution, 1.0))
True
"""

from ._solve import METHODS, STATUSES, SolveResult, solve
from ._solve import automatic as automatic  # for the estimators: no part of what users are offered

__all__ = ["METHODS", "STATUSES", "SolveResult", "solve"]
