"""Kernels against neural-tangents 0.6.5 (README.md says how the numbers were made)."""

import json
from pathlib import Path

import numpy as np
import pytest

from ntkswift import stax

HERE = Path(__file__).parent
CASES = json.loads((HERE / "cases.json").read_text())["cases"]
ARRAYS = np.load(HERE / "kernels.npz")
SHEET = np.load(HERE / "sheet_section_1.npz")


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


# The reference differentiates by autodiff, so exact derivatives stand beside the functions.
FUNCTIONS = {
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
    "softplus": (lambda x: np.logaddexp(0, x), _sigmoid),
    "swish": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * (1 - _sigmoid(x)))),
    "sin": (np.sin, np.cos),
}


def build(architecture):
    """A network from the words of cases.json."""
    return stax.serial(*(_layer(name, parameters) for name, parameters in architecture))


def _layer(name, parameters):
    if name == "serial":
        return build(parameters)
    if name == "parallel":
        return stax.parallel(*(build(branch) for branch in parameters))
    if name == "ElementwiseNumerical":
        fn, df = FUNCTIONS[parameters["fn"]]
        return stax.ElementwiseNumerical(fn, deg=parameters["deg"], df=df)
    return getattr(stax, name)(**parameters)


def _kernel_cases():
    return [pytest.param(case, id=case["name"]) for case in CASES if case["kind"] == "kernel"]


@pytest.mark.parametrize("case", _kernel_cases())
def test_kernels(case):
    kernel_fn = build(case["architecture"]).kernel_fn
    x1, x2 = (ARRAYS[f"{case['name']}/{name}"] for name in ("x1", "x2"))
    between, within = kernel_fn(x1, x2), kernel_fn(x1)
    got = {
        "nngp_12": between.nngp,
        "ntk_12": between.ntk,
        "nngp_11": within.nngp,
        "ntk_11": within.ntk,
        "cov1": between.cov1,
        "cov2": between.cov2,
    }
    for name, value in got.items():
        expected = np.broadcast_to(ARRAYS[f"{case['name']}/{name}"], value.shape)
        if not np.isfinite(expected).all():
            assert name.startswith("cov") or name in case["nonfinite"]
            continue
        if "ElementwiseNumerical" in str(case["architecture"]) and name.endswith("_11"):
            # The reference's quadrature is not symmetric in the two inputs; ntkswift mirrors the upper triangle.
            value, expected = np.triu(value), np.triu(expected)
        _compare(value, expected, case["rtol"].get(name, 1e-11), f"{case['name']} {name}")


def _compare(value, expected, rtol, name):
    assert np.isfinite(value).all(), name
    error, scale = np.abs(value - expected).max(), np.abs(expected).max()
    assert error <= rtol * scale, f"{name}: {error / scale:.2e} of {rtol:.0e}"


SHEET_LAYERS = {
    "abrelu": stax.ABRelu(-0.3, 1.7),
    "abs": stax.Abs(),
    "cos": stax.Cos(),
    "erf": stax.Erf(),
    "exp": stax.Exp(),
    "gaussian": stax.Gaussian(),
    "gelu": stax.Gelu(),
    "leaky02": stax.LeakyRelu(0.2),
    "mono3": stax.Monomial(3),
    "quadratic": stax.Monomial(2),
    "rbf": stax.Rbf(0.7),
    "relu": stax.Relu(),
    "relu2": stax.RectifiedMonomial(2),
    "sign": stax.Sign(),
    "sin": stax.Sin(),
}


@pytest.mark.parametrize("key", sorted({name.rsplit("_", 1)[0] for name in SHEET.files if "_d" in name}))
def test_reference_sheet(key):
    """W_std 0.9, b_std 0.3, hidden width 32; the kernels of the sheet are known to 1.2e-14, kinked ones to 1e-12 here."""
    name, depth = key.split("_d")
    for parameterization, array in (("ntk", "ntk"), ("standard", "ntkstd")):
        dense = {"W_std": float(SHEET["sw"]), "b_std": float(SHEET["sb"]), "parameterization": parameterization}
        hidden = stax.serial(stax.Dense(int(SHEET["width_std"]), **dense), SHEET_LAYERS[name])
        network = stax.serial(stax.repeat(hidden, int(depth)), stax.Dense(1, **dense))
        got = network.kernel_fn(SHEET["X1"], SHEET["X2"], ("nngp", "ntk"))
        _compare(got.nngp, SHEET[f"{key}_nngp"], 1e-11, f"{key} nngp")
        _compare(got.ntk, SHEET[f"{key}_{array}"], 1e-11, f"{key} {array}")
