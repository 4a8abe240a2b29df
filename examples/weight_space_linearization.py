# %% [markdown]
# # Training a network and its linearisation
# A wide network stays close to its linearisation in the parameters while it is trained. Here both are trained on handwritten
# digits, from the same weights and on the same batches; one word says which.

# %%
import numpy as np
from sklearn.datasets import load_digits

from ntkswift import empirical, stax, train
from ntkswift.plotting import TrainingDisplay
from ntkswift.training import SGD

images, labels = load_digits(return_X_y=True)
images = (images - images.mean()) / images.std()
x, x_test, y, y_test = images[:1280], images[1280:], labels[:1280], labels[1280:]

network = stax.serial(stax.Dense(512, 1.0, 0.05), stax.Erf(), stax.Dense(10, 1.0, 0.05))
init_fn, apply_fn, _ = network
_, params = init_fn(0, x.shape)

# %% [markdown]
# `loss="cross_entropy"` takes integer labels, and averages over the inputs (neural-tangents' notebook also averages over the
# ten classes, so its learning rate of 1 is one of 0.1 here).

# %%
settings = {"optimizer": SGD(0.1, momentum=0.9), "loss": "cross_entropy", "batch_size": 128, "epochs": 20, "every": 40}
histories = {
    mode: train(network, params, x, y, mode=mode, x_test=x_test, y_test=y_test, seed=1, **settings)
    for mode in ("full", "lazy", "random_features")
}
print(f"{'step':>5}  " + "  ".join(f"{mode:>16}" for mode in histories))
for k, step in enumerate(histories["full"].recorded):
    print(f"{step:>5}  " + "  ".join(f"{history.validation_loss[k]:16.4f}" for history in histories.values()))
for mode, history in histories.items():
    print(f"{mode}: {100 * history.validation_accuracy[-1]:.1f} % of the test images are classified correctly")

# %% [markdown]
# How far the two functions are apart, and how far they have come. `linearize` is the same model as a function.

# %%
f_lin = empirical.linearize(apply_fn, params)
full = apply_fn(histories["full"].params, x_test)
lazy = f_lin(histories["lazy"].params, x_test)
print("apart:", np.abs(full - lazy).mean().round(3), "moved:", np.abs(full - apply_fn(params, x_test)).mean().round(3))
TrainingDisplay.from_histories(histories).plot().figure_.savefig("weight_space.png", dpi=120)
