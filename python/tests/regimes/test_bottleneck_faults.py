"""What networks with a bottleneck refuse, and what they keep when training is stopped."""

import pickle

import numpy as np
import pytest

import ntkswift
from ntkswift import ConvergenceError, stax
from ntkswift.regimes import Bottleneck, LinearBottleneck, input_gradient, time_to_threshold, train_finite_bottleneck

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 3))
Y = np.sin(X).sum(axis=1)
INNER = stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(2))
OUTER = stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(1))


def chain(*layers):
    return stax.serial(stax.Dense(8), *layers, stax.Dense(1))


@pytest.mark.parametrize(
    "network",
    [
        chain(stax.Relu()),
        chain(stax.Elu()),
        chain(stax.Sign()),
        chain(stax.RectifiedMonomial(2)),
        chain(stax.ExpNormalized()),
        chain(stax.Gaussian(1.0, 0.1)),
        chain(stax.LayerNorm()),
        chain(stax.Erf(), stax.Erf()),
        stax.serial(stax.Erf(), stax.Dense(1)),
        stax.serial(stax.Dense(8), stax.Erf()),
        stax.serial(stax.Dense(8, parameterization="standard"), stax.Erf(), stax.Dense(1)),
    ],
)
def test_outer_networks_that_cannot_be_differentiated(network):
    with pytest.raises(ValueError, match=r"outer network|smooth activations"):
        Bottleneck(network, INNER, 2, steps=2).fit(X, Y)
    with pytest.raises(ValueError, match=r"outer network|smooth activations"):
        input_gradient(network, X)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 0}, "units"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"steps": -1}, "steps"),
        ({"dynamics": "adam"}, "dynamics must be .gd. or .flow."),
        ({"history": "short"}, "history must be .exact. or .compressed."),
        ({"tolerance": 0.0}, "tolerance"),
        ({"flow_tolerance": 1.0}, "flow_tolerance"),
        ({"record_every": 0}, "record_every"),
        ({"dynamics": "flow", "time": [1.0, 0.5]}, "ascend"),
        ({"dynamics": "flow", "time": -1.0}, "time"),
        ({"dynamics": "flow", "time": float("nan")}, "time"),
        ({"outer": "erf"}, "outer must be a network of ntkswift.stax"),
        ({"inner": 3}, "inner must be"),
        ({"random_state": -1}, "seed"),
    ],
)
def test_bad_parameters(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Bottleneck(OUTER, INNER, 2, steps=2).set_params(**changes).fit(X, Y)


def test_bad_arrays():
    model = Bottleneck(OUTER, INNER, 2, steps=2)
    for arguments in ((X, Y[:3]), (X * np.nan, Y), (X, Y + np.inf), (X, Y, X[:, :2]), (X[0], Y)):
        with pytest.raises(ValueError, match=r"Bottleneck.fit"):
            model.fit(*arguments)
    with pytest.raises(ValueError, match="positions must have shape"):
        model.fit(X, Y, positions=X)
    with pytest.raises(ValueError, match="initial must be None"):
        model.fit(X, Y, initial=[1, 2])
    with pytest.raises(ValueError, match="initial weights must map"):
        model.fit(X, Y, initial=((np.ones((3, 5)),), (), (np.ones((5, 1)),)))
    with pytest.raises(ValueError, match="centred"):
        Bottleneck(OUTER, INNER, 2, steps=2, centred=True).fit(X, Y, initial=lambda z: (z, z))
    with pytest.raises(ValueError, match="inner kernel must have shape"):
        Bottleneck(OUTER, lambda x1, x2, get: np.ones((2, 2)), 2, steps=2).fit(X, Y)
    with pytest.raises(ValueError, match="fit must be called first"):
        model.predict(X)
    model.fit(X, Y, positions=X[:, :2])
    with pytest.raises(ValueError, match="positions was an array"):
        model.predict(X + 1)
    with pytest.raises(ValueError, match="columns"):
        model.outer_function(X)
    with pytest.raises(ValueError, match="state"):
        model.instantaneous_kernel(3)


def test_an_initial_function_that_fails():
    def broken(z):
        raise RuntimeError("no such function")

    model = Bottleneck(OUTER, INNER, 2, steps=2)
    with pytest.raises(RuntimeError, match="no such function"):
        model.fit(X, Y, initial=broken)
    with pytest.raises(ValueError, match="initial must return"):
        model.fit(X, Y, initial=lambda z: (z[:, 0], z[:, 0]))
    with pytest.raises(ValueError, match="initial function must be finite"):
        model.fit(X, Y, initial=lambda z: (z[:, 0] * np.nan, z))


def test_divergence_keeps_the_history():
    model = Bottleneck(OUTER, INNER, 2, 200.0, steps=100, random_state=0)
    with pytest.raises(ConvergenceError, match=r"smaller learning_rate.*stable below"):
        model.fit(X, Y)
    history = model.history_
    assert history.diverged
    assert 2 <= len(history.loss) < 100
    assert np.isfinite(history.outputs).all()
    with pytest.raises(ConvergenceError, match="smaller learning_rate"):
        LinearBottleneck(2, 50.0, dynamics="gd", random_state=0).fit(X, Y)
    with pytest.raises(ConvergenceError, match="smaller learning_rate"):
        train_finite_bottleneck(OUTER, INNER, 2, 20, X, Y, learning_rate=1e200, steps=5)


def test_interrupt_keeps_the_history(ctrl_c):
    model = Bottleneck(OUTER, INNER, 2, 0.1, steps=10**7, history="compressed", tolerance=1e-2, random_state=0)
    with ctrl_c(0.7):
        assert model.fit(X, Y, X[:2] + 1) is model
    history = model.history_
    assert history.interrupted
    assert 2 < len(history.loss) < 10**7
    assert history.loss[-1] < history.loss[0]
    assert np.isfinite(model.predict(X)).all()
    # The run up to there is the run that was asked for.
    steps = min(20, len(history.loss) - 1)
    again = model.set_params(steps=steps).fit(X, Y, X[:2] + 1)
    assert np.array_equal(again.history_.loss, history.loss[: steps + 1])


def test_memory_limit():
    with ntkswift.memory_limit(3_000_000), pytest.raises(MemoryError, match="compressed"):
        Bottleneck(OUTER, INNER, 2, 0.1, steps=5000, random_state=0, record_every=10**6).fit(X, Y)


def test_same_bits_for_any_number_of_threads():
    x = RNG.standard_normal((60, 3))
    y = np.sin(x).sum(axis=1)
    losses = []
    for threads in (1, 3):
        with ntkswift.num_threads(threads):
            losses.append(Bottleneck(OUTER, INNER, 2, 0.5, steps=20, random_state=0).fit(x, y).history_.loss)
    assert np.array_equal(*losses)


def test_pickle_and_parameters():
    model = Bottleneck(OUTER, INNER, 2, 0.5, steps=5, random_state=0).fit(X, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(X + 1), model.predict(X + 1))
    assert model.get_params()["units"] == 2
    assert "steps=5" in repr(model)


def test_equal_rows_and_one_point():
    model = Bottleneck(OUTER, INNER, 2, 0.5, steps=5, random_state=0).fit(np.vstack([X, X[:1]]), np.append(Y, Y[0]))
    assert np.allclose(model.predict(X[:1]), model.history_.outputs[-1, 8, 0], atol=1e-3)
    assert np.isfinite(Bottleneck(OUTER, INNER, 1, 0.5, steps=3, random_state=0).fit(X[:1], Y[:1]).history_.loss).all()


def test_centred_start():
    model = Bottleneck(OUTER, INNER, 2, 0.5, steps=5, centred=True, random_state=0).fit(X, Y)
    assert (model.history_.outputs[0] == 0).all()
    # Without a gradient the positions stay for one step.
    assert np.array_equal(model.history_.positions[0], model.history_.positions[1])
    assert model.history_.movement[-1] > 0


def test_linear_faults():
    for changes in ({"units": 0}, {"inner_depth": -1.0}, {"scale": 0.0}, {"dynamics": "sgd"}, {"tolerance": 1.0}):
        with pytest.raises(ValueError, match=next(iter(changes))):
            LinearBottleneck(2).set_params(**changes).fit(X, Y)
    with pytest.raises(ValueError, match="inner and outer"):
        LinearBottleneck(2).fit(X, Y, inner=np.ones((3, 3)))
    with pytest.raises(ValueError, match="times"):
        LinearBottleneck(2, time=[2.0, 1.0]).fit(X, Y)
    with pytest.raises(ValueError, match="scale"):
        LinearBottleneck(2).balanced_growth(1.0, 0.1, [1.0])


def test_threshold_faults():
    with pytest.raises(ValueError, match="threshold"):
        time_to_threshold([1.0], 0.0)
    with pytest.raises(ValueError, match="times"):
        time_to_threshold([1.0, 0.5], 0.1, [1.0])
    with pytest.raises(ValueError, match="biases"):
        train_finite_bottleneck(stax.serial(stax.Dense(3, 1.0, 0.1), stax.Erf(), stax.Dense(1)), INNER, 2, 10, X, Y)
