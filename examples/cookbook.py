# %% [markdown]
# # Infinite networks and ensembles of finite ones
# A noisy sine: the prior of a network, exact inference in infinite width, the loss along training, and an ensemble of real
# networks that is trained to check all of it. Then the same with residual branches.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ntkswift import predict, stax, train
from ntkswift.training import GD, interrupts_raise

rng = np.random.default_rng(10)
x = rng.uniform(-np.pi, np.pi, (5, 1))
y = np.sin(x) + 0.1 * rng.standard_normal(x.shape)
x_test = np.linspace(-np.pi, np.pi, 50)[:, None]
y_test = np.sin(x_test)

network = stax.serial(
    stax.Dense(256, W_std=1.5, b_std=0.05), stax.Erf(),
    stax.Dense(256, W_std=1.5, b_std=0.05), stax.Erf(),
    stax.Dense(1, W_std=1.5, b_std=0.05),
)  # fmt: skip

# %% [markdown]
# Before training: functions of random networks against the standard deviation of the Gaussian process that they approach.

# %%
init_fn, apply_fn, kernel_fn = network
draws = np.hstack([apply_fn(init_fn(seed, x.shape)[1], x_test) for seed in range(100)])
prior = np.sqrt(np.diag(kernel_fn(x_test, None, "nngp")))
print("prior deviation, networks / infinite width:", (draws.std(axis=1) / prior).mean().round(3))

# %% [markdown]
# After training: Bayesian inference ("nngp") and gradient descent for ever ("ntk").

# %%
predict_fn = predict.gradient_descent_mse_ensemble(kernel_fn, x, y, diag_reg=1e-4)
bayes, bayes_covariance = predict_fn(x_test=x_test, get="nngp", compute_cov=True)
mean, covariance = predict_fn(x_test=x_test, get="ntk", compute_cov=True)
print("largest difference of the two means:", np.abs(bayes - mean).max().round(3))

# %% [markdown]
# Along training, the mean loss of the ensemble is half of squared bias plus variance.

# %%
learning_rate, steps = 0.1, 1000
times = np.geomspace(1, steps, 12).round() * learning_rate


def expected_loss(predictor, targets, inputs=None):
    """Mean loss of the infinite ensemble at `times`."""
    means, covariances = predictor(t=times, x_test=inputs, get="ntk", compute_cov=True)
    return 0.5 * np.mean((means - targets) ** 2, axis=(1, 2)) + 0.5 * np.mean(
        np.diagonal(covariances, axis1=1, axis2=2), axis=1
    )


# %% [markdown]
# Real networks, trained one after the other on the same points.


# %%
def train_ensemble(layers, members):
    """Histories, and outputs at the test points after training."""
    histories, outputs = [], []
    with interrupts_raise():  # Ctrl-C ends the ensemble, not only the run that it meets
        for seed in range(members):
            _, start = layers.init_fn(seed, x.shape)
            histories.append(
                train(layers, start, x, y, optimizer=GD(learning_rate), steps=steps, x_test=x_test, y_test=y_test)
            )
            outputs.append(layers.apply_fn(histories[-1].params, x_test)[:, 0])
    return histories, np.array(outputs)


def compare(title, layers, members):
    """Train an ensemble, print it beside infinite width, and return what a figure needs."""
    predictor = predict.gradient_descent_mse_ensemble(layers.kernel_fn, x, y, diag_reg=1e-4)
    histories, outputs = train_ensemble(layers, members)
    end = steps * learning_rate
    limit, spread = predictor(t=end, x_test=x_test, get="ntk", compute_cov=True)
    losses = np.mean([history.loss for history in histories], axis=0)
    print(f"\n{title}\n step  networks  infinite width (training loss)")
    for t, value in zip(times, expected_loss(predictor, y), strict=True):
        step = round(t / learning_rate)
        print(f"{step:>5}  {losses[min(step, steps - 1)]:.5f}   {value:.5f}")
    deviation = np.sqrt(np.diag(spread))
    print(
        "means apart, in deviations of the ensemble:",
        (np.abs(outputs.mean(0) - limit[:, 0]) / deviation).mean().round(2),
    )
    print("deviation, networks / infinite width:", (outputs.std(axis=0) / deviation).mean().round(2))
    return outputs, limit[:, 0], deviation


outputs, limit, deviation = compare("two hidden layers", network, members=12)

# %%
axes = plt.subplots(figsize=(6, 4), layout="constrained")[1]
axes.fill_between(x_test[:, 0], limit - 2 * deviation, limit + 2 * deviation, alpha=0.3, label="infinite width")
axes.plot(x_test, outputs.T, color="black", linewidth=0.5)
axes.plot(x, y, "o", color="tab:red", label="training points")
axes.legend()
plt.savefig("cookbook.png", dpi=120)

# %% [markdown]
# Another architecture is another description; nothing else changes.

# %%
block = stax.serial(
    stax.FanOut(2),
    stax.parallel(stax.serial(stax.Erf(), stax.Dense(128, W_std=1.1, b_std=0.0)), stax.Identity()),
    stax.FanInSum(),
)
residual = stax.serial(stax.Dense(128, b_std=0.0), block, block, stax.Erf(), stax.Dense(1, W_std=1.5, b_std=0.0))
compare("residual branches", residual, members=12)
