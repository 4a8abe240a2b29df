# %% [markdown]
# # Regression with uncertainty
# An infinitely wide Bayesian network (NNGP) and one trained by gradient descent (NTK), on the same observations.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ntkswift.estimators import NNGPRegressor, NTKRegressor
from ntkswift.plotting import PosteriorDisplay

random = np.random.default_rng(1)
X = random.uniform(-2, 2, (14, 1))
y = np.sin(2.5 * X[:, 0]) + 0.1 * random.standard_normal(len(X))

# %%
models = {
    "NNGP: Bayesian inference": NNGPRegressor(depth=2, activation="erf", W_std=2.5, b_std=1.0, ridge=0.01),
    "NTK: gradient descent": NTKRegressor(depth=2, activation="erf", W_std=2.5, b_std=1.0, ridge=0.01),
}
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for ax, (title, model) in zip(axes, models.items(), strict=True):
    model.fit(X, y)
    PosteriorDisplay.from_estimator(model, X, y, truth=lambda x: np.sin(2.5 * x)).plot(ax)
    ax.set_title(title)
figure.savefig("regression.png", dpi=120)

# %% [markdown]
# The band is as wide as the network is unsure: narrow at the observations, wide away from them.

# %%
for title, model in models.items():
    _, std = model.predict(np.array([[X[0, 0]], [5.0]]), return_std=True)
    print(f"{title}: std {std[0]:.3f} at an observation, {std[1]:.3f} far away")
