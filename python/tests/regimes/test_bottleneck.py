"""Networks with a bottleneck: golden numbers, limits, finite networks, gradients."""

from pathlib import Path

import numpy as np
import pytest

from ntkswift import predict, stax
from ntkswift.regimes import Bottleneck, LinearBottleneck, input_gradient, time_to_threshold, train_finite_bottleneck

GOLDEN = np.load(Path(__file__).with_name("bottleneck.npz"))
RNG = np.random.default_rng(0)
X, TEST = RNG.standard_normal((10, 3)), RNG.standard_normal((4, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1]
INNER = stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(2))
OUTER = stax.serial(stax.Dense(512, 1.5, 0.1), stax.Erf(), stax.Dense(1, 1.2))

SMOOTH = {
    "erf": stax.Erf(1.2, 0.7, 0.3),
    "gelu": stax.Gelu(),
    "sin": stax.Sin(1.1, 0.9, 0.4),
    "cos": stax.Cos(),
    "rbf": stax.Rbf(0.7),
    "exp": stax.Exp(0.5, 0.4),
    "gaussian": stax.Gaussian(1.1, -0.6),
    "gabor": stax.Gabor(),
    "tanh": stax.Tanh(),
    "sigmoid": stax.Sigmoid(),
    "softplus": stax.Softplus(),
    "swish": stax.Swish(),
    "polynomial": stax.Polynomial((0.1, 0.5, 0.2, -0.1)),
}


def linear_start(a):
    return lambda z: (z @ a, np.tile(a, (len(z), 1)))


# ---------------------------------------------------------------- golden numbers


def golden_s04(**options):
    g = {name[4:]: GOLDEN[name] for name in GOLDEN if name.startswith("s04_")}
    outer = stax.serial(stax.Dense(512, np.sqrt(2)), stax.Erf(), stax.Dense(1))
    inner = stax.serial(stax.Dense(512, np.sqrt(3)), stax.Erf(), stax.Dense(2))
    model = Bottleneck(outer, inner, 2, float(g["eta"]), steps=100, **options)
    return g, outer, model.fit(g["X"], g["y"], positions=g["X"] @ g["M"].T, initial=linear_start(g["a"]))


def test_golden_gradient_descent():
    g, _, model = golden_s04()
    assert np.abs(model.history_.loss[:100] - g["loss"]).max() < 1e-14
    assert np.abs(model.history_.outputs[:100, :, 0] - g["F"]).max() < 1e-13
    assert np.abs(model.positions_ - g["Z_end"]).max() < 1e-13


def test_golden_kernel_gradient():
    g, outer, _ = golden_s04()
    kernel, gradient = input_gradient(outer, g["Z_probe"], g["Y_probe"])
    assert np.abs(kernel - g["K_probe"]).max() < 1e-14
    assert np.abs(gradient - g["dK_probe"]).max() < 1e-14


def golden_s11(**options):
    g = {name[4:]: GOLDEN[name] for name in GOLDEN if name.startswith("s11_")}
    sw, sb, n = float(g["sw"]), float(g["sb"]), int(g["n_tr"])
    outer = stax.serial(stax.Dense(512, sw, sb), stax.Erf(), stax.Dense(1, sw, sb))
    model = Bottleneck(
        outer, lambda x1, x2, get: g["Theta_h"], 2, float(g["eta"]) * n, steps=int(g["steps"]), **options
    )
    # The sheet's loss is a sum over the points, ours a mean.
    return g, model.fit(g["X"][:n], g["y"], g["X"][n:], positions=g["h0"], initial=linear_start(g["a"]))


def test_golden_test_points_and_biases():
    g, model = golden_s11()
    assert np.abs(model.history_.outputs[..., 0] - g["F"]).max() < 1e-13
    assert np.abs(model.positions_ - g["H_end"]).max() < 1e-13


def test_golden_linear():
    g = {name[8:]: GOLDEN[name] for name in GOLDEN if name.startswith("s04_lin_")}
    model = LinearBottleneck(3, float(g["eta"]), steps=20000, dynamics="gd", scale=1.0)
    model.fit(g["X"], g["y"], inner=g["G0"], outer=g["w0"])
    assert np.abs(model.history_.loss[:20000:100] - g["loss"]).max() < 1e-12
    assert np.abs(model.inner_ - g["G"]).max() < 1e-13
    assert np.abs(model.outer_ - g["w"]).max() < 1e-13


# ---------------------------------------------------------------- kernel gradients


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("name", SMOOTH)
def test_kernel_gradient_is_the_derivative_of_the_kernel(name, depth):
    hidden = [stax.Dense(512, 1.3, 0.2), SMOOTH[name]] * depth
    network = stax.serial(*hidden, stax.Dense(1, 0.9, 0.1))
    left = 0.6 * RNG.standard_normal((3, 2))
    right = np.vstack([left[:2], 0.6 * RNG.standard_normal((2, 2)), np.zeros((1, 2))])
    for get in ("ntk", "nngp"):
        kernel, gradient = input_gradient(network, left, right, get)
        # Series and the engine's own expansions (tol 1e-8) agree to their tolerance; closed forms to rounding.
        tolerance = 1e-6 if name in ("tanh", "sigmoid", "softplus", "swish") else 1e-9
        assert np.abs(kernel - network.kernel_fn(left, right, get)).max() < tolerance * np.abs(kernel).max()
        step, numeric = 1e-5, np.empty_like(gradient)
        for d in range(2):
            shift = step * np.eye(2)[d]
            ahead, behind = (input_gradient(network, left + s, right, get)[0] for s in (shift, -shift))
            numeric[..., d] = (ahead - behind) / (2 * step)
        assert np.abs(gradient - numeric).max() < 100 * tolerance * max(np.abs(numeric).max(), 1e-3)


# ---------------------------------------------------------------- dynamics


def test_flow_is_the_limit_of_gradient_descent():
    shared = {"random_state": 3, "record_every": 10**6}
    flow = Bottleneck(OUTER, INNER, 2, dynamics="flow", time=4.0, flow_tolerance=1e-8, **shared).fit(X, Y, TEST)
    errors = []
    for steps in (80, 160):
        descent = Bottleneck(OUTER, INNER, 2, 4.0 / steps, steps=steps, **shared).fit(X, Y, TEST)
        errors.append(np.abs(descent.history_.outputs[-1] - flow.history_.outputs[-1]).max())
    assert errors[1] < 0.05
    assert 1.7 < errors[0] / errors[1] < 2.5  # first order
    assert flow.history_.recorded_time[-1] == 4.0


def test_flow_converges_with_its_tolerance():
    ends = [
        Bottleneck(OUTER, INNER, 2, dynamics="flow", time=6.0, flow_tolerance=t, random_state=3)
        .fit(X, Y, initial=linear_start(np.ones(2)))
        .predict(X)
        for t in (1e-4, 1e-6, 1e-9)
    ]
    assert np.abs(ends[1] - ends[2]).max() < 1e-5
    assert np.abs(ends[0] - ends[2]).max() < 1e-3


def test_flow_records_at_given_times():
    model = Bottleneck(OUTER, INNER, 2, dynamics="flow", time=[0.5, 1.0, 3.0], random_state=0).fit(X, Y)
    assert model.history_.recorded_time.tolist() == [0.0, 0.5, 1.0, 3.0]
    assert (np.diff(model.history_.loss) < 0).all()


def test_compression_error_follows_its_tolerance():
    exact, errors = golden_s11()[1], []
    for tolerance in (1e-2, 1e-4, 1e-6):
        model = golden_s11(history="compressed", tolerance=tolerance)[1]
        assert model.history_.size < exact.history_.size
        errors.append(np.abs(model.history_.outputs - exact.history_.outputs).max())
        # The bound concerns one function; moved positions may add their part.
        assert errors[-1] < 10 * model.history_.compression_error
    assert errors[0] < 1e-2
    assert errors[1] < 1e-4
    assert errors[2] < 1e-6
    assert exact.history_.compression_error == 0


def test_compressed_flow():
    exact, short = (
        Bottleneck(OUTER, INNER, 2, dynamics="flow", time=5.0, history=h, tolerance=1e-5, random_state=1).fit(
            X, Y, TEST
        )
        for h in ("exact", "compressed")
    )
    assert np.abs(exact.history_.outputs[-1] - short.history_.outputs[-1]).max() < 1e-4
    assert short.history_.size < exact.history_.size


def test_training_does_not_depend_on_test_points_or_records():
    alone = Bottleneck(OUTER, INNER, 2, 1.0, steps=30, random_state=5).fit(X, Y)
    along = Bottleneck(OUTER, INNER, 2, 1.0, steps=30, random_state=5, record_every=7).fit(X, Y, TEST)
    # z_0 comes from a factorisation of another size: to rounding, which training may amplify.
    assert np.abs(alone.history_.loss - along.history_.loss).max() < 1e-9
    assert along.history_.recorded.tolist() == [0, 7, 14, 21, 28, 30]
    again = Bottleneck(OUTER, INNER, 2, 1.0, steps=30, random_state=5).fit(X, Y)
    assert np.array_equal(alone.history_.outputs, again.history_.outputs)


def test_predict_and_replay():
    start = {"positions": lambda x: x[:, :2] * 0.5, "initial": linear_start(np.array([0.7, -0.4]))}
    for history in ("exact", "compressed"):
        model = Bottleneck(OUTER, INNER, 2, 1.0, steps=30, history=history).fit(X, Y, TEST, **start)
        assert np.array_equal(
            model.predict(np.vstack([TEST, X])), model.history_.outputs[-1, [*range(10, 14), *range(10)], 0]
        )
        fresh = Bottleneck(OUTER, INNER, 2, 1.0, steps=30, history=history).fit(X, Y, **start)
        # New points are replayed from the same start: the trajectory that they would have had.
        assert np.abs(fresh.predict(TEST) - model.predict(TEST)).max() < 1e-9
        assert np.abs(fresh.transform(TEST) - model.transform(TEST)).max() < 1e-12


def test_drawn_start_extends_to_new_points():
    model = Bottleneck(OUTER, INNER, 2, 1.0, steps=10, random_state=0).fit(X, Y)
    near = X + 1e-6 * RNG.standard_normal(X.shape)
    assert np.abs(model.predict(near) - model.predict(X)).max() < 1e-2
    assert np.array_equal(model.predict(TEST), model.predict(TEST))
    assert np.isfinite(model.predict(10 * TEST)).all()


def test_drawn_start_has_the_distribution_of_the_gaussian_process():
    values, gradients, many = [], [], 400
    z = np.array([[0.3, -0.5], [0.9, 0.2]])
    for seed in range(many):
        model = Bottleneck(OUTER, INNER, 2, steps=0, start_width=500, random_state=seed).fit(X[:2], Y[:2], positions=z)
        values.append(model.history_.outputs[0, :, 0])
        gradients.append(model.history_.gradients[0, :, 0])
    values, gradients = np.array(values), np.array(gradients)
    kernel, slope = input_gradient(OUTER, z, None, "nngp")
    spread = 4 * np.abs(kernel).max() / np.sqrt(many)
    assert np.abs(values.T @ values / many - kernel).max() < spread
    # E grad f(z) f(z') = dk(z, z')/dz
    assert np.abs(np.einsum("sid,sj->ijd", gradients, values) / many - slope).max() < 2 * spread


def test_gradient_of_the_outer_function():
    model = Bottleneck(OUTER, INNER, 2, 1.0, steps=20, random_state=0).fit(X, Y)
    z = model.positions_[:3]
    gradient = model.outer_function(z)[1][:, 0]
    for d in range(2):
        shift = 1e-5 * np.eye(2)[d]
        numeric = (model.outer_function(z + shift)[0] - model.outer_function(z - shift)[0])[:, 0] / 2e-5
        assert np.abs(gradient[:, d] - numeric).max() < 1e-7 * np.abs(gradient).max()


def test_instantaneous_kernel_is_the_derivative_of_the_outputs():
    step = 1e-4
    model = Bottleneck(OUTER, INNER, 2, step, steps=1, random_state=0).fit(X, Y, TEST, initial=linear_start(np.ones(2)))
    outputs = model.history_.outputs[:, :, 0]
    predicted = -model.instantaneous_kernel(0)[:, :10] @ (outputs[0, :10] - Y) / 10
    assert np.abs((outputs[1] - outputs[0]) / step - predicted).max() < 1e-3 * np.abs(predicted).max()


def test_deep_outer_network():
    deep = stax.serial(stax.Dense(8, 1.4, 0.1), stax.Gelu(), stax.Dense(8, 1.2), stax.Tanh(), stax.Dense(1, 1.1, 0.2))
    model = Bottleneck(deep, INNER, 2, 0.5, steps=15, start_width=64, random_state=0).fit(X, Y, TEST)
    assert model.history_.loss[-1] < model.history_.loss[0]
    z, numeric = model.positions_[:3], np.empty((3, 2))
    for d in range(2):
        shift = 1e-5 * np.eye(2)[d]
        numeric[:, d] = (model.outer_function(z + shift)[0] - model.outer_function(z - shift)[0])[:, 0] / 2e-5
    assert np.abs(model.outer_function(z)[1][:, 0] - numeric).max() < 1e-6 * np.abs(numeric).max()


def test_several_outputs_and_their_kernel():
    y = np.stack([Y, np.cos(X[:, 2])], axis=1)
    a = RNG.standard_normal((2, 3))
    start = {"initial": lambda z: (z @ a.T, np.broadcast_to(a, (len(z), 2, 3)))}
    model = Bottleneck(OUTER, INNER, 3, 1e-4, steps=1, random_state=0).fit(X, y, **start)
    assert model.predict(X).shape == (10, 2)
    outputs = model.history_.outputs
    change = np.einsum("iajb,jb->ia", model.instantaneous_kernel(0), outputs[0] - y) / y.size
    assert np.abs((outputs[1] - outputs[0]) / 1e-4 + change).max() < 1e-3 * np.abs(change).max()


def test_wide_bottleneck_approaches_the_infinite_network():
    distances = []
    for units in (8, 512):
        each = []
        for seed in range(4):
            model = Bottleneck(OUTER, INNER, units, 1.0, steps=30, random_state=seed).fit(X, Y)
            kernel, limit = model.instantaneous_kernel(0), model.infinite_kernel()
            each.append(np.linalg.norm(kernel - limit) / np.linalg.norm(limit))
        distances.append(np.mean(each))
    # units^-1/2 predicts a factor of 8.
    assert 4 < distances[0] / distances[1] < 16
    assert model.history_.movement[-1] < 0.15
    # The loss is then that of a constant kernel, while it is not at rounding.
    assert np.abs(np.log(model.history_.loss / model.constant_kernel_loss())).max() < 0.5


def test_constant_kernel_loss_of_flow_and_descent():
    model = Bottleneck(OUTER, INNER, 2, 1.0, steps=5, random_state=0).fit(X, Y)
    kernel = model.instantaneous_kernel(0)
    residual = model.history_.outputs[0, :, 0] - Y
    losses = []
    for _ in range(6):
        losses.append(0.5 * np.mean(residual**2))
        residual = residual - kernel @ residual / 10
    assert np.allclose(model.constant_kernel_loss("frozen"), losses, rtol=1e-12)
    flow = Bottleneck(OUTER, INNER, 2, dynamics="flow", time=[1.0, 2.0], random_state=0).fit(X, Y)
    start = flow.history_.outputs[0]
    exact = predict.gradient_descent_mse(flow.infinite_kernel(), Y[:, None])(2.0, start)
    assert np.isclose(flow.constant_kernel_loss()[-1], 0.5 * np.mean((exact - Y[:, None]) ** 2), rtol=1e-10)


# ---------------------------------------------------------------- finite networks


def own_finite_network(width, seed, rate, steps):
    """Gradient descent on a finite network, written out in NumPy: loss, first weights of the outer half, first positions."""
    special = pytest.importorskip("scipy.special")
    random = np.random.default_rng(seed)
    shapes = ((3, width), (width, 2), (2, width), (width, 1))
    u, v, p, q = (random.standard_normal(shape) for shape in shapes)
    a, b, c, d = 1.5 / np.sqrt(3), 1 / np.sqrt(width), 1.5 / np.sqrt(2), 1.2 / np.sqrt(width)
    start, losses = (p.copy(), q.copy()), []

    def slope(t):
        return 2 / np.sqrt(np.pi) * np.exp(-t * t)

    for step in range(steps + 1):
        first = a * X @ u
        z = b * special.erf(first) @ v
        second = c * z @ p
        residual = d * special.erf(second) @ q - Y[:, None]
        losses.append(0.5 * np.mean(residual**2))
        if step == 0:
            z_start = z
        residual = residual / len(Y)
        back = d * residual @ q.T * slope(second)
        down = c * back @ p.T
        lower = b * down @ v.T * slope(first)
        q = q - rate * d * special.erf(second).T @ residual
        p = p - rate * c * z.T @ back
        v = v - rate * b * special.erf(first).T @ down
        u = u - rate * a * X.T @ lower
    return np.array(losses), ((start[0],), (), (start[1],)), z_start


def plain_outer():
    return stax.serial(stax.Dense(512, 1.5), stax.Erf(), stax.Dense(1, 1.2))


def test_finite_networks_approach_function_space():
    deviations = []
    for width in (128, 4096):
        each = []
        for seed in range(5):
            loss, initial, z = own_finite_network(width, seed, 0.5, 60)
            model = Bottleneck(plain_outer(), INNER, 2, 0.5, steps=60).fit(X, Y, positions=z, initial=initial)
            each.append(np.linalg.norm(model.history_.loss - loss) / np.linalg.norm(loss))
        deviations.append(np.mean(each))
    # Width^-1/2 predicts a factor of 5.7.
    assert deviations[1] < deviations[0] / 2.5
    assert deviations[1] < 0.02


def test_finite_training_is_gradient_descent():
    run = train_finite_bottleneck(plain_outer(), INNER, 2, 64, X, Y, TEST, learning_rate=0.5, steps=20, seed=7)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(7)))
    assert run.initial_positions.shape == (14, 2)
    weights = [random.standard_normal(shape) for shape in ((3, 64), (64, 2), (2, 64), (64, 1))]
    # The same network through stax: its output, and the first step from finite differences in a random direction.
    network = stax.serial(
        stax.Dense(64, 1.5), stax.Erf(), stax.Dense(2), stax.Dense(64, 1.5), stax.Erf(), stax.Dense(1, 1.2)
    )

    def params(w):
        return ((w[0], None), (), (w[1], None), (w[2], None), (), (w[3], None))

    def loss(w):
        return 0.5 * np.mean((network.apply_fn(params(w), X)[:, 0] - Y) ** 2)

    assert np.isclose(run.loss[0], loss(weights), rtol=1e-12)
    norm = 0.0
    for i, block in enumerate(weights):
        gradient = np.empty_like(block)
        for place in np.ndindex(block.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[i][place] += sign * 1e-5
                ends.append(loss(moved))
            gradient[place] = (ends[0] - ends[1]) / 2e-5
        norm += np.sum(gradient**2)
    tiny = train_finite_bottleneck(plain_outer(), INNER, 2, 64, X, Y, learning_rate=1e-5, steps=1, seed=7)
    assert np.isclose((tiny.loss[0] - tiny.loss[1]) / 1e-5, norm, rtol=1e-3)


# ---------------------------------------------------------------- the deep linear network


def test_linear_network_in_function_space():
    """A linear outer and inner half in function space are the deep linear network."""
    inner, outer = (stax.serial(stax.Dense(512), stax.Dense(n)) for n in (2, 1))
    random = np.random.default_rng(2)
    a, w = random.standard_normal((2, 3)), random.standard_normal(2)
    linear = LinearBottleneck(2, 0.05, steps=40, dynamics="gd").fit(X, Y, inner=a, outer=w)
    # z = A x / sqrt(d), f(z) = w . z / sqrt(k)
    start = {"positions": X @ a.T / np.sqrt(3), "initial": linear_start(w / np.sqrt(2))}
    model = Bottleneck(outer, inner, 2, 0.05, steps=40).fit(X, Y, **start)
    assert np.abs(model.history_.loss - linear.history_.loss).max() < 1e-12
    assert np.abs(model.instantaneous_kernel() - linear.kernel(X)).max() < 1e-12


def test_conserved_quantity():
    flow = LinearBottleneck(4, time=30.0, random_state=1, tolerance=1e-11).fit(X, Y)
    assert flow.conservation_error_ < 1e-8
    descent = [LinearBottleneck(4, r, steps=int(3 / r), dynamics="gd", random_state=1).fit(X, Y) for r in (0.02, 0.01)]
    # Gradient descent keeps it to first order in the step only.
    assert 1.6 < descent[0].conservation_error_ / descent[1].conservation_error_ < 2.4
    assert descent[1].conservation_error_ > 1e-6


def test_balanced_growth_in_closed_form():
    d, k, target, start = 4, 3, 5.0, 0.2
    x, u = np.linalg.qr(np.random.default_rng(0).standard_normal((20, d)))[0] * np.sqrt(20), np.eye(d)[1]
    model = LinearBottleneck(k, time=np.linspace(0, 6, 13), inner_depth=2, outer_depth=3, tolerance=1e-11)
    scale, p = 1 / np.sqrt(k * d), np.eye(k)[0]
    # |A||w| scale = start with outer_depth |A|^2 = inner_depth |w|^2
    w = np.sqrt(start / scale * np.sqrt(3 / 2))
    model.fit(x, target * x @ u, inner=np.outer(p, u) * w * np.sqrt(2 / 3), outer=p * w)
    predicted = model.balanced_growth(target, start, model.history_.time)
    assert np.allclose(model.history_.loss, 0.5 * (predicted - target) ** 2, rtol=1e-7, atol=1e-12)


def test_linear_kernel_at_infinite_width():
    distances = []
    for units in (10, 1000):
        model = LinearBottleneck(units, steps=0, dynamics="gd", random_state=0, outer_depth=3).fit(X, Y)
        distances.append(np.abs(model.kernel(X) - 5 * X @ X.T / 3).max())
    assert distances[1] < distances[0] / 3
    assert distances[1] < 0.5


@pytest.mark.parametrize(("size", "is_faster"), [(10.0, True), (1.0, False)])
def test_acceleration_needs_large_targets(size, is_faster):
    x = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 10)))[0] * np.sqrt(40)
    u = np.eye(10)[0]
    times = [
        LinearBottleneck(2, time=np.linspace(0, 60, 6001), random_state=s).fit(x, size * x @ u).time_to_threshold()
        for s in range(5)
    ]
    constant = np.log(1e3) / (2 * 4 / 10)  # kernel 4 x.x'/d, whitened inputs, from zero
    assert (np.median(times) < constant) == is_faster


def test_time_to_threshold():
    assert time_to_threshold([1.0, 0.1, 0.01], 0.1) == 1.0
    assert time_to_threshold([1.0, 0.5], 0.1) == np.inf
    assert np.isclose(time_to_threshold([1.0, 0.1, 0.001], 0.01, [0, 2, 4]), 3.0)
