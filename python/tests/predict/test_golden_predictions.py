"""Predictions from stored kernels against neural-tangents 0.6.5 (../golden/README.md says how the numbers were made)."""

import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from ntkswift import predict

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [case for case in json.loads((GOLDEN / "cases.json").read_text())["cases"] if case["kind"] == "predict"]
ARRAYS = np.load(GOLDEN / "predict.npz")

Kernels = namedtuple("Kernels", "nngp ntk")


class Case:
    """Arrays and options of one case; `compare` checks an output at its advised tolerance."""

    def __init__(self, case):
        self.case, self.options = case, dict(case.get("options", {}))
        self.checked = set()

    def __getitem__(self, name):
        return ARRAYS[f"{self.case['name']}/{name}"]

    def __contains__(self, name):
        return name in self.case["arrays"]

    def initial(self, name):
        key = f"{self.case['name']}/{name}"
        return ARRAYS[key] if key in ARRAYS.files else 0.0

    def kernels(self, where):
        return Kernels(self[f"nngp_{where}"], self[f"ntk_{where}"])

    def compare(self, name, value):
        expected = self[name]
        assert np.shape(value) == expected.shape, name
        error, scale = np.abs(value - expected).max(), np.abs(expected).max()
        # A covariance that vanishes is compared on the scale of the kernel that it is the difference of.
        if "_cov_" in name or name.endswith("_cov"):
            scale = max(scale, 1e-2 * np.abs(self["ntk_test_test"]).max())
        assert error <= self.case["rtol"][name] * scale, f"{name}: {error / scale:.2e}"
        self.checked.add(name)


@pytest.mark.parametrize("given", [pytest.param(case, id=case["name"]) for case in CASES])
def test_prediction(given):
    case = Case(given)
    {
        "predict.gp_inference": _gp_inference,
        "predict.gradient_descent_mse": _mse,
        "predict.gradient_descent_mse_ensemble": _ensemble,
        "predict.gradient_descent": _descent,
        "predict.max_learning_rate": _learning_rate,
    }[given["function"]](case)
    assert case.checked == set(given["outputs"])


def _gp_inference(case):
    predict_fn = predict.gp_inference(case.kernels("train_train"), case["y_train"], **case.options)
    modes = tuple(name for name in ("nngp", "ntk", "ntkgp") if f"out_{name}_mean" in case)
    answers = predict_fn(modes, case.kernels("test_train"), case.kernels("test_test"))
    for mode, posterior in zip(modes, answers, strict=True):
        case.compare(f"out_{mode}_mean", posterior.mean)
        case.compare(f"out_{mode}_cov", posterior.covariance)


def _mse(case):
    t = np.array(case.options.pop("t"))
    assert case.options.pop("fx0", "zero") == "zero"
    predict_fn = predict.gradient_descent_mse(case["ntk_train_train"], case["y_train"], **case.options)
    start = (
        *(case.initial(f"fx_{part}_0") for part in ("train", "test")),
        case["ntk_test_train"],
    )
    for suffix, time in (("t", t), ("inf", None)):
        fx_train, fx_test = predict_fn(time, *start)
        case.compare(f"out_fx_train_{suffix}", fx_train)
        case.compare(f"out_fx_test_{suffix}", fx_test)


def _ensemble(case):
    t = np.array(case.options.pop("t"))
    x_train, x_test = case["x_train"], case["x_test"]

    def kernel_fn(x1, x2, get):
        where = "train_train" if x2 is None and x1 is x_train else "test_test" if x2 is None else "test_train"
        kernels = case.kernels(where)
        return getattr(kernels, get) if isinstance(get, str) else kernels

    predict_fn = predict.gradient_descent_mse_ensemble(kernel_fn, x_train, case["y_train"], **case.options)
    for name in case.case["outputs"]:
        _, kernel, part, points, when = name.split("_")
        time = None if when == "inf" else t
        answer = predict_fn(time, x_test if points == "test" else None, kernel, compute_cov=True)
        case.compare(name, answer.mean if part == "mean" else answer.covariance)


def _descent(case):
    t, loss = np.array(case.options.pop("t")), case.options.pop("loss")
    names = {"mse": "mse", "xent": "cross_entropy"}
    # neural-tangents' cross-entropy is the mean over inputs and classes.
    means = {"mean_over": "inputs_and_classes"} if loss == "xent" else {}
    predict_fn = predict.gradient_descent(
        names[loss], case["ntk_train_train"], case["y_train"], **means, **case.options
    )
    fx_train, fx_test = predict_fn(t, case["fx_train_0"], case["fx_test_0"], case["ntk_test_train"])
    case.compare("out_fx_train_t", fx_train)
    case.compare("out_fx_test_t", fx_test)


def _learning_rate(case):
    ntk, y = case["ntk_train_train"], case["y_train"]
    case.compare("out_lr", predict.max_learning_rate(ntk, y.size, **case.options))
    case.compare("out_lr_default_size", predict.max_learning_rate(ntk, **case.options))
