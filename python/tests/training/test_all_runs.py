"""What all training runs promise, whatever they train: Ctrl-C, divergence, histories, bits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from signal import SIGINT, raise_signal
from typing import Any

import numpy as np
import pytest

import ntkswift
from ntkswift import ConvergenceError, DivergenceError, hierarchy, stax, train
from ntkswift.regimes import (
    Autoencoder,
    Bottleneck,
    FullyTrained,
    LinearBottleneck,
    NeuralTangent,
    train_finite_bottleneck,
)
from ntkswift.training import GD, SGD, Adam, Flow, History, interrupts_raise

RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((24, 4)), RNG.standard_normal(24)
UNIT = X / np.linalg.norm(X, axis=1, keepdims=True)
NETWORK = stax.serial(stax.Dense(16), stax.Tanh(), stax.Dense(1))
PARAMS = NETWORK.init_fn(0, X.shape)[1]
HALF = stax.serial(stax.Dense(8, 1.5), stax.Erf(), stax.Dense(1))
INNER = stax.serial(stax.Dense(8, 1.5), stax.Erf(), stax.Dense(2))
LONG = 10**8


@dataclass
class Stack:
    """One kind of training: (steps, learning rate) -> (history, arrays that were trained)."""

    run: Callable[[int, float], tuple[Any, list[np.ndarray]]]
    rate: float
    wild: float | None = 1e4
    """A learning rate at which training diverges; None for gradient flow."""
    mildness: float = 1.0
    """Times the rate, for runs so long that they must be interrupted."""
    is_flow: bool = False


def leaves(params):
    if params is None:
        return []
    return [leaf for part in params for leaf in leaves(part)] if isinstance(params, (tuple, list)) else [params]


def network(optimizer, **settings):
    def run(steps, rate):
        history = train(NETWORK, PARAMS, X, Y, optimizer=optimizer(rate), steps=steps, **settings)
        return history, leaves(history.params)

    return run


def flow(steps, rate):
    history = train(NETWORK, PARAMS, X, Y, optimizer=Flow(), time=float(steps) * rate)
    return history, leaves(history.params)


def two_layer(regime, dtype):
    def run(steps, rate):
        model = regime(20, steps=steps, batch_size=8, learning_rate=rate, random_state=0)
        model.train(X, Y, decay=(), record_every=7, dtype=dtype)
        return model.history_, [model.hidden_weights_, model.output_weights_, np.array(model.offset_)]

    return run


def autoencoder(mode, optimizer):
    def run(steps, rate):
        model = Autoencoder(200, mode, steps=steps, learning_rate=rate, optimizer=optimizer, record=3, random_state=0)
        model.fit(UNIT)
        return model.history_, [model.encoder_, model.decoder_]

    return run


def bottleneck(**settings):
    def run(steps, rate):
        model = Bottleneck(HALF, INNER, 2, rate, steps=steps, random_state=0, **settings).fit(X[:8], Y[:8])
        return model.history_, [model.positions_]

    return run


def linear(steps, rate):
    model = LinearBottleneck(2, rate, steps=steps, dynamics="gd", random_state=0).fit(X, Y)
    return model.history_, [model.inner_, model.outer_]


def finite(steps, rate):
    run = train_finite_bottleneck(HALF, INNER, 2, 32, X, Y, learning_rate=rate, steps=steps, seed=0)
    return run.history, [run.positions, run.outputs]


STACKS = {
    "gd": Stack(network(GD), 0.5),
    "sgd": Stack(network(lambda rate: SGD(rate, momentum=0.5), batch_size=5), 0.05),
    "adam": Stack(network(Adam, batch_size=7, mode="lazy"), 1e-2, wild=None),
    "flow": Stack(flow, 0.5, wild=None, is_flow=True),
    "fully trained": Stack(two_layer(FullyTrained, np.float32), 1e-2, wild=1e3),
    "neural tangent": Stack(two_layer(NeuralTangent, np.float64), 1e-3, wild=1e3),
    "autoencoder": Stack(autoencoder("joint", "gd"), 0.1, mildness=1e-3),
    "weak autoencoder by flow": Stack(autoencoder("weak", "flow"), 0.1, wild=None, mildness=1e-3),
    "bottleneck": Stack(bottleneck(history="compressed", tolerance=1e-2), 0.3, wild=1e3),
    "linear bottleneck": Stack(linear, 0.02, wild=1e2, mildness=1e-6),
    "finite bottleneck": Stack(finite, 0.1, wild=1e6),
}


def interrupted(call):
    """The result of a call into which Ctrl-C comes after half a second."""
    timer = threading.Timer(0.5, raise_signal, [SIGINT])
    timer.start()
    try:
        return call()
    finally:
        timer.join()


@pytest.fixture(params=STACKS)
def stack(request):
    return STACKS[request.param]


def test_ctrl_c_ends_the_run_after_a_whole_step(stack):
    history, trained = interrupted(lambda: stack.run(LONG, stack.rate * stack.mildness))
    assert isinstance(history, History)
    assert history.interrupted
    assert history.stopped == "interrupted"
    assert not history.diverged
    assert 0 < history.steps < LONG
    assert np.isfinite(history.loss).all()
    if stack.is_flow:
        return  # gradient flow chooses its steps by the time that it is asked for
    if history.steps > 20_000:  # as the loop of the core would take long again
        return
    again, same = stack.run(history.steps, stack.rate * stack.mildness)
    assert again.stopped == "finished"
    for one, other in zip(trained, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_interrupts_pass_where_several_runs_are_made(stack):
    with pytest.raises(KeyboardInterrupt), interrupts_raise():
        interrupted(lambda: stack.run(LONG, stack.rate * stack.mildness))
    assert stack.run(2, stack.rate)[0].stopped == "finished"


def test_divergence_is_an_error_with_the_history(stack):
    if stack.wild is None:
        pytest.skip("has no learning rate at which it diverges")
    with pytest.raises(DivergenceError, match="smaller learning_rate") as caught:
        stack.run(2000, stack.wild)
    assert isinstance(caught.value, ConvergenceError)
    history = caught.value.history
    assert isinstance(history, History)
    assert history.diverged
    assert history.steps < 2000
    assert not history.loss[-1] <= 1e3


def test_columns_fit_together(stack):
    history = stack.run(21, stack.rate)[0]
    assert history.stopped == "finished"
    assert not history.interrupted
    entries = -(-history.steps // getattr(history, "window", 1))
    assert len(history.learning_rate) == entries
    assert len(history.loss) in (entries, entries + 1)
    assert len(history.time) == len(history.loss)
    assert (np.diff(history.time) > 0).all()
    assert (np.diff(history.recorded) > 0).all()
    if history.clock == "step":
        assert history.steps == 21


def test_histories_are_kept_in_files(stack, tmp_path):
    history = stack.run(21, stack.rate)[0]
    record = json.loads(history.to_json(tmp_path / "history.json"))
    assert record["loss"] == history.loss.tolist()
    assert record["stopped"] == "finished"
    assert json.loads((tmp_path / "history.json").read_text()) == record
    history.save(tmp_path / "history.npz")
    for kind in (type(history), History):
        back = kind.load(tmp_path / "history.npz")
        assert type(back) is type(history)
        assert set(vars(back)) == set(vars(history))
        for name, value in vars(history).items():
            for one, other in zip(leaves([value]), leaves([getattr(back, name)]), strict=True):
                np.testing.assert_array_equal(one, other)


def test_histories_draw_themselves(stack):
    pytest.importorskip("matplotlib").use("Agg")
    history = stack.run(21, stack.rate)[0]
    ax = history.plot().ax_
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), history.loss)
    assert ax.get_xlabel() == history.clock


def test_bits_do_not_depend_on_threads(stack):
    runs = []
    for threads in (1, 3):
        with ntkswift.num_threads(threads):
            runs.append(stack.run(12, stack.rate))
    np.testing.assert_array_equal(runs[0][0].loss, runs[1][0].loss)
    for one, other in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_files_of_other_histories_are_refused(tmp_path):
    history = STACKS["autoencoder"].run(3, 0.1)[0]
    history.save(tmp_path / "history.npz")
    with pytest.raises(ValueError, match="needs a file of a NetworkHistory"):
        ntkswift.training.NetworkHistory.load(tmp_path / "history.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    (tmp_path / "text").write_text("no archive")
    for name in ("other.npz", "text"):
        with pytest.raises(ValueError, match="must be a file that save wrote"):
            History.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        History.load(tmp_path / "none.npz")


def test_ctrl_c_between_runs_of_a_sweep():
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: hierarchy.gradient_flow(NETWORK, PARAMS, np.tile(X, (50, 1)), np.tile(Y, 50), [1e5, 2e5]))
    assert time.monotonic() - began < 30
