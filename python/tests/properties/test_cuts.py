"""With one plan a kernel has the same bits however it is cut: whole, in blocks, by threads, in other processes."""

import pickle
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

import ntkswift
from ntkswift import stax

from .test_random_networks import NETWORKS, SEEDS

GET = ("nngp", "ntk")
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def inputs(seed, n, d, dtype, *, unit=False):
    """Random rows, some of them duplicates, opposite, scaled, nearly parallel, and one of zeros."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    x[-1], x[-2], x[n // 2], x[n // 3] = x[0], -x[1], 3 * x[2], 0
    x[n // 4] = x[3] + 1e-4 * rng.standard_normal(d)
    x[1 : n // 5] = x[4] + 10.0 ** -rng.integers(1, 6, (n // 5 - 1, 1)) * rng.standard_normal((n // 5 - 1, d))
    if unit:
        x[n // 3] = 1
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x.astype(dtype)


def edges(n, count, seed):
    """`count` parts of different lengths."""
    rng = np.random.default_rng(seed)
    return [0, *sorted(rng.choice(np.arange(1, n), count - 1, replace=False)), n]


def assembled(kernel_fn, x, rows, cols, plan):
    """The kernel of x and x from blocks."""
    whole = [np.full((len(x), len(x)), np.nan, x.dtype) for _ in GET]
    for a, b in pairwise(rows):
        for c, d in pairwise(cols):
            block = kernel_fn(x[a:b], x[c:d].copy(), GET, plan=plan, places=(a, c))
            for target, part in zip(whole, block, strict=True):
                target[a:b, c:d] = part
    return whole


def check(kernel_fn, x, seed):
    n = len(x)
    plan = kernel_fn.plan(x, get=GET)
    assert stax.KernelPlan(bytes(plan)) == plan
    whole = kernel_fn(x, None, GET, plan=plan)
    for a, b in zip(whole, kernel_fn(x, None, GET), strict=True):
        assert np.array_equal(a, b)
    for down, across in ((2, 2), (7, 3)):
        rows, cols = edges(n, down, seed), edges(n, across, seed + 1)
        for name, a, b in zip(GET, whole, assembled(kernel_fn, x, rows, cols, plan), strict=True):
            assert np.array_equal(a, b), f"{name} in {down} x {across} blocks {rows} {cols}"
    diagonal = kernel_fn.diagonal(x, "ntk", plan=plan)
    assert np.array_equal(diagonal.astype(x.dtype), np.diagonal(whole.ntk))


@SETTINGS
@given(NETWORKS, SEEDS)
def test_random_networks(network, seed):
    for dtype in (np.float64, np.float32):
        check(network.kernel_fn, inputs(seed, 60, 4, dtype), seed)


def _network(*layers):
    parts = [part for layer in layers for part in (stax.Dense(8, 1.5, 0.1), layer)]
    return stax.serial(*parts, stax.Dense(1, 1.5, 0.1))


LARGE = {
    "Relu, tiles": (_network(stax.Relu(), stax.Relu(), stax.Relu()), 400, 30, False),
    "Relu without bias, profile": (stax.serial(*(stax.Dense(8, 1.4), stax.Relu()) * 4, stax.Dense(1)), 400, 9, False),
    "Tanh, unit length, profile": (_network(stax.Tanh(), stax.Tanh()), 210, 17, True),
    "Tanh, many features": (_network(stax.Tanh(), stax.Erf()), 210, 700, False),
    "Erf, wide": (_network(stax.Erf(), stax.Gelu()), 130, 1000, False),
    "Dropout in training": (
        stax.serial(stax.Dense(8), stax.Relu(), stax.Dropout(0.7, "train"), stax.Dense(1)),
        205,
        6,
        False,
    ),
    "joined along the channels": (
        stax.serial(
            stax.Dense(8, 1.2, 0.3),
            stax.FanOut(2),
            stax.parallel(stax.serial(stax.Relu(), stax.Dense(8, 1.3)), stax.Identity()),
            stax.FanInSum(),
            stax.LayerNorm(),
            stax.Softplus(),
            stax.Dense(1),
        ),
        230,
        5,
        False,
    ),
}


@pytest.mark.filterwarnings("ignore:.*Hermite expansion")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LARGE)
def test_large_kernels(name, dtype):
    network, n, d, unit = LARGE[name]
    check(network.kernel_fn, inputs(3, n, d, dtype, unit=unit), 5)


@pytest.mark.filterwarnings("ignore:.*Hermite expansion")
def test_blocks_of_two_sets_of_inputs():
    x1, x2 = inputs(0, 150, 6, np.float64), inputs(1, 140, 6, np.float64)
    kernel_fn = _network(stax.Tanh(), stax.Relu()).kernel_fn
    plan = kernel_fn.plan(x1, x2)
    whole = kernel_fn(x1, x2, GET, plan=plan)
    turned = kernel_fn(x2, x1, GET, plan=plan)
    block = kernel_fn(x1[3:50], x2[77:], GET, plan=plan)
    for a, b, c in zip(whole, block, turned, strict=True):
        assert np.array_equal(a[3:50, 77:], b)
        assert np.array_equal(a, c.T)


@pytest.mark.filterwarnings("ignore:.*Hermite expansion")
def test_outputs_joined_along_the_batch():
    x = inputs(0, 140, 6, np.float64)
    branch = _network(stax.Tanh())
    network = stax.serial(stax.FanOut(2), stax.parallel(branch, _network(stax.Relu())), stax.FanInConcat(axis=0))
    plan = network.kernel_fn.plan(x)
    whole = network.kernel_fn(x, None, GET, plan=plan)
    for a, b in ((0, 60), (60, 140)):
        block = network.kernel_fn(x[a:b], x.copy(), GET, plan=plan, places=(a, 0))
        for w, part in zip(whole, block, strict=True):
            assert np.array_equal(w.reshape(2, 140, 2, 140)[:, a:b], part.reshape(2, b - a, 2, 140))


CHILD = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    tasks = pickle.load(file)
results = [
    [tuple(kernel_fn(x1, x2, ("nngp", "ntk"), plan=plan, places=places)) for x1, x2, places in blocks]
    for kernel_fn, plan, blocks in tasks
]
with open(sys.argv[2], "wb") as file:
    pickle.dump(results, file)
"""


@pytest.mark.filterwarnings("ignore:.*Hermite expansion", "ignore:Generating overly large repr")
def test_two_processes_with_the_plan_from_a_file(tmp_path):
    networks = [
        find(NETWORKS, lambda n, name=name: name in repr(n)) for name in ("Tanh", "Relu", "Erf", "FanInSum", "Gelu")
    ]
    networks += [network for network, *_ in LARGE.values()][:3]
    wholes, tasks = [], []
    for number, network in enumerate(networks):
        for dtype in (np.float64, np.float32):
            x = inputs(number, 131, 5, dtype)
            plan = network.kernel_fn.plan(x)
            wholes.append((x, network.kernel_fn(x, None, GET, plan=plan)))
            tasks.append((network.kernel_fn, plan, x))
    cut = 57
    for part, (a, b) in enumerate(((0, cut), (cut, 131))):
        sent = [(k, plan, [(x[a:b], x[c:d], (a, c)) for c, d in ((0, 40), (40, 131))]) for k, plan, x in tasks]
        (tmp_path / f"tasks{part}").write_bytes(pickle.dumps(sent))
        arguments = [sys.executable, "-c", CHILD, tmp_path / f"tasks{part}", tmp_path / f"results{part}"]
        subprocess.run(arguments, check=True)
        received = pickle.loads((tmp_path / f"results{part}").read_bytes())
        for (_, whole), blocks in zip(wholes, received, strict=True):
            for k in range(2):
                assert np.array_equal(whole[k][a:b], np.concatenate([block[k] for block in blocks], axis=1))


def test_threads_of_one_plan():
    x, kernel_fn = inputs(0, 400, 12, np.float64), LARGE["Relu, tiles"][0].kernel_fn
    plan = kernel_fn.plan(x)
    whole = kernel_fn(x, None, "ntk", plan=plan)
    with ntkswift.num_threads(5):
        assert np.array_equal(kernel_fn(x, None, "ntk", plan=plan), whole)


def test_what_a_plan_does_not_cover():
    x = inputs(0, 150, 6, np.float64)
    tanh, relu = _network(stax.Tanh(), stax.Tanh()).kernel_fn, _network(stax.Relu(), stax.Relu(), stax.Relu()).kernel_fn
    plan = tanh.plan(x, get="ntk")
    with pytest.raises(ValueError, match="standard deviation before layer 2"):
        tanh(5 * x, None, "ntk", plan=plan)
    with pytest.raises(ValueError, match="made for what get asks"):
        tanh(x, None, "nngp", plan=plan)
    with pytest.raises(ValueError, match="another network"):
        relu(x, None, "ntk", plan=plan)
    with pytest.raises(ValueError, match="float64"):
        tanh(x.astype(np.float32), None, "ntk", plan=plan)
    with pytest.raises(ValueError, match="6 numbers"):
        tanh(x[:, :5], None, "ntk", plan=plan)
    unit = inputs(0, 150, 6, np.float64, unit=True)
    with pytest.raises(ValueError, match="standard deviation"):
        relu(2 * unit, None, "ntk", plan=relu.plan(unit, get="ntk"))
    near_one = 1 + 1e-2 * x[:100]
    with pytest.raises(ValueError, match="correlations after a ReLU"):
        relu(x * 1e-3, 1e3 * x, "ntk", plan=relu.plan(near_one[:50], get="ntk"))
    with pytest.raises(ValueError, match="places"):
        tanh(x, None, "ntk", plan=plan, places=(0, 0))
    with pytest.raises(TypeError, match="KernelPlan"):
        tanh(x, None, "ntk", plan=b"")


def test_damaged_plans_are_refused():
    data = bytes(_network(stax.Tanh(), stax.Tanh()).kernel_fn.plan(inputs(0, 150, 6, np.float64, unit=True)))
    rng = np.random.default_rng(0)
    for length in (0, 7, 8, 16, 40, len(data) - 8, len(data) - 1):
        with pytest.raises(ValueError, match="kernel_plan"):
            stax.KernelPlan(data[:length])
    for _ in range(200):
        broken = bytearray(data)
        broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        with pytest.raises(ValueError, match="kernel_plan"):
            stax.KernelPlan(bytes(broken))


def test_plans_are_values():
    plan = _network(stax.Relu()).kernel_fn.plan(np.eye(3), get="nngp")
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert hash(pickle.loads(pickle.dumps(plan))) == hash(plan)
    assert (plan.get, plan.dtype, plan.width) == (("nngp",), "float64", 3)
    assert repr(plan) == "<KernelPlan for nngp of float64 inputs of 3 numbers>"
    with pytest.raises(AttributeError):
        plan.width = 4
    with pytest.raises(TypeError):
        stax.KernelPlan("text")
