"""Kernels, linearisations and expansions of finite networks, with neural-tangents' names.

>>> import numpy as np
>>> from ntkswift import empirical, stax
>>> init_fn, apply_fn, kernel_fn = stax.serial(stax.Dense(512), stax.Erf(), stax.Dense(2))
>>> x = np.random.default_rng(0).standard_normal((5, 3))
>>> _, params = init_fn(0, x.shape)
>>> empirical.empirical_ntk_fn(apply_fn)(x, None, params).shape
(5, 5)
"""

from ._batching import batch
from ._expansion import Expansion, linearize, taylor_expand
from ._gradients import curvature_vector_product, gradient_gram, loss_and_gradient
from ._jacobians import empirical_ntk_from_jacobians
from ._kernels import empirical_kernel_fn, empirical_nngp_fn, empirical_ntk_fn, empirical_ntk_vp_fn
from ._monte_carlo import monte_carlo_kernel_fn

__all__ = [
    "Expansion",
    "batch",
    "curvature_vector_product",
    "empirical_kernel_fn",
    "empirical_nngp_fn",
    "empirical_ntk_fn",
    "empirical_ntk_from_jacobians",
    "empirical_ntk_vp_fn",
    "gradient_gram",
    "linearize",
    "loss_and_gradient",
    "monte_carlo_kernel_fn",
    "taylor_expand",
]
