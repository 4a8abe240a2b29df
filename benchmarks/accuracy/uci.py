"""NTK support vector machines on the UCI classification sets, by the published protocol, compared set by set.

    python -m benchmarks.accuracy.uci path/to/uci_classification [--jobs 2] [--sets iris zoo] [--max-n 1000]

The protocol (Arora et al., "Harnessing the power of infinitely wide deep nets on small-data tasks", ICLR 2020,
arXiv 1910.01663): 15 kernels of ReLU networks, depth 0 to 4 and the first ``fixed`` layers untrained; a C-SVM with
seven values of C; depth, fixed layers and C are chosen on one given half/half split (the first best wins, in the
order depth, fixed, C); the accuracy is the mean over four given splits into training and test part.

The data folder holds one ``NAME.npz`` per set: ``X``, ``y``, ``hp_train``, ``hp_val``, ``fold0_train``,
``fold0_test``, ... ``fold3_test``. ``uci_published.json`` beside this script lists the accuracies to be met.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

PUBLISHED = Path(__file__).with_name("uci_published.json")
C_VALUES = tuple(10.0**k for k in range(-2, 5))
MAX_DEPTH = 4
FOLDS = 4

Kernels = Iterator[tuple[int, int, np.ndarray]]


def network(depth: int, fixed: int, d: int) -> Any:
    """The kernel function of a ReLU network with ``depth`` hidden layers whose first ``fixed`` layers are not trained.

    The published recursion starts from X X^T without division by the dimension and has no factor 2 after a ReLU:
    W_std = sqrt(d) in the first layer and 1 in the others.
    """
    from ntkswift import stax

    layers = []
    for index in range(depth + 1):
        if index:
            layers.append(stax.Relu())
        layers.append(stax.Dense(512, W_std=1.0 if index else math.sqrt(d), b_std=None, trainable=index >= fixed))
    return stax.serial(*layers)[2]


def kernels(X: np.ndarray) -> Kernels:
    """Yields (depth, fixed, Gram matrix) for the 15 kernels, in the order in which the protocol tries them."""
    for depth in range(MAX_DEPTH + 1):
        for fixed in range(depth + 1):
            yield depth, fixed, np.asarray(network(depth, fixed, X.shape[1])(X, None, "ntk"))


def svm(K: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, C: float) -> float:
    """The accuracy on ``test`` of a C-SVM trained on ``train``. Larger sets stop after 200 000 iterations."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    model = SVC(kernel="precomputed", C=C, cache_size=500, max_iter=200_000 if len(y) > 600 else -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(K[np.ix_(train, train)], y[train])
    return float(np.mean(model.predict(K[np.ix_(test, train)]) == y[test]))


def run_set(path: Path, kernels: Callable[[np.ndarray], Kernels] = kernels) -> dict[str, Any]:
    """Runs the whole protocol on one set: accuracy in percent, selected (depth, fixed, C), seconds by part."""
    with np.load(path, allow_pickle=False) as data:
        part = {name: data[name] for name in data.files}
    X, y = part["X"], part["y"]
    seconds = {"kernels": 0.0, "svm": 0.0}
    best, best_K, choice = -1.0, None, (0, 0, 0.0)
    grid = kernels(X)
    while True:
        start = time.perf_counter()
        item = next(grid, None)
        seconds["kernels"] += time.perf_counter() - start
        if item is None:
            break
        depth, fixed, K = item
        start = time.perf_counter()
        for C in C_VALUES:
            accuracy = svm(K, y, part["hp_train"], part["hp_val"], C)
            if accuracy > best:
                best, best_K, choice = accuracy, K, (depth, fixed, C)
        seconds["svm"] += time.perf_counter() - start
    assert best_K is not None
    start = time.perf_counter()
    folds = [svm(best_K, y, part[f"fold{k}_train"], part[f"fold{k}_test"], choice[2]) for k in range(FOLDS)]
    seconds["svm"] += time.perf_counter() - start
    return {
        "name": path.stem,
        "n": len(y),
        "d": X.shape[1],
        "accuracy": 100 * float(np.mean(folds)),
        "validation": 100 * best,
        "depth": choice[0],
        "fixed": choice[1],
        "C": choice[2],
        "seconds": seconds,
    }


def prepare_process() -> None:
    """Sets are spread over processes, so each of them works with one thread; scikit-learn is loaded before the clock runs."""
    for name in ("NTKSWIFT_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    importlib.import_module("sklearn.svm")


def run(paths: list[Path], jobs: int, report: Callable[[dict[str, Any]], None], source: Any = kernels) -> list[dict]:
    """Runs the sets over ``jobs`` processes, the largest first, and reports each in the order of size."""
    paths = sorted(paths, key=lambda path: -path.stat().st_size)
    results = []
    with ProcessPoolExecutor(jobs, initializer=prepare_process) as pool:
        for future in [pool.submit(run_set, path, source) for path in paths]:
            results.append(future.result())
            report(results[-1])
    return sorted(results, key=lambda result: result["name"])


def compare(results: list[dict], published: dict[str, dict]) -> dict[str, float]:
    """Mean absolute difference to the listed accuracies, in points, and how many selections are the same."""
    pairs = [(result, published[result["name"]]) for result in results]
    differences = [abs(result["accuracy"] - listed["accuracy"]) for result, listed in pairs]
    same = [[result["depth"], result["fixed"], result["C"]] == listed["selection"] for result, listed in pairs]
    return {
        "sets": len(pairs),
        "mean_accuracy": float(np.mean([result["accuracy"] for result in results])),
        "mean_listed": float(np.mean([listed["accuracy"] for _, listed in pairs])),
        "mean_absolute_difference": float(np.mean(differences)),
        "largest_difference": max(differences),
        "same_selection": sum(same),
        "kernel_seconds": sum(r["seconds"]["kernels"] for r in results),
        "svm_seconds": sum(r["seconds"]["svm"] for r in results),
    }


def row(result: dict[str, Any], listed: dict[str, Any]) -> str:
    """One line of the table."""
    selection = f"{result['depth']} {result['fixed']} {result['C']:g}"
    listed_selection = "{} {} {:g}".format(*listed["selection"]) if listed["selection"] else "-"
    return (
        f"{result['name']:36s} {result['n']:5d} {result['accuracy']:7.2f} {listed['accuracy']:7.2f} "
        f"{result['accuracy'] - listed['accuracy']:+6.2f}  {selection:11s} {listed_selection:11s} "
        f"{result['seconds']['kernels']:8.2f} {result['seconds']['svm']:8.2f}"
    )


def main(argv: list[str] | None = None, source: Any = kernels) -> int:
    """Command line; the exit status is 0 when the mean absolute difference is under 0.1 point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.uci", description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder with one .npz file per set")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="only these sets")
    parser.add_argument("--max-n", type=int, default=10**9, help="only sets with at most this many rows")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (one set each)")
    parser.add_argument("--json", type=Path, default=Path("reports/uci.json"), help="where the figures are written")
    args = parser.parse_args(argv)
    published = json.loads(PUBLISHED.read_text())["sets"]
    wanted = args.sets or [name for name, listed in published.items() if listed["n"] <= args.max_n]
    paths = [args.data / f"{name}.npz" for name in wanted]
    missing = [path.name for path in paths if not path.exists()] + [name for name in wanted if name not in published]
    if missing:
        parser.error(f"{args.data} should hold the listed sets. Missing or not listed: {', '.join(missing)}.")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.touch()  # it fails now, and not after the hours of work
    print(
        f"{'set':36s} {'n':>5s} {'here':>7s} {'listed':>7s} {'diff':>6s}  {'selected':11s} {'listed':11s} "
        f"{'kernel s':>8s} {'svm s':>8s}"
    )
    start = time.perf_counter()
    results = run(paths, args.jobs, lambda result: print(row(result, published[result["name"]]), flush=True), source)
    summary = compare(results, published) | {"wall_seconds": time.perf_counter() - start, "jobs": args.jobs}
    print(json.dumps(summary, indent=1))
    args.json.write_text(json.dumps({"summary": summary, "sets": results}, indent=1))
    return 0 if summary["mean_absolute_difference"] < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
