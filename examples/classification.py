# %% [markdown]
# # Classification
# Handwritten digits: a pipeline, grid search over depth and ridge, and what the kernel looks like.

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ntkswift import stax
from ntkswift.estimators import NTKClassifier
from ntkswift.plotting import GramMatrixDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
pipeline = make_pipeline(StandardScaler(), NTKClassifier(activation="relu"))
grid = {"ntkclassifier__depth": [1, 3], "ntkclassifier__ridge": [1e-3, 1e-1]}
search = GridSearchCV(pipeline, grid, cv=3).fit(X_train, y_train)
print("chosen:", search.best_params_)
print(f"accuracy on the other half: {100 * search.score(X_test, y_test):.1f} %")

# %% [markdown]
# Images of the same class are close for the network: blocks along the diagonal.

# %%
kernel_fn = stax.serial(stax.Dense(512, b_std=0.1), stax.Relu(), stax.Dense(1)).kernel_fn
scaled = StandardScaler().fit_transform(X_train)
GramMatrixDisplay.from_kernel(kernel_fn, scaled, labels=y_train, normalize=True).plot()
plt.savefig("gram.png", dpi=120)
