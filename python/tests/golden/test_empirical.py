"""Finite networks against neural-tangents 0.6.5: kernels, linearisations and second-order expansions."""

import json
from pathlib import Path

import numpy as np
import pytest

from ntkswift import empirical, stax

HERE = Path(__file__).parent
CASES = [c for c in json.loads((HERE / "cases.json").read_text())["cases"] if c["kind"] == "empirical"]
ARRAYS = np.load(HERE / "empirical.npz")
TRACES = {"trace": {}, "full": {"trace_axes": ()}, "diag": {"trace_axes": (), "diagonal_axes": (-1,)}}


def _params(case, suffix=""):
    params, number = [], 0
    for name, _ in case["architecture"]:
        if name != "Dense":
            params.append(())
            continue
        key = f"{case['name']}/b{number}{suffix}"
        params.append((ARRAYS[f"{case['name']}/W{number}{suffix}"], ARRAYS.get(key)))
        number += 1
    return tuple(params)


def _compare(case, name, value):
    expected = ARRAYS[f"{case['name']}/out_{name}"]
    assert value.shape == expected.shape
    assert np.abs(value - expected).max() <= 1e-11 * np.abs(expected).max(), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_empirical(case):
    network = stax.serial(*(getattr(stax, name)(**parameters) for name, parameters in case["architecture"]))
    x1, x2 = ARRAYS[f"{case['name']}/x1"], ARRAYS[f"{case['name']}/x2"]
    params, new = _params(case), _params(case, "_new")
    _compare(case, "f_x1", network.apply_fn(params, x1))
    _compare(case, "f_x2", network.apply_fn(params, x2))
    _compare(case, "f_new_x1", network.apply_fn(new, x1))
    for name, axes in TRACES.items():
        kernels = empirical.empirical_kernel_fn(network.apply_fn, **axes)(x1, x2, None, params)
        _compare(case, f"ntk_12_{name}", kernels.ntk)
        _compare(case, f"nngp_12_{name}", kernels.nngp)
        _compare(case, f"ntk_11_{name}", empirical.empirical_ntk_fn(network, **axes)(x1, None, params))
    _compare(case, "linearize_at_new_x1", empirical.linearize(network, params)(new, x1))
    _compare(case, "taylor2_at_new_x1", empirical.taylor_expand(network, params, 2)(new, x1))
