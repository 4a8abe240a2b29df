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
    tracker = curvature.Tracker(
        network, x, y, measure=names, every=2, samples=96, batch=12, learning_rate=0.5, batch_size=32, tolerance=1e-9
    )
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
    network, x, y, _ = problem(count=3000)
    tracker = curvature.Tracker(network, x, y)
    assert (tracker.batch, tracker.samples) == (128, 2560)
    small = curvature.Tracker(network, x, y, samples=256)
    assert (small.batch, small.samples) == (32, 256)
    large = curvature.Tracker(network, np.tile(x, (20, 1)), np.tile(y, (20, 1)))
    assert (large.batch, large.samples) == (128, 3000)  # 5 % of 60000


def test_flat_and_nested_parameters_measure_the_same():
    network, x, y, params = problem()
    flat = np.concatenate([part.ravel() for layer in params for part in layer])
    one, two = (curvature.Tracker(network, x, y, batch=8) for _ in range(2))
    assert one.record(0, params) == two.record(0, flat)


def test_a_warm_start_does_not_stay_at_an_old_eigenvector():
    """Parameters that jump: the largest eigenvalue is that of the new place."""
    network, x, y, params = problem()
    tracker = curvature.Tracker(network, x, y, measure=("hessian",), samples=96, tolerance=1e-8)
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
    tracker = curvature.Tracker(
        network, x, y, "cross_entropy", measure=("hessian",), every=1, samples=128, tolerance=tolerance, seed=seed
    )
    exact = []

    def watch(snapshot):
        tracker(snapshot)
        operator = curvature.hessian(network, snapshot.params, x, y, "cross_entropy")
        exact.append(np.linalg.eigvalsh(operator @ np.eye(operator.shape[0]))[-1])

    train(network, params, x, y, loss="cross_entropy", optimizer=training.SGD(0.5), steps=40, callback=watch, every=10)
    assert len(exact) == 5
    np.testing.assert_allclose(tracker.history["lambda_H"], exact, rtol=tolerance)


def test_curvature_is_measured_on_one_batch_of_128_by_default():
    network, x, y, _ = problem(count=300)
    assert curvature.Tracker(network, x, y, samples=256).curvature_samples == 128
    assert curvature.Tracker(network, x, y, samples=100).curvature_samples == 100


def test_a_diverging_run_keeps_its_history():
    network, x, y, _params = problem()
    network = stax.serial(dense(8), stax.Polynomial([0.0, 0.0, 1.0]), dense(2))
    tracker = curvature.Tracker(network, x, y, measure=("covariance",), every=1, batch=8)
    with (
        pytest.raises(FloatingPointError, match=r"\[Tracker\] params must give .* at step \d+; the history up to step"),
        np.errstate(all="ignore"),
    ):
        descend(network, x, y, network.init_fn(0, x.shape)[1], tracker, 50.0, 60)
    steps = tracker.history["step"]
    assert len(steps) >= 2
    assert all(len(values) == len(steps) for values in tracker.history.values())
    fresh = curvature.Tracker(network, x, y, batch=8)
    with pytest.raises(FloatingPointError, match="nothing was measured before"):
        fresh.record(0, np.full(50, np.nan))


def test_bad_arguments():
    network, x, y, _params = problem()
    for options, message in [
        ({"samples": 97}, "samples must be at most the 96 inputs"),
        ({"samples": 0}, "samples must be a positive integer"),
        ({"samples": 10, "batch": 6}, "batch must be at most half of the 10 samples"),
        ({"measure": ("sharpnes",)}, "measure must be of"),
        ({"measure": ("step",)}, "learning_rate is needed"),
        ({"measure": ("stability",), "learning_rate": 0.1}, "must hold"),
        ({"every": 0}, "every must be a positive integer"),
        ({"learning_rate": -1.0}, "learning_rate must be positive"),
        ({"batch_size": 97}, "batch_size must be at most"),
        ({"loss": "hinge"}, "loss must be .mse. or"),
    ]:
        with pytest.raises(ValueError, match=message):
            curvature.Tracker(network, x, y, **options)
    with pytest.raises(ValueError, match="x and y must have the same number of rows"):
        curvature.Tracker(network, x, y[:-1])
    with pytest.raises(ValueError, match="BatchNorm"):
        curvature.Tracker(*problem(True)[:3], measure=("sample_covariance",))
    with pytest.raises(ValueError, match="params must have 50 numbers"):
        curvature.Tracker(network, x, y, batch=8).record(0, np.zeros(7))
