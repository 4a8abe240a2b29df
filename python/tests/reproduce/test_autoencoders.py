"""The reproduction of the autoencoder paper, at a size that takes a second."""

import dataclasses

import numpy as np
import pytest

from ntkswift import reproduce
from ntkswift.reproduce import Verdict
from ntkswift.reproduce.autoencoders import claims, runs


@pytest.fixture(scope="module")
def report():
    small = dataclasses.replace(
        runs.DEFAULT,
        inputs=10,
        dimension=6,
        seeds=3,
        steps=150,
        curve_widths=(64, 256, 1024, 4096),
        widths=(64, 256, 1024),
        narrow=(8, 16, 32, 64, 128, 256),
        kernel_widths=(64, 1024),
        new_inputs=10,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "DEFAULT", small)
        return reproduce.run("autoencoders", seed=1)


def test_every_claim_is_measured(report):
    assert len(report.claims) == 14
    assert all(claim.measured and "nan" not in claim.measured for claim in report.claims)


def test_what_holds_at_every_size(report):
    by_text = {claim.text: claim.verdict for claim in report.claims}
    for beginning in (
        "With the same step size joint",
        "The decoder's kernel has no random",
        "Joint training needs less",
    ):
        assert [v for text, v in by_text.items() if text.startswith(beginning)] == [Verdict.AGREES]
    assert sum(v is Verdict.AGREES for v in by_text.values()) >= 11


def test_the_report_is_written(report, tmp_path):
    pytest.importorskip("matplotlib")
    folder = report.write(tmp_path / "out")
    for name in ("loss", "width", "kernels", "memorisation", "tied"):
        assert (folder / f"{name}.png").stat().st_size > 5000
    assert "steps to 1 % of the loss" in (folder / "report.json").read_text()


def test_exponents_and_required_widths():
    widths = (10, 100, 1000)
    np.testing.assert_allclose(runs.slope(widths, np.array([[1.0, 2], [0.1, 20], [0.01, 200]])), [-1, 1])
    converged = np.array([[True, False, True], [False, True, True], [True, True, False]])
    needed = runs.required_widths(widths, converged)
    assert needed[0] == 1000
    assert needed[1] == 100
    assert np.isnan(needed[2])
