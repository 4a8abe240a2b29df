"""abc-parametrizations: the paper's table, the symmetry, and how far features really move."""

from fractions import Fraction

import numpy as np
import pytest

from ntkswift import empirical, stax
from ntkswift import parametrizations as abc

HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("parametrization", "stable", "regime", "r"),
    [
        # Table 1 of arXiv:2011.14522; with one hidden layer SP has r = 3/2, with more 1/2.
        (abc.standard(2), True, "kernel", HALF),
        (abc.standard(1), True, "kernel", 3 * HALF),
        (abc.standard(2, c=0), False, "unstable", -HALF),
        (abc.ntk(1), True, "kernel", HALF),
        (abc.ntk(3), True, "kernel", HALF),
        (abc.mean_field(), True, "feature learning", 0),
        (abc.maximal_update(1), True, "feature learning", 0),
        (abc.maximal_update(4), True, "feature learning", 0),
        # A last layer that is too small to matter: nothing moves.
        (abc.ABC((0, HALF, 1), (0, 0, 1), 0), True, "trivial", None),
    ],
)
def test_table(parametrization, stable, regime, r):
    for same in (parametrization, parametrization.shifted(0.25)):
        found = same.classify()
        assert (found.stable, found.regime) == (stable, regime)
        if r is not None and parametrization != abc.standard(2, c=0):
            assert found.r == r


def _feature_movement(parametrization, width, steps=3):
    """Root mean square movement of the last hidden layer's preactivations under SGD at learning rate n^-c."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 1))
    network = parametrization.network(width, 3)
    features = stax.serial(*network.layers[:-2])
    rate = parametrization.learning_rate(width, 0.5)
    movements = []
    for seed in range(3):
        params = parametrization.init(seed, width, 3)
        before = features.apply_fn(params[:-2], x)
        for _ in range(steps):
            _, gradient = empirical.loss_and_gradient(network, params, x, y)
            params = tuple((p[0] - rate * g[0], None) if p else () for p, g in zip(params, gradient, strict=True))
        movements.append(np.mean((features.apply_fn(params[:-2], x) - before) ** 2))
    return np.sqrt(np.mean(movements))


@pytest.mark.parametrize(
    "parametrization", [abc.ntk(2), abc.standard(2), abc.maximal_update(2)], ids=["ntk", "standard", "maximal_update"]
)
def test_features_move_by_the_width_to_the_minus_r(parametrization):
    widths = np.array([64, 256, 1024])
    moved = [_feature_movement(parametrization, int(n)) for n in widths]
    slope = np.polyfit(np.log(widths), np.log(moved), 1)[0]
    assert abs(slope + float(parametrization.classify().r)) < 0.15


def test_linear_maximal_update_networks_follow_their_limit():
    """Corollary 6.2: f_t = (A C + B D) x with (A, B) -= chi x (C, D), (C, D) -= chi x (A, B), from A = D = 1."""
    x, y, rate, steps = 0.7, 1.3, 0.2, 6
    a, b, c, d = 1.0, 0.0, 0.0, 1.0
    limit = []
    for _ in range(steps):
        f = (a * c + b * d) * x
        limit.append(f)
        chi = rate * (f - y)
        a, b, c, d = a - chi * x * c, b - chi * x * d, c - chi * x * a, d - chi * x * b
    parametrization, errors = abc.maximal_update(1), []
    for width in (64, 4096):
        network = parametrization.network(width, 1, activation=stax.Identity())
        errors.append([])
        for seed in range(5):
            params, path = parametrization.init(seed, width, 1, activation=stax.Identity()), []
            for _ in range(steps):
                path.append(network.apply_fn(params, [[x]])[0, 0])
                _, gradient = empirical.loss_and_gradient(network, params, [[x]], [[y]])
                params = tuple((p[0] - rate * g[0], None) if p else () for p, g in zip(params, gradient, strict=True))
            errors[-1].append(np.abs(np.array(path) - limit).max())
    # Eight times the root of the width: fluctuations are eight times smaller.
    assert np.mean(errors[1]) < 0.05
    assert 3 < np.mean(errors[0]) / np.mean(errors[1]) < 20


def test_bad_input():
    for call, error, match in [
        (lambda: abc.ABC((0,), (0,)), ValueError, "per layer"),
        (lambda: abc.ABC((0, 1), (0, 1, 2)), ValueError, "per layer"),
        (lambda: abc.ABC(0, (0, 1)), TypeError, "sequence"),
        (lambda: abc.ABC((0, float("nan")), (0, 1)), ValueError, "finite"),
        (lambda: abc.ntk(0), ValueError, "hidden_layers"),
    ]:
        with pytest.raises(error, match=match):
            call()


def test_layers_may_have_learning_rates_of_their_own():
    base = abc.maximal_update(2)
    t = (HALF, 0, -HALF)
    moved = abc.ABC(
        tuple(x + s for x, s in zip(base.a, t, strict=True)),
        tuple(x - s for x, s in zip(base.b, t, strict=True)),
        tuple(x - 2 * s for x, s in zip(base.c, t, strict=True)),
    )
    assert moved.classify() == base.classify()
    assert moved.learning_rate(4, 1.0) == (4.0, 1.0, 0.25)
