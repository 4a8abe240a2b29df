"""What an autoencoder refuses, and what it keeps when training is stopped."""

import copy
import os
import pickle
import signal
import threading

import numpy as np
import pytest

import ntkswift
from ntkswift import ConvergenceError
from ntkswift.regimes import Autoencoder

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 5))
UNIT = X / np.linalg.norm(X, axis=1)[:, None]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, "width"),
        ({"width": -3}, "width"),
        ({"mode": "deep"}, "mode must be .weak., .joint. or .tied."),
        ({"mode": None}, "mode"),
        ({"scaling": "1/m"}, "scaling must be ntk, mean, identity or a number"),
        ({"scaling": 0.0}, "scaling"),
        ({"decoder_init": "zeros"}, "decoder_init"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"steps": -1}, "steps"),
        ({"optimizer": "adam"}, "optimizer must be .gd. or .flow."),
        ({"tolerance": 0.0}, "tolerance"),
        ({"record": 0}, "record"),
        ({"random_state": -1}, "seed"),
    ],
)
def test_bad_parameters(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Autoencoder(20, steps=2).set_params(**changes).fit(UNIT)


def test_unknown_parameters():
    with pytest.raises(ValueError, match="depth"):
        Autoencoder().set_params(depth=3)


def test_rows_must_have_norm_one():
    with pytest.raises(ValueError, match=r"norm 1.*normalize=True.*Received norms between"):
        Autoencoder(20).fit(X)
    with pytest.raises(ValueError, match=r"zeros.*index 2"):
        Autoencoder(20, normalize=True).fit(np.where(np.arange(8)[:, None] == 2, 0, X))
    model = Autoencoder(20, steps=3, normalize=True, random_state=0).fit(1e200 * X)
    assert np.allclose(model.inputs_, UNIT, atol=1e-15)
    assert np.isfinite(model.history_.loss).all()


def test_parallel_rows():
    doubled = np.vstack([UNIT, UNIT[3]])
    with pytest.warns(RuntimeWarning, match=r"parallel.*lambda_min is 0.*rows 3 and 8"):
        model = Autoencoder(20, steps=2, random_state=0).fit(doubled)
    assert model.bounds().lambda_min == 0
    with pytest.raises(ValueError, match="rows 3 and 8"):
        model.predict_infinite(UNIT)
    opposite = np.vstack([UNIT, -UNIT[3]])  # a ReLU tells x from -x
    assert Autoencoder(20).bounds(opposite).lambda_min > 1e-3


def test_shapes():
    model = Autoencoder(20, steps=2, random_state=0).fit(UNIT)
    for call in (model.reconstruct, model.transform, model.kernel, model.score):
        with pytest.raises(ValueError, match="5 columns"):
            call(np.ones((2, 4)))
    with pytest.raises(ValueError, match="5 columns"):
        model.predict_infinite(np.ones((2, 4)))
    with pytest.raises(ValueError, match="columns"):
        model.limit_kernel(UNIT, np.ones((2, 4)))
    with pytest.raises(ValueError, match="axes"):
        model.fit(UNIT[0])
    with pytest.raises(ValueError, match="start must have the shape"):
        model.predicted_loss(start=np.zeros((2, 2)))
    bad = UNIT.copy()
    bad[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"finite.*\(2, 1\)"):
        model.fit(bad)
    assert model.reconstruct(UNIT[:1]).shape == (1, 5)
    assert model.transform(UNIT[:2]).shape == (2, 20)


def test_one_row_and_one_column():
    model = Autoencoder(500, steps=100, random_state=0).fit([[0.6, 0.8]])
    assert model.history_.loss[-1] < 1e-6
    assert model.bounds().lambda_min == model.bounds().lambda_max
    model = Autoencoder(500, steps=100, random_state=0).fit([[1.0], [-1.0]])
    assert model.history_.loss[-1] < 1e-6


def test_before_fit():
    with pytest.raises(AttributeError, match="fit"):
        Autoencoder().reconstruct(UNIT)
    with pytest.raises(AttributeError, match="fit"):
        Autoencoder().bounds()


def test_tied_weights_have_no_constant_kernel():
    model = Autoencoder(20, "tied", steps=2, random_state=0).fit(UNIT)
    for call in (model.predicted_loss, lambda: model.predict_infinite(UNIT)):
        with pytest.raises(ValueError, match="ied weights"):
            call()
    with pytest.raises(ValueError, match="one layer"):
        model.kernel(layers="encoder")


def test_memory():
    with ntkswift.memory_limit(100_000):
        with pytest.raises(MemoryError, match="weights of 10000 neurons"):
            Autoencoder(10_000).fit(UNIT)
        model = Autoencoder(300, steps=1, random_state=0).fit(UNIT)
        with pytest.raises(MemoryError, match="bytes"):
            model.kernel(np.random.default_rng(0).standard_normal((100, 5)))
    with pytest.raises(MemoryError, match="bytes"):
        Autoencoder(10**11).fit(UNIT)


def test_divergence_keeps_the_history():
    model = Autoencoder(200, learning_rate=100.0, steps=500, random_state=0)
    with pytest.raises(ConvergenceError, match=r"smaller learning_rate.*Received learning_rate 100.*history"):
        model.fit(UNIT)
    assert model.history_.diverged
    assert 0 < model.history_.steps < 500
    assert model.history_.loss[-1] > model.history_.loss[0]
    assert model.set_params(learning_rate="auto").fit(UNIT).history_.diverged is False


@pytest.mark.parametrize("optimizer", ["gd", "flow"])
def test_interrupts_keep_the_history(optimizer):
    # A small step size keeps the loss far from rounding.
    model = Autoencoder(5000, steps=50_000, learning_rate=1e-4, optimizer=optimizer, random_state=0)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        assert model.fit(UNIT) is model
    finally:
        timer.cancel()
    history = model.history_
    assert history.interrupted
    assert 0 < history.steps < model.steps
    assert np.isfinite(history.loss).all()
    # The weights are those of the last loss.
    assert np.isclose(-model.score(UNIT) * len(UNIT), history.loss[-1], rtol=1e-11)


def test_threads_and_seeds_give_the_same_bits():
    def weights(threads, seed):
        with ntkswift.num_threads(threads):
            return Autoencoder(4000, steps=10, random_state=seed, normalize=True).fit(RANDOM).encoder_

    RANDOM = np.random.default_rng(2).standard_normal((20, 12))
    one = weights(1, 5)
    for threads in (2, 7):
        assert np.array_equal(one, weights(threads, 5))
    assert np.array_equal(one, weights(2, np.random.SeedSequence(5)))
    assert not np.array_equal(one, weights(2, 6))


def test_objects_travel():
    model = Autoencoder(50, "tied", steps=5, random_state=0).fit(UNIT)
    assert repr(model) == "Autoencoder(width=50, mode='tied', steps=5, random_state=0)"
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(twin.reconstruct(UNIT), model.reconstruct(UNIT))
        assert twin.kernel().shape == (40, 40)
    assert Autoencoder(**model.get_params()).get_params() == model.get_params()


def test_in_a_pipeline_of_sklearn():
    base = pytest.importorskip("sklearn.base")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = Autoencoder(50, steps=3, normalize=True, random_state=0)
    pipeline = make_pipeline(StandardScaler(), base.clone(model)).fit(X)
    scaled = StandardScaler().fit_transform(X)
    assert np.array_equal(pipeline.predict(X), model.fit(scaled).reconstruct(scaled))
    assert pipeline.transform(X).shape == (8, 50)
    assert np.isfinite(pipeline.score(X))


def test_a_history_draws_itself():
    pytest.importorskip("matplotlib").use("Agg")
    model = Autoencoder(100, steps=10, random_state=0).fit(UNIT)
    ax = model.history_.plot(predicted=model.predicted_loss()).ax_
    assert len(ax.lines) == 2
    assert len(model.history_.plot().ax_.lines) == 1
    assert np.array_equal(ax.lines[0].get_ydata(), model.history_.loss)
