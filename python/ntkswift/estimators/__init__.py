"""Infinitely wide networks as scikit-learn estimators.

They follow scikit-learn's contract (`fit`, `predict`, `get_params`, cloning, pickling) and work in `Pipeline` and
`GridSearchCV`. Scale the features first, with `StandardScaler` for example: the kernels depend on the lengths of the
inputs.
"""

from ._classifier import NTKClassifier
from ._kernel import NTKKernel
from ._regressors import NNGPRegressor, NTKRegressor

__all__ = ["NNGPRegressor", "NTKClassifier", "NTKKernel", "NTKRegressor"]
