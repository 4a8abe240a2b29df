# %% [markdown]
# # The NTK of a network of finite width
# Every pair of outputs at every pair of inputs, for a network with 15 million parameters. Layer inputs and backpropagated
# signals are contracted layer by layer, so the Jacobian (15 GB for each set of inputs) is never made.

# %%
import time

import numpy as np

from ntkswift import empirical, stax

n, outputs = 16, 8
rng = np.random.default_rng(1)
x1, x2 = rng.standard_normal((2, n, 3072))
init_fn, apply_fn, kernel_fn = stax.serial(
    stax.Dense(2048), stax.Relu(), stax.Dense(2048), stax.Relu(), stax.Dense(2048), stax.Relu(), stax.Dense(outputs)
)
_, params = init_fn(0, x1.shape)

# %%
ntk_fn = empirical.empirical_ntk_fn(apply_fn, trace_axes=())
began = time.process_time()
full = ntk_fn(x1, x2, params)
print("all pairs of outputs:", full.shape, f"in {time.process_time() - began:.2f} s of CPU time")

# %% [markdown]
# Other contractions follow from arguments, and cost less than the whole: the mean over outputs, and each output with itself.

# %%
traced = empirical.empirical_ntk_fn(apply_fn)(x1, x2, params)
diagonal = empirical.empirical_ntk_fn(apply_fn, trace_axes=(), diagonal_axes=(-1,))(x1, x2, params)
print("trace:", np.abs(traced - np.trace(full, axis1=2, axis2=3) / outputs).max() / np.abs(full).mean())
print("diagonal:", np.abs(diagonal - np.diagonal(full, axis1=2, axis2=3)).max() / np.abs(full).mean())

# %% [markdown]
# Products with a vector need no kernel at all; the same number by two ways.

# %%
vector = rng.standard_normal((n, outputs))
product = empirical.empirical_ntk_vp_fn(apply_fn, x1, x2, params)(vector)
print("kernel times vector:", np.abs(product - np.einsum("ijkl,jl->ik", full, vector)).max() / np.abs(product).mean())

# %% [markdown]
# An independent check on a small network: gradients of single outputs, put together as a Jacobian.

# %%
small = stax.serial(stax.Dense(32), stax.Relu(), stax.Dense(32), stax.Relu(), stax.Dense(3))
points = rng.standard_normal((5, 7))
_, weights = small.init_fn(0, points.shape)


def jacobian(which, step=1e-6):
    """Derivatives of all outputs by one layer's weights, by central differences."""
    base = weights[which][0]
    result = np.zeros((len(points), 3, base.size))
    for k in range(base.size):
        shift = np.zeros(base.size)
        shift[k] = step
        sides = []
        for sign in (1, -1):
            moved = list(weights)
            moved[which] = (base + sign * shift.reshape(base.shape), None)
            sides.append(small.apply_fn(tuple(moved), points))
        result[:, :, k] = (sides[0] - sides[1]) / (2 * step)
    return result


from_differences = empirical.empirical_ntk_from_jacobians([jacobian(layer) for layer in (0, 2, 4)])
exact = empirical.empirical_ntk_fn(small.apply_fn)(points, None, weights)
print("against finite differences:", np.abs(from_differences - exact).max() / np.abs(exact).max())

# %% [markdown]
# And against infinite width: the traced kernel of the wide network is already close to its limit.

# %%
limit = kernel_fn(x1, x2, "ntk")
print("against infinite width:", np.abs(traced - limit).max() / np.abs(kernel_fn(x1, None, "ntk")).max())
