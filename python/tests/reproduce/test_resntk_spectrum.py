"""The reproduction of the ResNTK paper, at a size that takes seconds."""

import dataclasses
import math

import numpy as np
import pytest

from ntkswift import reproduce
from ntkswift.reproduce import Verdict
from ntkswift.reproduce.resntk_spectrum import claims, runs


@pytest.fixture(scope="module")
def report():
    pytest.importorskip("matplotlib")
    small = dataclasses.replace(runs.DEFAULT, seeds=2, points=128, depths=(1, 10, 100, 300), width=24, networks=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "DEFAULT", small)
        return reproduce.run("resntk-spectrum", seed=1)


def test_every_claim_is_measured(report):
    assert len(report.claims) == 16
    assert all(claim.measured and "nan" not in claim.measured for claim in report.claims)


def test_what_holds_at_every_size(report):
    # The experiments on random points may scatter at this size; all else is deterministic.
    deterministic = [claim for claim in report.claims if not claim.spread]
    assert len(deterministic) == 12
    assert all(claim.verdict is Verdict.AGREES for claim in deterministic)


def test_odd_sinusoids_are_slow(report):
    (slow,) = [claim for claim in report.claims if claim.text.startswith("Odd sinusoids")]
    assert float(slow.predicted) == pytest.approx(1 / 0.149, rel=0.01)
    assert float(slow.measured) > 4


def test_finite_networks_are_trained(report):
    steps = report.numbers["steps of finite networks for frequencies 3 and 4, alpha 1/L"]
    assert steps.shape == (1, 2)
    assert steps[0, 0] > 1.5 * steps[0, 1] > 0


def test_figures_and_numbers(report, tmp_path):
    folder = report.write(tmp_path / "out")
    for name in ("decay", "profiles", "depth", "parity"):
        assert (folder / f"{name}.png").stat().st_size > 5000
    assert "decay exponents, d = 3" in (folder / "report.json").read_text()


def test_law_for_opposite_inputs():
    for depth in (500, 2000):
        kernel = runs.residual(depth, 1.0, 3)
        assert abs(kernel(math.pi)) == pytest.approx(runs.antipodal_law(depth, 1.0), rel=0.02)


def test_crossings_lie_between_the_times():
    times = np.geomspace(1, 1000, 31)
    assert runs._crossing(times, np.exp(-0.1 * times)) == pytest.approx(math.log(100) / 0.1, rel=0.02)
    assert math.isnan(runs._crossing(times, np.ones(31)))
