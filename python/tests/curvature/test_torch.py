"""The instruments on random small networks against PyTorch: dense Hessians, per-sample gradients, losses along a line.

Skipped where PyTorch is not installed.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkswift import curvature, empirical, stax

torch = pytest.importorskip("torch")

ACTIVATIONS = [
    (stax.Tanh(), torch.tanh),
    (stax.Erf(), torch.erf),
    (stax.Gelu(), torch.nn.functional.gelu),
    (stax.Sin(), torch.sin),
    (stax.Softplus(), torch.nn.functional.softplus),
    (stax.Sigmoid(), torch.sigmoid),
]


@st.composite
def networks(draw):
    """A fully connected network, the same function of one flat vector in PyTorch, and its number of parameters."""
    widths = [3, *(draw(st.integers(2, 4)) for _ in range(draw(st.integers(1, 2)))), draw(st.integers(1, 3))]
    layers, steps, count = [], [], 0
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        bias = draw(st.sampled_from([None, 0.3]))
        layers.append(stax.Dense(outputs, W_std=1.3, b_std=bias))
        steps.append((count, inputs, outputs, bias))
        count += (inputs + (bias is not None)) * outputs
        if i < len(widths) - 2:
            ours, theirs = draw(st.sampled_from(ACTIVATIONS))
            layers.append(ours)
            steps.append(theirs)

    def forward(theta, x):
        for step in steps:
            if callable(step):
                x = step(x)
                continue
            first, inputs, outputs, bias = step
            end = first + inputs * outputs
            weight = theta[first:end].reshape(inputs, outputs)
            x = 1.3 * x @ weight / inputs**0.5
            if bias is not None:
                x = x + bias * theta[end : end + outputs]
        return x

    return stax.serial(*layers), forward, count


def flat(params):
    if params is None:
        return np.zeros(0)
    return np.concatenate([np.zeros(0), *map(flat, params)]) if isinstance(params, tuple) else np.ravel(params)


class Case:
    """One network at random parameters with random data, for both libraries."""

    def __init__(self, network, forward, count, loss, seed):
        rng = np.random.default_rng(seed)
        outputs = network.init_fn(0, (1, 3))[0][-1]
        self.network, self.forward, self.loss = network, forward, loss
        self.x, self.y = rng.standard_normal((7, 3)), rng.dirichlet(np.ones(outputs), 7)
        self.params = network.init_fn(rng, self.x.shape)[1]
        self.vector, self.update = flat(self.params), rng.standard_normal(count)
        self.inputs, self.targets = torch.tensor(self.x), torch.tensor(self.y)
        self.theta = torch.tensor(self.vector)

    @property
    def data(self):
        return self.network, self.params, self.x, self.y

    def losses(self, theta):
        """Of each input; the loss is their mean."""
        f = self.forward(theta, self.inputs)
        if self.loss == "mse":
            return 0.5 * ((f - self.targets) ** 2).mean(1)
        return -(self.targets * torch.log_softmax(f, 1)).sum(1)

    def hessian(self):
        return torch.autograd.functional.hessian(lambda t: self.losses(t).mean(), self.theta).numpy()

    def sample_curvatures(self):
        """Second derivatives of the losses of single inputs along the update."""
        along = torch.tensor(self.update)

        def slopes(theta):
            return torch.func.jvp(self.losses, (theta,), (along,))[1]

        return torch.func.jvp(slopes, (self.theta,), (along,))[1].numpy()

    def gauss_newton(self):
        """J^T H_f J with the Hessian by the outputs, both from PyTorch."""
        jacobian = torch.func.jacrev(lambda t: self.forward(t, self.inputs).reshape(-1))(self.theta).numpy()
        f = self.forward(self.theta, self.inputs).detach()

        def value(outputs):
            if self.loss == "mse":
                return 0.5 * ((outputs.reshape(f.shape) - self.targets) ** 2).mean()
            return -(self.targets * torch.log_softmax(outputs.reshape(f.shape), 1)).sum(1).mean()

        inner = torch.autograd.functional.hessian(value, f.reshape(-1)).numpy()
        return jacobian.T @ inner @ jacobian


def close(name, ours, theirs, tolerance):
    """Relative to the largest number, or to 1 where all are smaller."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    error = np.abs(ours - theirs).max(initial=0.0) / max(1.0, np.abs(theirs).max(initial=0.0))
    assert error <= tolerance, f"{name}: {error}"


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(["mse", "cross_entropy"]), st.integers(0, 10**6))
def test_curvature(parts, loss, seed):
    case = Case(*parts, loss, seed)
    expected = case.hessian()
    operator = curvature.hessian(*case.data, loss)
    close("Hessian", operator @ np.eye(len(expected)), expected, 1e-12)
    close("Hessian times vector", operator.matvec(case.update), expected @ case.update, 1e-12)
    values = np.linalg.eigvalsh(expected)
    found = curvature.eigenvalues(operator, tolerance=1e-12)
    close("largest eigenvalue", found.values, values[-1:], 1e-10)
    smallest = curvature.eigenvalues(operator, end="smallest", tolerance=1e-12)
    close("smallest eigenvalue", smallest.values, values[:1], 1e-10)
    gauss_newton = curvature.gauss_newton(*case.data, loss) @ np.eye(len(expected))
    close("Gauss-Newton", gauss_newton, case.gauss_newton(), 1e-12)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(["mse", "cross_entropy"]), st.integers(0, 10**6))
def test_gradient_covariance(parts, loss, seed):
    case = Case(*parts, loss, seed)
    rows = torch.func.jacrev(case.losses)(case.theta).numpy()
    for batch, gradients in [(None, rows), (3, rows[:6].reshape(2, 3, -1).mean(1))]:
        centred = gradients - gradients.mean(0)
        values = np.linalg.eigvalsh(centred.T @ centred / len(gradients))[::-1]
        expected = np.concatenate([values, np.zeros(7)])[: len(gradients) - 1]
        found = curvature.gradient_covariance(*case.data, loss, batch=batch)
        close("spectrum of K", found.eigenvalues, expected, 1e-12)
        close("trace of K", found.trace, (centred**2).sum() / len(gradients), 1e-12)
        largest = np.linalg.eigvalsh(gradients @ gradients.T / len(gradients))[-1]
        close("largest of the uncentred K", found.largest_uncentred, largest, 1e-12)
        close("norm of the gradient", found.gradient_norm, np.linalg.norm(gradients.mean(0)), 1e-12)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(["mse", "cross_entropy"]), st.integers(0, 10**6))
def test_losses_along_a_line(parts, loss, seed):
    case = Case(*parts, loss, seed)
    found = curvature.sample_curvatures(*case.data, case.update, loss)
    close("curvature of single inputs", found, case.sample_curvatures(), 1e-12)

    def value(alpha):
        return float(case.losses(case.theta - alpha * torch.tensor(case.update)).mean())

    start, gradient = empirical.loss_and_gradient(*case.data, loss)
    close("loss", start, value(0.0), 1e-13)
    slope = torch.func.grad(lambda t: case.losses(t).mean())(case.theta).numpy()
    close("gradient", flat(gradient), slope, 1e-12)
    alpha = curvature.step_to_raise(*case.data, case.update, loss, most=20.0)
    if np.isinf(alpha):
        assert max(value(a) for a in np.linspace(0, 20, 200)) < 1.2 * start * (1 + 1e-9)
    else:
        # At alpha the loss is over the level, by PyTorch's count too; a thousandth before it is not.
        assert value(alpha) >= 1.2 * start * (1 - 1e-12)
        assert value(alpha * (1 - 2e-3)) <= 1.2 * start * (1 + 1e-12)
