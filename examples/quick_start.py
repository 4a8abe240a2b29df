# %% [markdown]
# # Quick start
# Describe a network, look at its kernels, train it for ever in closed form.

# %%
import numpy as np

from ntkswift import predict, stax

network = stax.serial(
    stax.repeat(stax.serial(stax.Dense(512, W_std=1.5, b_std=0.1), stax.Relu()), 3),
    stax.Dense(1, b_std=0.1),
)
print(network)

# %% [markdown]
# A network unpacks into three functions. `kernel_fn` is exact for infinite width; the other two make and run finite networks.

# %%
init_fn, apply_fn, kernel_fn = network
x = np.linspace(-2, 2, 12)[:, None]
y = np.sin(2 * x)
kernels = kernel_fn(x, None, ("nngp", "ntk"))
print("NNGP", kernels.nngp.shape, "NTK", kernels.ntk.shape)

# %% [markdown]
# A finite network with random weights is one draw from the NNGP prior: over many of them the covariance is the NNGP kernel.

# %%
outputs = np.hstack([apply_fn(init_fn(seed, x.shape)[1], x) for seed in range(200)])
print("largest difference:", np.abs(np.cov(outputs, bias=True) - kernels.nngp).max().round(2))

# %% [markdown]
# Training by gradient flow on the mean squared error, to any time. `None` is the limit.

# %%
predict_fn = predict.gradient_descent_mse_ensemble(kernel_fn, x, y, diag_reg=1e-5)
x_test = np.array([[-1.5], [0.1], [1.3]])
for t in (1.0, 100.0, None):
    mean = predict_fn(t=t, x_test=x_test, get="ntk")
    print("t =", t, "error", np.abs(mean - np.sin(2 * x_test)).max().round(3))
