"""The tracker of training runs: what it measures, what it costs, and what it does when a run breaks."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import curvature, empirical, stax, train, training


def dense(units):
    return stax.Dense(units, 1.0, 1.0, parameterization="standard")


def problem(batch_norm=False, count=96):
    norm = (stax.BatchNorm(),) if batch_norm else ()
    network = stax.serial(dense(8), *norm, stax.Tanh(), dense(2))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, 3))
    y = np.stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2]], 1)
    return network, x, y, network.init_fn(1, x.shape)[1]


def descend(network, x, y, params, tracker, rate, steps):
    def moved(p, g):
        return tuple(moved(a, b) for a, b in zip(p, g)) if isinstance(p, tuple) else p - rate * g

    for step in range(steps + 1):
        tracker(step, params)
        params = moved(params, empirical.loss_and_gradient(network, params, x, y)[1])
    return params


@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_measure_is_what_the_functions_say(batch_norm):
    network, x, y, params = problem(batch_norm)
    names = [name for name in curvature.MEASURES if not (batch_norm and name in ("sample_covariance", "stability"))]
    tracker = curvature.Tracker(measure=names, every=2, samples=96, batch=12, tolerance=1e-9)
    assert tracker.watch(network, x, y, learning_rate=0.5, batch_size=32) is tracker
    descend(network, x, y, params, tracker, 0.5, 4)
    history = tracker.history
    assert list(history) == list(tracker.columns)
    assert history["step"].tolist() == [0, 2, 4]
    assert all(np.isfinite(values).all() for values in history.values())
    hessian = curvature.hessian(network, params, x, y) @ np.eye(curvature.hessian(network, params, x, y).shape[0])
    values = np.linalg.eigvalsh(hessian)
    value, gradient = empirical.loss_and_gradient(network, params, x, y)
    assert history["loss"][0] == pytest.approx(value, rel=1e-12)
    assert history["lambda_H"][0] == pytest.approx(values[-1], rel=1e-6)
    assert history["sharpness"][0] == pytest.approx(values[-1], rel=1e-6)
    assert history["lambda_H_last"][0] == pytest.approx(values[0], rel=1e-6)
    assert abs(history["trace_H"][0] - values.sum()) < 6 * history["trace_H_error"][0] + 1e-9
    assert history["gradient_norm"][0] > 0
    assert history["alpha_star"][0] > 0
    if not batch_norm:
        norm = np.sqrt(sum((part**2).sum() for layer in gradient for part in layer))
        assert history["gradient_norm"][0] == pytest.approx(norm, rel=1e-9)
        single = curvature.gradient_covariance(network, params, x, y, batch=None)
        assert history["sample_lambda_K"][0] == pytest.approx(single.largest, rel=1e-9)
        assert history["stability"][0] == pytest.approx((1 - 0.5 * values[-1]) ** 2, abs=0.5)
    assert [step for step, _ in tracker.densities] == [0, 2, 4]
    assert set(tracker.cost) == {"loss", *names}
    assert tracker.seconds > 0
    assert "3 records on 96 inputs in batches of 12" in repr(tracker)


def test_default_follows_the_paper_protocol():
    network, x, y, params = problem(count=3000)
    for tracker, copies, samples, batch in [
        (curvature.Tracker(measure="hessian"), 1, 2560, 128),
        (curvature.Tracker(measure="hessian", samples=256), 1, 256, 32),
        (curvature.Tracker(measure="hessian"), 20, 3000, 128),  # 5 % of 60000
    ]:
        tracker.watch(network, np.tile(x, (copies, 1)), np.tile(y, (copies, 1))).record(0, params)
        assert f"on {samples} inputs in batches of {batch};" in repr(tracker)


def test_flat_and_nested_parameters_measure_the_same():
    network, x, y, params = problem()
    flat = np.concatenate([part.ravel() for layer in params for part in layer])
    one, two = (curvature.Tracker(batch=8).watch(network, x, y) for _ in range(2))
    assert one.record(0, params) == two.record(0, flat)


def test_a_warm_start_does_not_stay_at_an_old_eigenvector():
    """Parameters that jump: the largest eigenvalue is that of the new place."""
    network, x, y, params = problem()
    tracker = curvature.Tracker(measure=("hessian",), samples=96, tolerance=1e-8).watch(network, x, y)
    for seed in range(3):
        params = network.init_fn(seed, x.shape)[1]
        found = tracker.record(seed, params)["lambda_H"]
        assert found == pytest.approx(
            curvature.eigenvalues(curvature.hessian(network, params, x, y)).values[0], rel=1e-6
        )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_tracked_eigenvalues_keep_their_tolerance(seed, tolerance):
    """Along a run whose curvature moves, warm starts and single precision included."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((128, 6))
    y = np.eye(3)[rng.integers(0, 3, 128)]
    network = stax.serial(dense(12), stax.Tanh(), dense(12), stax.Relu(), dense(3))
    params = network.init_fn(seed, x.shape)[1]
    tracker = curvature.Tracker(measure=("hessian",), every=1, samples=128, tolerance=tolerance, seed=seed)
    exact = []

    def watch(snapshot):
        tracker(snapshot)
        operator = curvature.hessian(network, snapshot.params, x, y, "cross_entropy")
        exact.append(np.linalg.eigvalsh(operator @ np.eye(operator.shape[0]))[-1])

    train(network, params, x, y, loss="cross_entropy", optimizer=training.SGD(0.5), steps=40, callback=watch, every=10)
    assert len(exact) == 5
    np.testing.assert_allclose(tracker.history["lambda_H"], exact, rtol=tolerance)


def test_curvature_is_measured_on_one_batch_of_128_by_default():
    """With as many samples, the measures that see all of them and those of the batch agree only where there is one batch."""
    network, x, y, params = problem(count=300)
    for samples, few in ((256, 128), (100, 100)):
        tracker = curvature.Tracker(measure="trace", samples=samples, probes=3).watch(network, x, y)
        own = curvature.Tracker(measure="trace", samples=samples, probes=3, curvature_samples=few).watch(network, x, y)
        assert tracker.record(0, params) == own.record(0, params)


def descent(steps, callback, mode="full", **options):
    network, x, y, params = problem()
    options = {"optimizer": training.SGD(0.1), "batch_size": 12, "seed": 3, "mode": mode, **options}
    return train(network, params, x, y, steps=steps, callback=callback, **options)


def test_it_measures_at_its_own_steps_whatever_the_run_looks_at():
    tracker, seen = curvature.Tracker(every=10, batch=8), []
    with_both = descent(333, [tracker, lambda snapshot: seen.append(snapshot.step)], every=100)
    assert tracker.history["step"].tolist() == list(range(0, 333, 10))
    assert seen == [0, 100, 200, 300, 333]
    assert with_both.recorded.tolist() == seen
    alone = descent(333, None)
    assert np.array_equal(with_both.loss, alone.loss)
    for ours, theirs in zip(with_both.params, alone.params, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_loss_rates_and_batches_are_those_of_the_run():
    """With a schedule: alpha^* and the factor of stability are those of a tracker that is told the rate by hand."""
    network, x, _y, params = problem()
    labels = np.eye(2)[(x[:, 0] > 0).astype(int)]
    options = {"measure": ("hessian", "step", "stability"), "every": 5, "samples": 96, "batch": 12, "tolerance": 1e-9}
    inside, states = curvature.Tracker(**options), []
    train(
        network,
        params,
        x,
        labels,
        loss="cross_entropy",
        optimizer=training.SGD(0.4),
        schedule=training.Piecewise({7: 0.5}),
        steps=10,
        batch_size=12,
        callback=[inside, lambda snapshot: states.append((snapshot.step, snapshot.params, snapshot.learning_rate))],
        every=5,
    )
    assert [rate for _, _, rate in states] == [0.4, 0.4, 0.2]
    for (step, theirs, rate), k in zip(states, range(3), strict=True):
        by_hand = curvature.Tracker(**options).watch(
            network, x, labels, "cross_entropy", learning_rate=rate, batch_size=12
        )
        entry = by_hand.record(step, theirs)
        for name, values in inside.history.items():
            assert values[k] == pytest.approx(entry[name], rel=1e-7)


def test_random_features_are_the_last_layer_on_its_features():
    network, x, _y, params = problem()
    tracker = curvature.Tracker(measure="hessian", every=4, samples=96, tolerance=1e-10)
    history = descent(8, tracker, "random_features")
    received = stax.serial(*network.layers[:-1]).apply_fn(params[:-1], x)
    features = np.concatenate([received / np.sqrt(8), np.ones((96, 1))], axis=1)
    # 0.5 mean over inputs and 2 outputs: the Hessian is the same for both outputs, and constant. Standard parameterization.
    features[:, :-1] *= np.sqrt(8)
    expected = np.linalg.eigvalsh(features.T @ features / (2 * 96))[-1]
    np.testing.assert_allclose(tracker.history["lambda_H"], expected, rtol=1e-6)
    assert history.steps == 8


def test_a_linearised_network_is_refused_before_the_first_step():
    seen = []
    with pytest.raises(ValueError, match='mode must be "full" or "random_features"'):
        descent(8, [lambda snapshot: seen.append(1), curvature.Tracker(batch=8)], "lazy")
    assert seen == []
    with pytest.raises(ValueError, match="learning_rate is needed by measure 'step'"):
        descent(None, curvature.Tracker(measure="step", batch=8), optimizer="flow", time=0.1, batch_size=None)
    with pytest.raises(TypeError, match="callback must be a function"):
        descent(8, "tracker")


def test_a_run_that_goes_on_goes_on_with_the_history(tmp_path):
    tracker, whole = curvature.Tracker(every=4, batch=8), curvature.Tracker(every=4, batch=8)
    descent(10, tracker, checkpoint=tmp_path / "half.npz")
    descent(20, tracker, resume=tmp_path / "half.npz")
    descent(20, whole)
    for name, values in whole.history.items():
        np.testing.assert_allclose(tracker.history[name], values, rtol=0.05)
    assert tracker.history["step"].tolist() == [0, 4, 8, 12, 16, 20]
    descent(4, tracker)  # another run: the history begins anew
    assert tracker.history["step"].tolist() == [0, 4]


def test_a_diverging_run_keeps_its_history():
    network, x, y, _params = problem()
    network = stax.serial(dense(8), stax.Polynomial([0.0, 0.0, 1.0]), dense(2))
    tracker = curvature.Tracker(measure=("covariance",), every=1, batch=8).watch(network, x, y)
    with (
        pytest.raises(FloatingPointError, match=r"\[Tracker\] params must give .* at step \d+; the history up to step"),
        np.errstate(all="ignore"),
    ):
        descend(network, x, y, network.init_fn(0, x.shape)[1], tracker, 50.0, 60)
    steps = tracker.history["step"]
    assert len(steps) >= 2
    assert all(len(values) == len(steps) for values in tracker.history.values())
    fresh = curvature.Tracker(batch=8).watch(network, x, y)
    with pytest.raises(FloatingPointError, match="nothing was measured before"):
        fresh.record(0, np.full(50, np.nan))


def test_bad_arguments():
    network, x, y, _params = problem()
    for options, message in [
        ({"samples": 97}, "samples must be at most the 96 inputs"),
        ({"samples": 0}, "samples must be a positive integer"),
        ({"samples": 10, "batch": 6}, "batch must be at most half of the 10 samples"),
        ({"samples": 10, "curvature_samples": 11}, "curvature_samples must be at most the 10 samples"),
        ({"measure": ("sharpnes",)}, "measure must be one of"),
        ({"measure": ("step",)}, "learning_rate is needed"),
        ({"measure": ("stability",)}, "must hold"),
        ({"every": 0}, "every must be a positive integer"),
    ]:
        with pytest.raises(ValueError, match=message):
            curvature.Tracker(**options).watch(network, x, y)
    for options, message in [
        ({"learning_rate": -1.0}, "learning_rate must be a finite number > 0"),
        ({"batch_size": 97}, "batch_size must be at most"),
        ({"loss": "hinge"}, "loss must be .mse., .cross_entropy. or .logistic."),
    ]:
        with pytest.raises(ValueError, match=message):
            curvature.Tracker().watch(network, x, y, **options)
    with pytest.raises(ValueError, match=r"y must have shape \(96, 2\)"):
        curvature.Tracker().watch(network, x, y[:-1])
    with pytest.raises(ValueError, match="BatchNorm"):
        curvature.Tracker(measure=("sample_covariance",)).watch(*problem(True)[:3])
    with pytest.raises(ValueError, match="params must have 50 numbers"):
        curvature.Tracker(batch=8).watch(network, x, y).record(0, np.zeros(7))
    with pytest.raises(ValueError, match="callback, or call watch"):
        curvature.Tracker(batch=8).record(0, np.zeros(7))
