"""Autoencoders against golden numbers, finite differences, and their own infinite width."""

from pathlib import Path

import numpy as np
import pytest

from ntkswift import stax
from ntkswift.regimes import Autoencoder

GOLDEN = dict(np.load(Path(__file__).parent / "autoencoder.npz"))
X = np.ascontiguousarray(GOLDEN["X"].T)  # 8 unit rows in 5 dimensions
MODES = ("weak", "joint")


def golden_network(mode="joint"):
    """The network whose weights the golden numbers were computed with."""
    model = Autoencoder(len(GOLDEN["W"].T), mode, steps=0, random_state=0).fit(X)
    model.encoder_ = model.initial_encoder_ = np.ascontiguousarray(GOLDEN["W"].T)
    model.decoder_ = model.initial_decoder_ = np.ascontiguousarray(GOLDEN["A"].T)
    return model


def close(a, b, tolerance=1e-12):
    return np.max(np.abs(a - b)) <= tolerance * np.max(np.abs(b))


# ---------------------------------------------------------------- golden numbers


def test_golden_outputs_gradients_and_kernels():
    model = golden_network()
    assert close(model.reconstruct(X), GOLDEN["U"].T)
    assert np.isclose(-model.score(X) * len(X), GOLDEN["loss"], rtol=1e-13)
    encoder, decoder = model.gradients()
    assert close(encoder, GOLDEN["gW"].T)
    assert close(decoder, GOLDEN["gA"].T)
    assert close(model.kernel(layers="encoder"), GOLDEN["Kw_emp"])
    assert close(model.kernel(layers="decoder"), GOLDEN["Ka_emp"])
    assert close(model.kernel(), GOLDEN["Kw_emp"] + GOLDEN["Ka_emp"])


def test_golden_limits():
    model, d = Autoencoder(100), X.shape[1]
    # The oracle's arccos loses half of the digits on the diagonal.
    assert close(d * model.limit_kernel(X, layers="encoder"), GOLDEN["H"], 1e-8)
    assert close(d * model.limit_kernel(X, layers="decoder"), GOLDEN["S"], 1e-8)
    assert close(model.limit_kernel(X), GOLDEN["K_joint"], 1e-8)
    for mode, name in (("weak", "lam_H"), ("joint", "lam_HS")):
        assert np.isclose(d * Autoencoder(100, mode).bounds(X).lambda_min, GOLDEN[name], rtol=1e-7)
    tied = Autoencoder(100, "tied", scaling=100**-0.5).limit_kernel(X)  # m scale^2 = 1
    assert close(tied[:d, d : 2 * d], GOLDEN["tied_K01"])
    assert close(tied[:d, :d], GOLDEN["tied_K00"])


@pytest.mark.parametrize("mode", MODES)
def test_golden_predictions(mode):
    model = Autoencoder(50, mode, learning_rate=1.0)
    predicted = model.predicted_loss(X, 200, start=np.zeros_like(X))
    np.testing.assert_allclose(predicted, GOLDEN[f"loss_inf_{mode}"], rtol=1e-6)  # the oracle's diagonal again
    new = model.predict_infinite(GOLDEN["x_test"][None], X)
    np.testing.assert_allclose(new[0], GOLDEN[f"u_test_{mode}"], rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- other means


def test_limits_are_those_of_the_layer_engine():
    layers = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(8))
    Z = np.random.default_rng(1).standard_normal((6, 5))
    model = Autoencoder(10, normalize=True)
    units = Z / np.linalg.norm(Z, axis=1)[:, None]
    kernels = layers.kernel_fn(units, X, ("nngp", "ntk"))
    assert close(model.limit_kernel(Z, X, layers="decoder"), kernels.nngp)
    assert close(model.limit_kernel(Z, X), kernels.ntk)


@pytest.mark.parametrize("mode", [*MODES, "tied"])
def test_gradients_agree_with_finite_differences(mode):
    model = Autoencoder(12, mode, steps=0, random_state=3).fit(X)
    gradients, h = model.gradients(), 1e-6
    for weights, gradient in zip((model.encoder_, model.decoder_), gradients):
        for index in np.ndindex(weights.shape):
            value = weights[index]
            weights[index] = value + h
            up = -model.score(X) * len(X)
            weights[index] = value - h
            down = -model.score(X) * len(X)
            weights[index] = value
            assert np.isclose((up - down) / (2 * h), gradient[index], atol=1e-7)


@pytest.mark.parametrize("mode", [*MODES, "tied"])
def test_training_is_gradient_descent(mode):
    """Three steps in NumPy, from the definition."""
    model = Autoencoder(40, mode, steps=3, learning_rate=0.5, random_state=1).fit(X)
    W, A = model.initial_encoder_.T.copy(), model.initial_decoder_.T.copy()
    losses = []
    for _ in range(4):
        if mode == "tied":
            A = W
        Z = W.T @ X.T
        residual = model.scale_ * A @ np.maximum(Z, 0) - X.T
        losses.append(0.5 * np.sum(residual**2))
        by_A = model.scale_ * residual @ np.maximum(Z, 0).T
        by_W = model.scale_ * X.T @ ((A.T @ residual) * (Z > 0)).T
        if mode == "tied":
            by_W = by_W + by_A
        W = W - 0.5 * by_W
        if mode == "joint":
            A = A - 0.5 * by_A
    np.testing.assert_allclose(model.history_.loss, losses, rtol=1e-12)
    if mode == "weak":
        assert np.array_equal(model.decoder_, model.initial_decoder_)
    if mode == "tied":
        assert model.decoder_ is model.encoder_


def test_the_decoder_kernel_is_exactly_a_kronecker_product():
    model = Autoencoder(37, steps=0, random_state=0, decoder_init="gaussian").fit(X)
    kernel, n, d = model.kernel(layers="decoder"), len(X), X.shape[1]
    S = np.maximum(X @ model.encoder_.T, 0) @ np.maximum(X @ model.encoder_.T, 0).T / (37 * d)
    blocks = kernel.reshape(n, d, n, d)
    assert close(kernel, np.kron(S, np.eye(d)))
    assert not blocks[:, ~np.eye(d, dtype=bool).any(axis=0)].any()
    off_diagonal = blocks.transpose(1, 3, 0, 2)[~np.eye(d, dtype=bool)]
    assert not off_diagonal.any()
    assert np.array_equal(kernel, kernel.T)


@pytest.mark.parametrize(
    ("mode", "init"), [("weak", "rademacher"), ("joint", "rademacher"), ("joint", "gaussian"), ("tied", "")]
)
def test_kernels_approach_their_limit_like_the_root_of_the_width(mode, init):
    init = init or "rademacher"
    errors = []
    for width in (500, 50_000):
        model = Autoencoder(width, mode, steps=0, decoder_init=init)
        limit = model.limit_kernel(X)
        limit = limit if mode == "tied" else np.kron(limit, np.eye(X.shape[1]))
        each = []
        for seed in range(4):
            model.set_params(random_state=seed)
            each.append(np.linalg.norm(model.fit(X).kernel() - limit) / np.linalg.norm(limit))
        errors.append(np.mean(each))
    # 100 times the width: 10 times the accuracy, within the spread of four draws.
    assert 6 < errors[0] / errors[1] < 16


def test_tied_outputs_start_at_half_of_the_input():
    """E[w relu(w x)] = x / 2."""
    for scaling, factor in (("mean", 0.5), ("identity", 1.0)):
        model = Autoencoder(200_000, "tied", scaling=scaling, steps=0, random_state=0).fit(X)
        # Entries of w relu(w x) have a standard deviation below 1.3.
        assert np.max(np.abs(model.reconstruct(X) - factor * X)) < 5 * 2 * factor * 1.3 / 200_000**0.5


def test_the_output_starts_with_variance_one_half():
    norms = [
        Autoencoder(500, steps=0, random_state=seed).fit(X).history_.initial_output_norm ** 2 for seed in range(40)
    ]
    assert abs(np.mean(norms) - 0.5) < 4 * np.std(norms) / 40**0.5


def test_mirrored_neurons_start_at_zero():
    model = Autoencoder(4000, steps=0, decoder_init="mirrored", random_state=0).fit(X)
    assert np.abs(model.reconstruct(X)).max() < 1e-15
    assert model.history_.initial_output_norm < 1e-15
    limit = np.kron(model.limit_kernel(), np.eye(X.shape[1]))
    assert np.linalg.norm(model.kernel() - limit) < 0.1 * np.linalg.norm(limit)
    with pytest.raises(ValueError, match="even"):
        model.set_params(width=5).fit(X)


# ---------------------------------------------------------------- theory and training


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("optimizer", ["gd", "flow"])
def test_predicted_losses_get_closer_with_width(mode, optimizer):
    def deviation(width):
        model = Autoencoder(width, mode, optimizer=optimizer, steps=20)
        worst = []
        for seed in range(3):
            loss = model.set_params(random_state=seed).fit(X).history_.loss
            worst.append(np.max(np.abs(loss - model.predicted_loss()) / loss[0]))
        return np.mean(worst)

    wide = deviation(10_000)
    assert wide < 0.5 * deviation(200)
    assert wide < 0.015


def test_the_late_rate_is_that_of_the_smallest_eigenvalue():
    # The limit's eigenvalues are exact for its own curve.
    model = Autoencoder(100, "weak", learning_rate=1.0)
    predicted = model.predicted_loss(X, 3000)
    assert np.isclose(predicted[-1] / predicted[-2], model.bounds(X).late_rate, rtol=1e-6)
    # A wide network's loss shrinks like it too, less precisely.
    model = Autoencoder(20_000, "joint", steps=400, random_state=0).fit(X)
    assert np.isclose(1 - model.history_.late_rate(), 1 - model.bounds().late_rate, rtol=0.05)


def test_stability_ends_at_two_over_lambda_max():
    model = Autoencoder(20_000, "joint", steps=60, random_state=0)
    bound = model.bounds(X).max_learning_rate
    model.set_params(learning_rate=0.95 * bound).fit(X)
    assert model.history_.loss[-1] < model.history_.loss[0]
    # Just above it the loss rises along the largest eigenvector, at first.
    loss = model.set_params(learning_rate=1.1 * bound, steps=8).fit(X).history_.loss
    assert loss[-1] > loss[-2]


def test_the_mean_prediction_is_the_mean_over_networks():
    model = Autoencoder(400, "joint", learning_rate=1.0)
    predicted = model.predicted_loss(X, 10)  # not fitted: mean over the weights
    losses = []
    for seed in range(60):
        one = Autoencoder(400, "joint", learning_rate=1.0, steps=0, random_state=seed).fit(X)
        losses.append(one.predicted_loss(X, 10))
    standard_error = np.std(losses, axis=0) / 60**0.5
    assert np.all(np.abs(np.mean(losses, axis=0) - predicted) < 4 * standard_error)


def test_the_linearised_network_is_predicted_better_by_its_own_kernel():
    model = Autoencoder(3000, "weak", steps=60, random_state=0).fit(X)
    loss = model.history_.loss
    own = np.abs(np.log(loss / model.predicted_loss(kernel="empirical"))).max()
    limit = np.abs(np.log(loss / model.predicted_loss())).max()
    assert own < limit


def test_infinite_predictions_interpolate_and_stay_in_the_span():
    Z = np.random.default_rng(0).standard_normal((3, 6))  # three inputs span three of six dimensions
    units = Z / np.linalg.norm(Z, axis=1)[:, None]
    new = np.random.default_rng(1).standard_normal((5, 6))
    for mode in MODES:
        model = Autoencoder(10, mode)
        assert close(model.predict_infinite(units, units), units, 1e-10)
        predicted = model.predict_infinite(new, units)
        assert np.linalg.matrix_rank(np.vstack([units, predicted]), tol=1e-10) == 3
        assert close(model.predict_infinite(3 * new, units), 3 * predicted)


def test_a_wide_network_learns_the_infinite_predictor():
    """Up to its outputs at the start, which the predictor takes for 0: their influence is subtracted here."""
    new = np.random.default_rng(1).standard_normal((4, X.shape[1]))
    model = Autoencoder(40_000, "joint", steps=300, random_state=0).fit(X)
    kernel = model.limit_kernel()
    units = new / np.linalg.norm(new, axis=1)[:, None]
    cross = model.limit_kernel(units, X)
    start = model._weights(initial=True)
    expected = start.outputs(units) + cross @ np.linalg.solve(kernel, X - start.outputs(X))
    assert np.max(np.abs(model.reconstruct(units) - expected)) < 0.03
    zero_start = model.reconstruct(units) - (start.outputs(units) - cross @ np.linalg.solve(kernel, start.outputs(X)))
    assert np.max(np.abs(zero_start - model.predict_infinite(units))) < 0.03


def test_tied_weights_leave_the_lazy_regime():
    norms, moved = [], []
    for width in (400, 6400):
        model = Autoencoder(width, "tied", steps=150, random_state=0).fit(X)
        norms.append(model.history_.initial_output_norm)
        moved.append(model.history_.encoder_movement[-1])
    # ||u|| ~ sqrt(m / d) / 2; sixteen times the width, four times the norm.
    assert 3.3 < norms[1] / norms[0] < 4.5
    assert moved[1] > 0.5 * moved[0] > 0.1
    lazy = [
        Autoencoder(width, "joint", steps=150, random_state=0).fit(X).history_.encoder_movement[-1]
        for width in (400, 6400)
    ]
    assert lazy[1] < 0.4 * lazy[0]


def test_movements_are_what_they_say():
    model = Autoencoder(300, "joint", steps=20, random_state=0, record=2, track_kernel=True).fit(X)
    history = model.history_
    assert history.recorded.tolist() == [0, 10, 20]
    change = model.encoder_ - model.initial_encoder_
    relative = np.linalg.norm(change) / np.linalg.norm(model.initial_encoder_)
    assert np.isclose(history.encoder_movement[-1], relative, rtol=1e-12)
    assert np.isclose(history.largest_neuron_movement[-1], np.linalg.norm(change, axis=1).max(), rtol=1e-12)
    patterns = [(X @ weights.T > 0) for weights in (model.encoder_, model.initial_encoder_)]
    assert np.isclose(history.flipped[-1], np.mean(patterns[0] != patterns[1]))
    kernels = [model.kernel(initial=initial) for initial in (False, True)]
    moved = np.linalg.norm(kernels[0] - kernels[1]) / np.linalg.norm(kernels[1])
    assert np.isclose(history.kernel_movement[-1], moved, rtol=1e-12)
    assert history.kernel_movement[0] == history.flipped[0] == 0
    assert np.allclose(history.time, model.learning_rate_ * np.arange(21))


@pytest.mark.parametrize(("optimizer", "rate"), [("gd", "auto"), ("flow", 1e-4)])
def test_records_do_not_change_training(optimizer, rate):
    """By flow where its steps are those between two losses; shorter ones begin anew with each record."""
    settings = {"steps": 40, "optimizer": optimizer, "learning_rate": rate, "random_state": 0}
    runs = [Autoencoder(300, record=record, **settings).fit(X).history_.loss for record in (1, 7, 100)]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])
