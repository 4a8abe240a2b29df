"""The reproductions of the tangent hierarchy and of adaptive kernels, at sizes that take seconds."""

import dataclasses

import numpy as np
import pytest

from ntkswift import reproduce
from ntkswift.plotting import HierarchyErrorDisplay
from ntkswift.reproduce import Verdict
from ntkswift.reproduce.adaptive_kernel import claims as adaptive_claims
from ntkswift.reproduce.adaptive_kernel import runs as adaptive_runs
from ntkswift.reproduce.tangent_hierarchy import claims as hierarchy_claims
from ntkswift.reproduce.tangent_hierarchy import runs as hierarchy_runs


def verdicts(report):
    return {claim.text: claim.verdict for claim in report.claims}


def test_tangent_hierarchy(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    small = dataclasses.replace(hierarchy_runs.DEFAULT, inputs=3, seeds=3, widths=(16, 64), time=2.0, moments=4)
    monkeypatch.setattr(hierarchy_claims, "DEFAULT", small)
    report = reproduce.run("tangent-hierarchy", seed=1, output=tmp_path, progress=False)
    assert len(report.claims) == 12
    assert all(claim.measured and "nan" not in claim.measured for claim in report.claims)
    exact = [v for text, v in verdicts(report).items() if text.startswith(("Even orders", "The kernel's velocity"))]
    assert exact == [Verdict.AGREES] * 2
    errors = report.numbers["largest errors at training inputs"]
    assert (errors["4"] < errors["2"]).all()
    assert {"kernels.svg", "errors.pdf", "time.png", "drift.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_adaptive_kernel(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    small = dataclasses.replace(
        adaptive_runs.DEFAULT, seeds=2, steps=2000, checks=4, decays=(3e-2, 1e-2), rates=(0.1, 0.05)
    )
    monkeypatch.setattr(adaptive_claims, "DEFAULT", small)
    report = reproduce.run("adaptive-kernel", seed=1, output=tmp_path, progress=False)
    assert len(report.claims) == 9
    assert all(claim.measured and "nan" not in claim.measured for claim in report.claims)
    beginnings = (
        "Where the last layer is stationary",
        "Before that it differs",
        "Gradient flow conserves",
        "Weight decay",
    )
    for beginning in beginnings:
        assert [v for text, v in verdicts(report).items() if text.startswith(beginning)] == [Verdict.AGREES], beginning
    assert {"identity.svg", "residual.pdf", "balance.png"} <= {path.name for path in tmp_path.iterdir()}


def test_display():
    pytest.importorskip("matplotlib")
    display = HierarchyErrorDisplay(np.array([0.0, 1.0, 2.0]), {3: [0, 1e-3, 2e-3], 2: [0, 1e-2, 2e-2]}).plot()
    assert [line.get_linestyle() for line in display.ax_.lines] == ["-", "--"]
    np.testing.assert_array_equal(display.ax_.lines[0].get_xdata(), [1, 2])
    with pytest.raises(ValueError, match=r"errors\[2\]"):
        HierarchyErrorDisplay([1.0, 2.0], {2: [1.0]})
