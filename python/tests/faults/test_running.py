"""RELIABILITY 16 to 21: interrupts, other Python threads, processes, seeds, and objects that travel."""

import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel
from sklearn.base import clone

from ntkswift import stax
from ntkswift.estimators import NNGPRegressor, NTKClassifier, NTKKernel, NTKRegressor

HERE = Path(__file__).parent
RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = np.sin(X).sum(axis=1)
LABELS = np.where(Y > 0, "up", "down")
ESTIMATORS = [
    NTKRegressor(),
    NNGPRegressor(activation="erf"),
    NTKClassifier(),
    NTKClassifier(method="svm"),
    NTKRegressor(stax.serial(stax.Dense(8), stax.Gelu(), stax.Dense(1))),
]


def _fit(estimator):
    return clone(estimator).fit(X, LABELS if isinstance(estimator, NTKClassifier) else Y)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_nested_parallelism_does_not_oversubscribe():
    free = {k: v for k, v in os.environ.items() if k not in ("NTKSWIFT_NUM_THREADS", "OMP_NUM_THREADS")}
    result = subprocess.run(
        [sys.executable, HERE / "nested.py"], capture_output=True, text=True, timeout=300, check=False, env=free
    )
    assert result.returncode == 0, result.stderr
    three, most = (int(word) for word in result.stdout.split())
    assert three in (2, 3)  # the calling thread may be one of them
    assert most <= max(1, joblib.cpu_count() // 2)


def test_interrupt_in_a_jupyter_kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        reply = client.execute_interactive(NOTEBOOK_START, timeout=120, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok"
        # stop_on_error would let the kernel drop the request that follows, too
        request = client.execute(
            "print('running', flush=True); kernel_fn(x, None, ('nngp', 'ntk'))", stop_on_error=False
        )
        while client.get_iopub_msg(timeout=60)["content"].get("text") != "running\n":
            pass
        time.sleep(0.3)
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        reply = client.execute_interactive("assert kernel_fn(x[:3]).ntk.shape == (3, 3)", timeout=60)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


NOTEBOOK_START = """
import numpy as np
from ntkswift import stax
kernel_fn = stax.serial(stax.repeat(stax.serial(stax.Dense(8, 1.5, 0.1), stax.Erf()), 60), stax.Dense(1)).kernel_fn
x = np.random.default_rng(0).standard_normal((8000, 20))
"""


def test_other_threads_go_on():
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.monotonic()
    stax.serial(stax.repeat(stax.serial(stax.Dense(8), stax.Erf()), 10), stax.Dense(1)).kernel_fn(
        RNG.standard_normal((3000, 20))
    )
    lasted = time.monotonic() - began
    done.set()
    thread.join()
    inside = [t for t in ticks if t < began + lasted]
    assert len(inside) > lasted / 0.05


def test_threads_share_an_estimator():
    model = _fit(NNGPRegressor())
    queries = [RNG.standard_normal((200, 3)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda q: model.predict(q, return_std=True), queries))
    for query, answer in zip(queries, together, strict=True):
        assert np.array_equal(answer, model.predict(query, return_std=True))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn", "loky"])
def test_processes(method):
    result = subprocess.run(
        [sys.executable, HERE / "processes.py", method], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_seeds():
    model = _fit(NNGPRegressor())
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for seed in (7, np.random.SeedSequence(7)):
        assert np.array_equal(model.sample_y(X, 5, seed), model.sample_y(X, 5, seed))
    assert np.array_equal(model.sample_y(X, 5, 7), model.sample_y(X, 5, np.random.SeedSequence(7)))
    assert np.array_equal(
        model.sample_y(X, 5, np.random.default_rng(1)), model.sample_y(X, 5, np.random.default_rng(1))
    )
    assert not np.array_equal(model.sample_y(X, 5, None), model.sample_y(X, 5, None))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    one = NNGPRegressor(n_jobs=1).fit(X, Y).sample_y(X, 5, 7)
    assert np.array_equal(one, NNGPRegressor(n_jobs=3).fit(X, Y).sample_y(X, 5, 7))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_estimators_travel(estimator, tmp_path):
    assert repr(clone(estimator)) == repr(estimator)
    assert pickle.loads(pickle.dumps(estimator)).get_params() == estimator.get_params()
    fitted = _fit(estimator)
    joblib.dump(fitted, tmp_path / "model.joblib")
    for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted), joblib.load(tmp_path / "model.joblib")):
        assert np.array_equal(twin.predict(X), fitted.predict(X))


def test_a_damaged_file_is_an_error():
    data = pickle.dumps(_fit(NTKRegressor()))
    with pytest.raises((pickle.UnpicklingError, EOFError, ValueError)):
        pickle.loads(data[: len(data) // 2])


def test_kernels_of_sklearn_travel():
    kernel = NTKKernel(W_std=1.5, activation="erf")
    for twin in (clone(kernel), pickle.loads(pickle.dumps(kernel)), copy.deepcopy(kernel)):
        assert twin == kernel
        assert np.array_equal(twin(X), kernel(X))


def test_a_failed_fit_changes_nothing():
    model = _fit(NTKRegressor())
    before = dict(vars(model))
    with pytest.raises(ValueError, match="finite"):
        model.fit(np.full((3, 3), np.nan), np.ones(3))
    model.set_params(ridge=-1.0)
    with pytest.raises(ValueError, match="ridge"):
        model.fit(X[:5], Y[:5])
    model.set_params(ridge=before["ridge"])
    assert all(
        vars(model)[name] is value for name, value in before.items() if name.endswith("_") and name != "n_features_in_"
    )
    assert np.isfinite(model.predict(X)).all()
