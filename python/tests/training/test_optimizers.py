"""Each optimiser step by step against NumPy, and against PyTorch where that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from ntkswift import _core, train
from ntkswift._random import philox_key
from ntkswift.training import GD, SGD, Adam, Constant, Cosine, Piecewise

OPTIMIZERS = [
    SGD(0.3),
    SGD(0.2, momentum=0.9),
    SGD(0.2, momentum=0.9, nesterov=True, weight_decay=0.01),
    Adam(0.02),
    Adam(0.02, b1=0.7, b2=0.9, eps=1e-3, weight_decay=0.1),
]


def batches(seed, n, size, steps):
    return [_core.training_batch(philox_key(seed), n, size, step) for step in range(steps)]


class Reference:
    """The update rules as their papers state them."""

    def __init__(self, optimizer, count):
        self.o, self.m, self.v, self.t = optimizer, np.zeros(count), np.zeros(count), 0

    def step(self, theta, g, rate):
        o, self.t = self.o, self.t + 1
        if isinstance(o, Adam):
            self.m = o.b1 * self.m + (1 - o.b1) * g
            self.v = o.b2 * self.v + (1 - o.b2) * g**2
            m, v = self.m / (1 - o.b1**self.t), self.v / (1 - o.b2**self.t)
            return theta - rate * (m / (np.sqrt(v) + o.eps) + o.weight_decay * theta)
        g = g + o.weight_decay * theta
        self.m = o.momentum * self.m + g
        return theta - rate * (g + o.momentum * self.m if o.nesterov else self.m)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_steps_are_those_of_numpy(problem, optimizer, loss):
    y = problem.y if loss == "mse" else np.eye(3)[problem.labels]
    theta, losses = problem.flat(problem.params), []
    rule = Reference(optimizer, len(theta))
    for own in batches(5, 20, 8, 30):
        value, gradient = problem.loss(theta, problem.x[own], y[own], loss)
        losses.append(value)
        theta = rule.step(theta, gradient, optimizer.learning_rate)
    given = problem.y if loss == "mse" else problem.labels
    history = train(
        problem.network,
        problem.params,
        problem.x,
        given,
        optimizer=optimizer,
        loss=loss,
        steps=30,
        batch_size=8,
        seed=5,
    )
    # 30 steps that amplify rounding errors of 1e-16 a little
    np.testing.assert_allclose(history.loss, losses, rtol=1e-11)
    np.testing.assert_allclose(problem.flat(history.params), theta, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_steps_are_those_of_pytorch(problem, optimizer):
    torch = pytest.importorskip("torch")
    w1, b1, w2, b2 = (
        torch.tensor(np.array(part), requires_grad=True)
        for pair in (problem.params[0], problem.params[2])
        for part in pair
    )
    if isinstance(optimizer, Adam):
        theirs = torch.optim.AdamW(
            [w1, b1, w2, b2], lr=optimizer.learning_rate, betas=(optimizer.b1, optimizer.b2), eps=optimizer.eps,
            weight_decay=optimizer.weight_decay,
        )  # fmt: skip
    else:
        theirs = torch.optim.SGD(
            [w1, b1, w2, b2], lr=optimizer.learning_rate, momentum=optimizer.momentum, nesterov=optimizer.nesterov,
            weight_decay=optimizer.weight_decay,
        )  # fmt: skip
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    losses = []
    for own in batches(0, 20, 7, 25):
        f = torch.tanh(x[own] @ w1 / 2 + 0.3 * b1) @ w2 / 6**0.5 + 0.1 * b2
        loss = 0.5 * ((f - y[own]) ** 2).mean()
        losses.append(loss.item())
        theirs.zero_grad()
        loss.backward()
        theirs.step()
    history = train(problem.network, problem.params, problem.x, problem.y, optimizer=optimizer, steps=25, batch_size=7)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)
    np.testing.assert_allclose(history.params[0][0], w1.detach().numpy(), rtol=1e-9, atol=1e-11)


def test_gradient_descent_sees_all_inputs(problem):
    theta = problem.flat(problem.params)
    for _ in range(10):
        theta = theta - 0.7 * problem.loss(theta, problem.x, problem.y)[1]
    history = train(
        problem.network, problem.params, problem.x, problem.y, optimizer=GD(0.7), steps=10, gradient_norm=True
    )
    np.testing.assert_allclose(problem.flat(history.params), theta, rtol=1e-11, atol=1e-13)
    first = np.linalg.norm(problem.loss(problem.flat(problem.params), problem.x, problem.y)[1])
    assert history.gradient_norm[0] == pytest.approx(first, rel=1e-12)


def test_an_epoch_takes_every_input_once():
    for epoch in range(3):
        steps = range(4 * epoch, 4 * epoch + 4)
        seen = [i for step in steps for i in _core.training_batch((1, 2), 14, 4, step)]
        assert sorted(seen) == list(range(14))
    assert _core.training_batch((1, 2), 14, 4, 0) != _core.training_batch((1, 2), 14, 4, 4)
    assert _core.training_batch((1, 2), 14, 4, 0) != _core.training_batch((1, 3), 14, 4, 0)


def test_orders_are_uniform():
    """Each of the 24 orders of four inputs is as likely as the others: chi-squared with 23 degrees of freedom."""
    counts: dict[tuple[int, ...], int] = {}
    epochs = 4800
    for epoch in range(epochs):
        order = tuple(i for half in range(2) for i in _core.training_batch((7, 7), 4, 2, 2 * epoch + half))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    chi = sum((c - epochs / 24) ** 2 / (epochs / 24) for c in counts.values())
    assert chi < 49.7  # exceeded once in a thousand


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        (None, lambda k: 0.1),
        (Piecewise({3: 0.5, 6: 0.1}), lambda k: 0.1 * (0.5 if k >= 3 else 1) * (0.1 if k >= 6 else 1)),
        ("cosine", lambda k: 0.1 * 0.5 * (1 + np.cos(np.pi * k / 10))),
        (Cosine(4, final=0.2), lambda k: 0.1 * (0.2 + 0.8 * 0.5 * (1 + np.cos(np.pi * min(k, 4) / 4)))),
        (Constant(warmup=4), lambda k: 0.1 * min(1, (k + 1) / 5)),
        (Cosine(warmup=2), lambda k: 0.1 * ((k + 1) / 3 if k < 2 else 0.5 * (1 + np.cos(np.pi * (k - 2) / 8)))),
    ],
)
def test_learning_rates(problem, schedule, rate):
    history = train(
        problem.network, problem.params, problem.x, problem.y, optimizer=SGD(0.1), steps=10, schedule=schedule, every=3
    )
    np.testing.assert_allclose(history.learning_rate, [rate(k) for k in range(10)], rtol=1e-13)
