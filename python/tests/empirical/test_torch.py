"""Derivatives of random architectures against PyTorch (skipped where it is not installed)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkswift import empirical, stax

torch = pytest.importorskip("torch")

ACTIVATIONS = [
    (stax.Tanh(), torch.tanh),
    (stax.Erf(), torch.erf),
    (stax.Gelu(), torch.nn.functional.gelu),
    (stax.Sin(), torch.sin),
    (stax.Softplus(), torch.nn.functional.softplus),
    (stax.Sigmoid(), torch.sigmoid),
    (stax.Swish(), torch.nn.functional.silu),
    (stax.Relu(), torch.relu),
    (stax.Elu(), torch.nn.functional.elu),
]


def _dense(x, own):
    return x @ own[0] / own[0].shape[0] ** 0.5 + (0.3 * own[1] if len(own) == 2 else 0)


def _convolution(x, own):
    weight = own[0].permute(3, 2, 0, 1) / np.prod(own[0].shape[:3]) ** 0.5
    return torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), weight, padding="same").permute(0, 2, 3, 1)


def _layer_norm(x):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-3).sqrt()


def _batch_norm(x, own):
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / (x.var(axes, unbiased=False) + 1e-5).sqrt() * own[0] + own[1]


@st.composite
def networks(draw):
    """A stax network, the same function of parameters in PyTorch, and the shape of an input."""
    image = draw(st.booleans())
    layers, functions = [], []
    if image:
        layers += [stax.Conv(3, (3, 2), padding="SAME")]
        functions += [_convolution]
    for _ in range(draw(st.integers(1, 3))):
        layers.append(stax.Dense(draw(st.integers(2, 5)), b_std=draw(st.sampled_from([None, 0.3]))))
        functions.append(_dense)
        norm = draw(st.sampled_from(["", "layer", "batch"]))
        if norm == "layer":
            layers.append(stax.LayerNorm(eps=1e-3))
            functions.append(lambda x, own: _layer_norm(x))
        elif norm == "batch":
            layers.append(stax.BatchNorm())
            functions.append(_batch_norm)
        ours, theirs = draw(st.sampled_from(ACTIVATIONS))
        layers.append(ours)
        functions.append(lambda x, own, f=theirs: f(x))
    if image and draw(st.booleans()):
        layers.append(stax.AvgPool((2, 2)))
        functions.append(
            lambda x, own: torch.nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 2, stride=1).permute(0, 2, 3, 1)
        )
    if image:
        layers.append(stax.Flatten())
        functions.append(lambda x, own: x.flatten(1))
    layers.append(stax.Dense(3))
    functions.append(_dense)

    def forward(params, x):
        for function, own in zip(functions, params, strict=True):
            x = function(x, own)
        return x

    return stax.serial(*layers), forward, (3, 4, 2) if image else (4,)


def _tensors(params):
    """Nested tensors; an absent bias is left out."""
    return tuple(tuple(torch.tensor(a) for a in own if a is not None) for own in params)


@settings(max_examples=40, deadline=None)
@given(networks(), st.sampled_from(["mse", "cross_entropy"]), st.integers(0, 10**6))
def test_derivatives(case, loss, seed):
    network, forward, shape = case
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((5, *shape)), np.eye(3)[rng.integers(3, size=5)]
    params, direction = (network.init_fn(rng, x.shape)[1] for _ in range(2))
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def output(p):
        return forward(p, inputs)

    def value(p):
        f = output(p)
        if loss == "mse":
            return 0.5 * ((f - targets) ** 2).mean()
        return torch.nn.functional.cross_entropy(f, targets)

    theirs, along = _tensors(params), _tensors(direction)
    f, tangent = torch.func.jvp(output, (theirs,), (along,))
    _close(network.apply_fn(params, x), f)
    moved = tuple(
        tuple(None if a is None else a + b for a, b in zip(p, d, strict=True))
        for p, d in zip(params, direction, strict=True)
    )
    _close(empirical.linearize(network, params)(moved, x), f + tangent)
    gradient, product = torch.func.jvp(torch.func.grad(value), (theirs,), (along,))
    found, slope = empirical.loss_and_gradient(network, params, x, y, loss)
    _close(np.array(found), value(theirs))
    _close(_flat(slope), _flat(gradient))
    _close(_flat(empirical.curvature_vector_product(network, params, x, y, direction, loss)), _flat(product))


def _flat(params):
    return np.concatenate([np.asarray(a).ravel() for own in params for a in own if a is not None])


def _close(ours, theirs):
    theirs = np.asarray(theirs)
    assert np.abs(ours - theirs).max() <= 1e-9 * (1 + np.abs(theirs).max())
