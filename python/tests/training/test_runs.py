"""Runs as a whole: reproducible, resumable, interruptible, and clear about what goes wrong."""

from __future__ import annotations

import json
import signal
import threading

import numpy as np
import pytest

import ntkswift
from ntkswift import DivergenceError, stax, train
from ntkswift.training import GD, SGD, Adam, EarlyStopping, Flow


def same(a, b):
    return a.tobytes() == b.tobytes()


RUNS = {
    "sgd": {"optimizer": SGD(0.3, momentum=0.9), "batch_size": 6, "schedule": "cosine"},
    "adam": {"optimizer": Adam(0.01), "batch_size": 6},
    "lazy": {"optimizer": Adam(0.01), "batch_size": 6, "mode": "lazy"},
    "last layer": {"optimizer": SGD(0.3), "batch_size": 6, "mode": "random_features"},
}


class Stop(Exception):
    pass


@pytest.mark.parametrize("name", RUNS)
def test_resume_has_the_same_bits(problem, tmp_path, name):
    settings = {**RUNS[name], "steps": 50, "x_test": problem.x[:5], "y_test": problem.y[:5], "every": 7, "seed": 11}
    whole = train(problem.network, problem.params, problem.x, problem.y, **settings)
    file = tmp_path / "state.npz"

    def fail(snapshot):
        if snapshot.step == 28:
            raise Stop

    with pytest.raises(Stop):
        train(
            problem.network, problem.params, problem.x, problem.y, callback=fail, checkpoint=file, checkpoint_every=23,
            **settings,
        )  # fmt: skip
    rest = train(problem.network, problem.params, problem.x, problem.y, resume=file, **settings)
    assert same(problem.flat(whole.params), problem.flat(rest.params))
    for field in ("loss", "learning_rate", "recorded", "validation_loss", "validation_accuracy"):
        assert same(getattr(whole, field), getattr(rest, field)), field


def test_resumed_flow_has_the_same_bits(problem, tmp_path):
    file, settings = tmp_path / "flow.npz", {"optimizer": Flow(1e-8), "time": 40.0, "every": 3}
    whole = train(problem.network, problem.params, problem.x, problem.y, **settings)
    early = train(
        problem.network,
        problem.params,
        problem.x,
        problem.y,
        checkpoint=file,
        callback=lambda s: s.step >= 6,
        **settings,
    )
    assert early.stopped == "callback"
    assert early.steps == 6 < whole.steps
    rest = train(problem.network, problem.params, problem.x, problem.y, resume=file, **settings)
    assert same(problem.flat(whole.params), problem.flat(rest.params))
    assert same(whole.loss, rest.loss)
    assert same(whole.time, rest.time)


@pytest.mark.parametrize("mode", ["full", "lazy"])
def test_bits_do_not_depend_on_threads(mode):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2100, 4)), rng.standard_normal((2100, 2))
    network = stax.serial(stax.Dense(32), stax.Relu(), stax.Dense(2))
    _, params = network.init_fn(0, x.shape)
    runs = []
    for threads in (1, 2, 5):
        with ntkswift.num_threads(threads):
            runs.append(train(network, params, x, y, optimizer="adam", steps=8, batch_size=2000, mode=mode))
    for run in runs[1:]:
        assert same(run.loss, runs[0].loss)
        assert same(run.params[0][0], runs[0].params[0][0])


def test_ctrl_c_returns_the_history(problem, tmp_path):
    file = tmp_path / "state.npz"
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    history = train(
        problem.network,
        problem.params,
        problem.x,
        problem.y,
        optimizer=SGD(0.01),
        steps=10**9,
        batch_size=5,
        checkpoint=file,
    )
    timer.join()
    assert history.interrupted
    assert 0 < history.steps < 10**9
    assert len(history.loss) == history.steps
    again = train(
        problem.network, problem.params, problem.x, problem.y, optimizer=SGD(0.01), steps=history.steps, batch_size=5
    )
    assert same(problem.flat(history.params), problem.flat(again.params))
    assert file.exists()


@pytest.mark.parametrize("optimizer", [GD(1e4), SGD(1e4, momentum=0.5)])
def test_divergence_keeps_the_history(problem, optimizer, tmp_path):
    with pytest.raises(DivergenceError, match="smaller learning_rate") as caught:
        train(
            problem.network, problem.params, problem.x, problem.y, optimizer=optimizer, steps=5000, x_test=problem.x,
            y_test=problem.y, every=1, checkpoint=tmp_path / "none.npz",
        )  # fmt: skip
    history = caught.value.history
    assert history.diverged
    assert len(history.loss) == history.steps + 1
    assert not np.isfinite(history.loss[-1])
    assert np.isfinite(history.loss[:-1]).all()
    assert not (tmp_path / "none.npz").exists()
    json.loads(history.to_json())


def test_early_stopping(problem):
    def run(**settings):
        return train(problem.network, problem.params, problem.x, problem.y, optimizer=GD(1.0), steps=3000, **settings)

    history = run(stop=EarlyStopping(threshold=0.3))
    assert history.stopped == "threshold"
    assert history.loss[-1] <= 0.3 < history.loss[-2]
    assert len(history.loss) == history.steps + 1
    rng = np.random.default_rng(9)
    test = {"x_test": rng.standard_normal((10, 4)), "y_test": rng.standard_normal((10, 3)), "every": 10}
    history = run(stop=EarlyStopping(patience=4, restore_best=True), **test)
    assert history.stopped == "patience"
    best = int(np.argmin(history.validation_loss))
    assert len(history.validation_loss) - 1 - best == 4
    outputs = problem.network.apply_fn(history.params, test["x_test"])
    assert 0.5 * np.mean((outputs - test["y_test"]) ** 2) == pytest.approx(history.validation_loss[best], rel=1e-12)


def test_callbacks_see_the_run(problem):
    seen = []

    def watch(snapshot):
        x, y = snapshot.batch
        flat = problem.flat(snapshot.params)
        assert same(flat, snapshot.vector)
        assert x.shape == (6, 4) if snapshot.step % 4 != 3 else (2, 4)
        np.testing.assert_array_equal(y, problem.y[snapshot.indices])
        with pytest.raises(ValueError):
            snapshot.vector[0] = 1
        seen.append((snapshot.step, snapshot.loss, problem.loss(flat, x, y)[0]))

    history = train(
        problem.network, problem.params, problem.x, problem.y, steps=25, batch_size=6, callback=watch, every=10, seed=2
    )
    assert [step for step, _, _ in seen] == [0, 10, 20, 25]
    assert seen[1][1] == history.loss[9]
    assert seen[1][2] == pytest.approx(history.loss[10], rel=1e-12)


def test_dropout_changes_from_step_to_step():
    x, y = np.ones((1, 4)), np.zeros((1, 1))
    network = stax.serial(stax.Dense(16), stax.Dropout(0.5), stax.Dense(1))
    _, params = network.init_fn(0, x.shape)
    history = train(network, params, x, y, optimizer=GD(1e-12), steps=20)
    assert len(np.unique(history.loss.round(9))) > 10
    assert same(history.loss, train(network, params, x, y, optimizer=GD(1e-12), steps=20, every=3).loss)


def test_results_can_be_kept(problem, tmp_path):
    history = train(problem.network, problem.params, problem.x, problem.y, steps=10, x_test=problem.x, y_test=problem.y)
    record = json.loads(history.to_json(tmp_path / "history.json"))
    assert record["loss"] == history.loss.tolist()
    history.save(tmp_path / "history.npz")
    with np.load(tmp_path / "history.npz") as saved:
        np.testing.assert_array_equal(saved["parameter_0"], history.params[0][0])
    pytest.importorskip("matplotlib")
    display = history.plot()
    assert len(display.ax_.lines) == 2


def test_inputs_stay_as_they_are(problem):
    before = problem.flat(problem.params).copy(), problem.x.copy()
    train(problem.network, problem.params, problem.x, problem.y, steps=5)
    assert same(before[0], problem.flat(problem.params))
    assert same(before[1], problem.x)


# MARK: what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros((20, 2))}, r"y must have shape \(20, 3\)"),
        ({"y": np.zeros(20)}, r"y must have shape \(20, 3\)"),
        ({"x": np.full((20, 4), np.nan)}, "x must be finite"),
        ({"y": np.full((20, 3), np.inf)}, "y must be finite"),
        ({"optimizer": GD(0.0)}, "learning_rate must be positive"),
        ({"optimizer": SGD(-1.0)}, "learning_rate must be positive"),
        ({"optimizer": Adam(1e-3, b1=1.0)}, "0 <= b1, b2 < 1"),
        ({"optimizer": SGD(0.1, momentum=1.0)}, "momentum must be"),
        ({"optimizer": "lion"}, "optimizer must be one of"),
        ({"optimizer": Flow()}, "needs time"),
        ({"optimizer": Flow(0.0), "steps": None, "time": 1.0}, "tolerance between 0 and 1"),
        ({"loss": "hinge"}, "loss must be .mse., .cross_entropy. or .logistic."),
        ({"mode": "wide"}, "mode must be .full."),
        ({"batch_size": 21}, "batch_size must be at most 20"),
        ({"batch_size": 0}, "batch_size must be a positive integer"),
        ({"optimizer": "gd", "batch_size": 5}, "takes all inputs"),
        ({"steps": None}, "either steps or epochs"),
        ({"steps": -1}, "steps must be a non-negative integer"),
        ({"epochs": 3}, "either steps or epochs"),
        ({"x_test": np.zeros((2, 4))}, "belong together"),
        ({"stop": EarlyStopping(patience=2)}, "needs x_test"),
        ({"loss": "cross_entropy", "y": np.full(20, 3)}, r"labels in 0\.\.<3"),
        ({"loss": "cross_entropy", "y": -np.ones((20, 3))}, "negative"),
        ({"loss": "cross_entropy", "y": np.zeros(19, int)}, "one label for each of 20"),
        ({"x": np.zeros((0, 4)), "y": np.zeros((0, 3))}, "x must have at least 1 row"),
        ({"params": ()}, "params"),
        ({"schedule": "linear"}, "schedule must be"),
        ({"every": 0}, "every must be a positive integer"),
        ({"checkpoint_every": 3}, "needs checkpoint"),
    ],
)
def test_bad_arguments(problem, change, message):
    arguments = {"params": problem.params, "x": problem.x, "y": problem.y, "steps": 3, **change}
    params, x, y = (arguments.pop(name) for name in ("params", "x", "y"))
    with pytest.raises(ValueError, match=message):
        train(problem.network, params, x, y, **arguments)


def test_checkpoint_of_another_run(problem, tmp_path):
    file = tmp_path / "state.npz"
    train(problem.network, problem.params, problem.x, problem.y, steps=4, checkpoint=file)
    other = stax.serial(stax.Dense(7, b_std=0.3), stax.Tanh(), stax.Dense(3, b_std=0.1))
    _, params = other.init_fn(0, problem.x.shape)
    with pytest.raises(ValueError, match=r"checkpoint of the same network.*Dense\(6.*Dense\(7"):
        train(other, params, problem.x, problem.y, steps=8, resume=file)
    with pytest.raises(ValueError, match="Received data"):
        train(problem.network, problem.params, problem.x + 1, problem.y, steps=8, resume=file)
    with pytest.raises(ValueError, match="Received optimizer Adam"):
        train(problem.network, problem.params, problem.x, problem.y, optimizer="adam", steps=8, resume=file)
    with pytest.raises(FileNotFoundError):
        train(problem.network, problem.params, problem.x, problem.y, steps=8, resume=tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for content in (b"", b"no archive", (tmp_path / "other.npz").read_bytes()):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(ValueError, match="resume must be a file"):
            train(problem.network, problem.params, problem.x, problem.y, steps=8, resume=tmp_path / "bad.npz")


def test_modes_that_do_not_fit(problem):
    x, y = problem.x, problem.y
    dropout = stax.serial(stax.Dense(4), stax.Dropout(0.5), stax.Dense(3))
    with pytest.raises(ValueError, match="Dropout"):
        train(dropout, dropout.init_fn(0, x.shape)[1], x, y, steps=1, mode="lazy")
    no_last = stax.serial(stax.Dense(3), stax.Relu())
    with pytest.raises(ValueError, match="ends in a trainable Dense"):
        train(no_last, no_last.init_fn(0, x.shape)[1], x, y, steps=1, mode="random_features")
    normed = stax.serial(stax.Dense(4), stax.BatchNorm(), stax.Dense(3))
    with pytest.raises(ValueError, match="BatchNorm"):
        train(normed, normed.init_fn(0, x.shape)[1], x, y, steps=1, mode="random_features")
    with pytest.raises(ValueError, match="positive integer"):
        stax.Dense(0)


def test_memory_is_refused_before_it_is_taken(problem):
    with pytest.raises(MemoryError):
        train(problem.network, problem.params, problem.x, problem.y, steps=1, memory_limit=64)
