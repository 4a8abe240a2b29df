# %% [markdown]
# # Predicting training from the empirical kernel
# The kernel of a finite network at its initial weights predicts how its outputs move during training, without training it.
# Three trainings of one network are compared with their predictions: mean squared error, cross-entropy, and cross-entropy with
# momentum.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from ntkswift import empirical, predict, stax, train
from ntkswift.training import GD

images, labels = load_digits(return_X_y=True)
images = (images - images.mean()) / images.std()
x, y, x_test = images[:64], np.eye(10)[labels[:64]], images[64:128]

network = stax.serial(stax.Dense(512, 1.0, 0.05), stax.Erf(), stax.Dense(10, 1.0, 0.05))
init_fn, apply_fn, _ = network
_, params = init_fn(0, x.shape)

# %% [markdown]
# The traced kernel is one number per pair of images; it stands for all ten outputs.

# %%
kernel_fn = empirical.empirical_ntk_fn(apply_fn)
k_train_train, k_test_train = kernel_fn(x, None, params), kernel_fn(x_test, x, params)
start, start_test = apply_fn(params, x), apply_fn(params, x_test)
print("kernels", k_train_train.shape, k_test_train.shape)

steps = 1000
times = np.arange(0, steps, 100)


def report(title, history, outputs, loss):
    """Print measured and predicted losses every hundred steps."""
    print(f"\n{title}\n step  network  predicted")
    for t, f in zip(times, outputs, strict=True):
        print(f"{t:>5}  {history.loss[t]:.5f}  {loss(f):.5f}")


# %% [markdown]
# Mean squared error has a closed form.

# %%
history = train(network, params, x, y, optimizer=GD(1.0), steps=steps)
predictor = predict.gradient_descent_mse(k_train_train, y, learning_rate=1.0)
mse_outputs, test_outputs = predictor(times, start, start_test, k_test_train)
report("mean squared error", history, mse_outputs, lambda f: 0.5 * np.mean((f - y) ** 2))
measured = apply_fn(history.params, x_test)
predicted = predictor(float(steps), start, start_test, k_test_train)[1]
print(
    "test outputs: apart",
    np.abs(measured - predicted).mean().round(4),
    "moved",
    np.abs(measured - start_test).mean().round(4),
)

# %% [markdown]
# Cross-entropy, the mean over inputs everywhere, is integrated numerically.


# %%
def cross_entropy(f):
    """Mean over the inputs."""
    shifted = f - f.max(axis=1, keepdims=True)
    return -np.mean(np.sum(y * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))), axis=1))


settings = {"loss": "cross_entropy", "steps": steps}
plain = train(network, params, x, y, optimizer=GD(0.1), **settings)
outputs = predict.gradient_descent("cross_entropy", k_train_train, y, learning_rate=0.1)(times, start)
report("cross-entropy", plain, outputs, cross_entropy)

# %% [markdown]
# With momentum, continuous time is a coarser picture of the steps.

# %%
heavy = train(network, params, x, y, optimizer=GD(0.1, momentum=0.9), **settings)
heavy_outputs = predict.gradient_descent("cross_entropy", k_train_train, y, learning_rate=0.1, momentum=0.9)(
    times, start
)
report("cross-entropy with momentum", heavy, heavy_outputs, cross_entropy)

# %%
axes = plt.subplots(figsize=(6, 4), layout="constrained")[1]
for name, run, predictions in (("plain", plain, outputs), ("momentum", heavy, heavy_outputs)):
    line = axes.semilogy(run.loss, label=name)[0]
    axes.semilogy(
        times, [cross_entropy(f) for f in predictions], "o", color=line.get_color(), label=f"{name}, predicted"
    )
axes.set(xlabel="step", ylabel="cross-entropy")
axes.legend()
plt.savefig("function_space.png", dpi=120)
