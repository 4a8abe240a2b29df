"""A few hundred hostile calls, and that no public callable is left out; `make fuzz` makes many more."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
PACKAGES = (
    "stax", "predict", "empirical", "curvature", "hierarchy", "operators", "solvers", "spectra", "regimes", "training",
    "estimators", "plotting", "parametrizations", "reproduce",
)  # fmt: skip
# Base classes, records that only functions make, and what does much more than compute.
LEFT_OUT = {
    "stax.Layer", "stax.Nonlinearity", "empirical.Expansion", "curvature.LossCurvature", "operators.SymmetricOperator",
    "training.Snapshot", "training.interrupts_raise", "parametrizations.mean_field", "reproduce.Report", "reproduce.names",
    "reproduce.run", "reproduce.Verdict", "hierarchy.KernelRegression",
    "parametrizations.Classification", "spectra.ZonalKernel", "predict.Gaussian", "predict.ODEState",
}  # fmt: skip


@pytest.fixture(scope="module")
def fuzzing():
    sys.path.insert(0, str(HERE))
    try:
        yield importlib.import_module("fuzz"), importlib.import_module("calls"), importlib.import_module("surface")
    finally:
        sys.path.remove(str(HERE))


def _is_record(value: object) -> bool:
    return dataclasses.is_dataclass(value) or hasattr(value, "_fields")


def test_every_public_callable_is_in_the_table(fuzzing):
    named = {entry.name.split(":")[0] for entry in fuzzing[2].entries()}
    missing = []
    for package in PACKAGES:
        module = importlib.import_module(f"ntkswift.{package}")
        for name in module.__all__:
            value, full = getattr(module, name), f"{package}.{name}"
            if not callable(value) or inspect.ismodule(value) or full in named | LEFT_OUT:
                continue
            if _is_record(value) and package not in ("stax", "training", "parametrizations"):
                continue
            if package == "training" and name.endswith("History"):
                continue
            missing.append(full)
    assert missing == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_examples_work(fuzzing):
    for entry in fuzzing[2].entries():
        if not entry.name.startswith("faults"):
            entry.function(**entry.example)


def test_hostile_calls():
    result = subprocess.run(
        [sys.executable, HERE / "fuzz.py", "--calls", "300", "--seed", "20"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_fuzzer_sees_faults(fuzzing, tmp_path):
    _, calls, surface = fuzzing

    def entry(function):
        return surface.Entry("example", function, {})

    def changes(x):
        x[0] = 5.0

    def made(function, **arguments):
        fault = calls.made(entry(function), arguments)
        return None if fault is None else fault["kind"]

    assert made(lambda x: np.log(x[0]), x=np.zeros(1)) == "not finite"
    assert made(lambda x: np.log(x[0]), x=np.full(1, np.nan)) is None
    assert made(changes, x=np.zeros(1)) == "argument changed"
    assert calls.fault_of(ValueError("[op] x must be.")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
def test_the_fuzzer_survives_a_death(fuzzing, tmp_path, monkeypatch):
    fuzz, _, _ = fuzzing
    program = tmp_path / "calls.py"
    program.write_text(
        "import os, sys\n"
        "first, count = int(sys.argv[1]), int(sys.argv[2])\n"
        "for number in range(first, first + count):\n"
        "    print(number, 'example()', file=open(sys.argv[4], 'a'), flush=True)\n"
        "    if number == 3: os.abort()\n"
    )
    monkeypatch.setattr(fuzz, "__file__", str(tmp_path / "fuzz.py"))
    (fault,) = fuzz.fuzz(6)
    assert fault["kind"].startswith("dies (-6)")
    assert fault["call"] == "example()"
