# %% [markdown]
# # Autoencoders: one half trained, or both
# Two-layer ReLU autoencoders on a few random directions. Joint training moves encoder and decoder, weak training only
# the encoder.

# %%
import numpy as np

from ntkswift.regimes import Autoencoder

X = np.random.default_rng(0).standard_normal((12, 20))
new = np.random.default_rng(1).standard_normal((5, 20))

# %% [markdown]
# Infinite width gives step sizes and rates before anything is trained.

# %%
for mode in ("weak", "joint"):
    bounds = Autoencoder(mode=mode, normalize=True).bounds(X)
    print(
        f"{mode}: largest stable learning rate {bounds.max_learning_rate:.1f}, late factor per step {bounds.late_rate:.3f}"
    )

# %% [markdown]
# Wide networks follow the predicted loss curve. Their weights hardly move.

# %%
for width in (100, 1000, 10_000):
    model = Autoencoder(width, "joint", steps=40, normalize=True, random_state=0).fit(X)
    loss, predicted = model.history_.loss, model.predicted_loss()
    print(
        f"width {width}: loss {loss[-1]:.1e}, predicted {predicted[-1]:.1e}, moved {model.history_.encoder_movement[-1]:.3f}"
    )

# %% [markdown]
# What they learn is not the identity: reconstructions of new inputs are combinations of the training inputs.

# %%
model = Autoencoder(4000, steps=150, normalize=True, decoder_init="mirrored", random_state=0).fit(X)
reconstructed, infinite = model.reconstruct(new), model.predict_infinite(new)
print("distance from the infinitely wide network:", np.linalg.norm(reconstructed - infinite) / np.linalg.norm(infinite))
print("distance from the inputs themselves:", np.linalg.norm(reconstructed - new) / np.linalg.norm(new))

# %% [markdown]
# Tied weights have no such limit: with the same scaling their outputs grow with the width before any training.

# %%
for width in (100, 10_000):
    tied = Autoencoder(width, "tied", steps=0, normalize=True, random_state=0).fit(X)
    print(f"width {width}: outputs of norm {tied.history_.initial_output_norm:.1f}")
