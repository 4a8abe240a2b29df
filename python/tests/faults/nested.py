"""GridSearchCV(n_jobs=2) whose scorer watches, in the worker process, how many threads a kernel starts.

Prints how many three threads look like, and the most that a worker process started.
"""

import os
import threading

import numpy as np
from sklearn.model_selection import GridSearchCV

from ntkswift import num_threads, stax
from ntkswift.estimators import NTKRegressor

KERNEL_FN = stax.serial(stax.repeat(stax.serial(stax.Dense(8, 1.5, 0.1), stax.Erf()), 5), stax.Dense(1)).kernel_fn


def threads_started(estimator=None, X=None, y=None):
    done, seen = threading.Event(), []

    def watch():
        while not done.wait(0.0005):
            seen.append(len(os.listdir("/proc/self/task")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = len(os.listdir("/proc/self/task"))
    KERNEL_FN(np.random.default_rng(0).standard_normal((1500, 10)))
    done.set()
    watcher.join()
    return float(max(seen, default=before) - before)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    search = GridSearchCV(
        NTKRegressor(), {"ridge": [1e-3, 1e-2, 1e-1]}, cv=3, n_jobs=2, scoring=threads_started, refit=False
    )
    results = search.fit(X, y).cv_results_
    with num_threads(3):
        print(int(threads_started()))
    print(int(max(results[f"split{k}_test_score"].max() for k in range(3))))
