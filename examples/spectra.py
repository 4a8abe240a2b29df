# %% [markdown]
# # Spectra of kernels on the sphere
# How fast is each frequency learnt? One eigenvalue per frequency says it.

# %%
import numpy as np

import ntkswift
from ntkswift import spectra

found = spectra.compare(
    FC=spectra.fully_connected(3),
    ResNTK=ntkswift.resntk(3, 0.5, input_dim=3),
    Laplace=spectra.laplace(),
    dimension=3,
    max_frequency=200,
)
print(found)

# %% [markdown]
# Each spectrum states its errors, and checks that all eigenvalues add up to the kernel at angle 0.

# %%
print(found.spectra["ResNTK"])
print("lambda_200 =", found.spectra["ResNTK"].eigenvalues[200], "+-", found.spectra["ResNTK"].errors[200])

# %% [markdown]
# Deep residual networks with branches of weight 1/L hardly learn odd frequencies on the circle; 1/sqrt(L) cures it.

# %%
for gamma in (1.0, 0.5):
    circle = spectra.sphere_spectrum(ntkswift.resntk(50, gamma=gamma, input_dim=2), 2, 8)
    print(
        f"alpha = L^-{gamma:g}:",
        circle.eigenvalues[1:].round(5),
        "lambda_3 / neighbours:",
        round(circle.parity_ratio(3), 3),
    )

# %% [markdown]
# What a target costs (its norm in the kernel's space), and how many samples learn it: theory, and one regression.

# %%
energies = spectra.zonal_energies(lambda cosine: np.exp(2 * cosine), 3, 30)
spectrum = found.spectra["ResNTK"]
print("norm:", round(spectrum.rkhs_norm(energies), 3))
curve = spectra.learning_curve(spectrum, energies, [10, 100])
rng = np.random.default_rng(0)
kernel_fn = ntkswift.resntk(3, 0.5, input_dim=3).kernel_fn
for n, predicted in zip(curve.samples.astype(int), curve.error):
    X = rng.standard_normal((n + 500, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = np.exp(2 * X[:, 0])
    gram = kernel_fn(X, None, "ntk")
    error = np.mean((gram[n:, :n] @ np.linalg.solve(gram[:n, :n], y[:n]) - y[n:]) ** 2)
    print(f"n = {n}: predicted error {predicted:.4f}, one regression {error:.4f}")

# %% [markdown]
# On data: the largest eigenvalues of the kernel matrix without the matrix, and where the labels lie among its eigenvectors.

# %%
values, vectors = spectra.gram_eigenvalues(kernel_fn, X, 10, vectors=True)
print("top eigenvalues:", values.round(3)[:5])
print("share of the labels along the top ten:", spectra.label_alignment(vectors, y).cumulative[-1].round(4))
