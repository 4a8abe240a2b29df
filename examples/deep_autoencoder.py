# %% [markdown]
# # A deep autoencoder on images
# Targets may be the inputs themselves. Handwritten digits go through a bottleneck of eight units; one word trains all layers, the
# linearised network, or the last layer only.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from ntkswift import stax, train
from ntkswift.plotting import TrainingDisplay
from ntkswift.training import Adam, EarlyStopping

images = load_digits().data / 16.0
mean = images[:1280].mean(axis=0)
x, x_test = images[:1280] - mean, images[1280:] - mean


def layer(width):
    """A nonlinear layer."""
    return stax.serial(stax.Dense(width, W_std=1.5, b_std=0.1), stax.Tanh())


network = stax.serial(layer(256), layer(128), layer(8), layer(128), layer(256), stax.Dense(64, b_std=0.1))
_, params = network.init_fn(0, x.shape)

# %% [markdown]
# Principal components with as many numbers per image are what a linear autoencoder can reach.

# %%
_, _, directions = np.linalg.svd(x, full_matrices=False)
linear = x_test @ directions[:8].T @ directions[:8]
print(f"eight principal components: {0.5 * np.mean((linear - x_test) ** 2):.5f}")

# %%
histories = {
    mode: train(
        network, params, x, x, optimizer=Adam(0.02), batch_size=64, epochs=30, schedule="cosine", mode=mode,
        x_test=x_test, y_test=x_test, stop=EarlyStopping(patience=8, restore_best=True),
    )
    for mode in ("full", "lazy", "random_features")
}  # fmt: skip
for mode, history in histories.items():
    print(
        f"{mode}: loss on new images {history.validation_loss.min():.5f} after {history.steps} steps ({history.stopped})"
    )

# %%
TrainingDisplay.from_histories(histories).plot().figure_.savefig("autoencoder_losses.png", dpi=120)
rows = [x_test[:8], network.apply_fn(histories["full"].params, x_test[:8])]
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for i, row in enumerate(rows):
    for image, place in zip(row, axes[i], strict=True):
        place.imshow((image + mean).reshape(8, 8), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
figure.savefig("autoencoder_images.png", dpi=120)
