# %% [markdown]
# # Hyper-parameters by marginal likelihood
# Weights, biases and noise are chosen by climbing the log marginal likelihood with its exact gradient; depth by
# comparing the peaks.

# %%
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import WhiteKernel
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from ntkswift.estimators import NNGPRegressor, NTKKernel

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
targets = (y_train - y_train.mean()) / y_train.std()

# %% [markdown]
# `NTKKernel` is a kernel of scikit-learn's Gaussian processes; with `eval_gradient` it hands the optimiser exact derivatives.

# %%
fitted = {}
for depth in (1, 2, 3):
    kernel = NTKKernel(depth=depth, activation="erf", kernel="nngp") + WhiteKernel(0.5)
    fitted[depth] = GaussianProcessRegressor(kernel).fit(X_train, targets)
    print(
        f"depth {depth}: log marginal likelihood {fitted[depth].log_marginal_likelihood_value_:.2f} with {fitted[depth].kernel_}"
    )

# %% [markdown]
# The best of them, as an estimator of its own.

# %%
depth = max(fitted, key=lambda d: fitted[d].log_marginal_likelihood_value_)
best = fitted[depth].kernel_
W_std, b_std, noise = best.k1.W_std, best.k1.b_std, best.k2.noise_level
gram = best.k1(X_train)
model = NNGPRegressor(depth=depth, activation="erf", W_std=W_std, b_std=b_std, ridge=noise / np.diag(gram).mean())
mean, std = model.fit(X_train, y_train).predict(X_test, return_std=True)
noisy = np.sqrt(std**2 + noise * y_train.var())
inside = np.abs(y_test - mean) < 1.96 * noisy
print(
    f"RMSE {np.sqrt(np.mean((mean - y_test) ** 2)):.1f}; {100 * inside.mean():.0f} % of the targets lie in their 95 % interval"
)
