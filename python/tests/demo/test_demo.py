"""The demo: quick run from the command line, its report, and its message where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from ntkswift import __main__ as command_line
from ntkswift.demo import _models


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "nested"
    command = [sys.executable, "-m", "ntkswift", "demo", "--quick", "--output", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout, folder


def test_table_names_models_and_costs(report):
    text, _ = report
    for word in (
        "digits",
        "diabetes",
        "NTK relu",
        "NNGP relu",
        "RBF SVM",
        "RBF ridge",
        "random forest",
        "kernel time",
        "memory",
    ):
        assert word in text


def test_networks_are_as_good_as_they_should_be(report):
    _, folder = report
    digits, diabetes = json.loads((folder / "results.json").read_text())["results"]
    assert max(n["mean"] for n in digits["networks"]) > 94
    # A network must beat the mean of the targets, whose RMSE is 77.
    assert min(n["mean"] for n in diabetes["networks"]) < 60


def test_figures_are_pictures(report):
    _, folder = report
    names = {path.name for path in folder.glob("*.png")}
    assert names == {
        "gram.png",
        "depth-digits.png",
        "depth-diabetes.png",
        "posterior.png",
        "spectrum.png",
        "overview.png",
    }
    assert all((folder / name).read_bytes()[:4] == b"\x89PNG" for name in names)
    page = (folder / "README.md").read_text()
    assert all(name in page for name in names - {"overview.png"})


def test_leave_one_out_equals_leaving_one_out():
    random = np.random.default_rng(0)
    factor = random.standard_normal((12, 12))
    gram, targets = factor @ factor.T, random.standard_normal((12, 2))

    def error(multiple):
        residuals = []
        for i in range(12):
            rest = np.delete(np.arange(12), i)
            regular = gram[np.ix_(rest, rest)] + multiple * np.trace(gram) / 12 * np.eye(11)
            residuals.append(targets[i] - gram[i, rest] @ np.linalg.solve(regular, targets[rest]))
        return np.mean(np.square(residuals))

    assert _models.ridge_by_leave_one_out(gram, targets) == min(_models.RIDGES, key=error)


def test_missing_packages_are_named(monkeypatch, capsys):
    monkeypatch.setattr(command_line.importlib.util, "find_spec", lambda name: None)
    assert command_line.main(["demo"]) == 1
    assert 'pip install "ntkswift[demo]"' in capsys.readouterr().err


def test_info_prints_the_machine(capsys):
    assert command_line.main(["info"]) == 0
    assert "CPU level" in capsys.readouterr().out
