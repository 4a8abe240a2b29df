"""The break-even reproduction: data of the user's own, one run, the verdicts, the whole at a small size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ntkswift.reproduce import Verdict
from ntkswift.reproduce._report import Report
from ntkswift.reproduce._steps import Steps
from ntkswift.reproduce.break_even import claims
from ntkswift.reproduce.break_even import runs as experiments
from ntkswift.reproduce.break_even.runs import SMALL, Run, load

TINY = dataclasses.replace(
    SMALL,
    inputs=96,
    seeds=1,
    levels={"CNN": 2.0, "MLP": 2.0},
    most_steps={"CNN": 8, "MLP": 8},
    every={"CNN": 4, "MLP": 4},
    measured=96,
    measuring_batch=12,
    curvature=24,
    channels=(2, 3),
    sharpness_steps=40,
)


def test_data_of_the_user(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "data.npz"
    np.savez(path, x=rng.random((30, 6, 6)), y=rng.integers(3, 6, (30, 1)))
    data = load(path, 20)
    assert data.x.shape == (20, 6, 6, 1)
    assert data.y.shape == (20, 3)
    assert data.x.mean() == pytest.approx(0, abs=1e-12)
    assert (data.y.sum(1) == 1).all()
    np.savez(path, images=np.ones(3))
    with pytest.raises(ValueError, match="arrays x and y"):
        load(path, 20)
    np.savez(path, x=rng.random((30, 36)), y=np.ones(29))
    with pytest.raises(ValueError, match="images"):
        load(path, 20)


def runs(values):
    return [Run("CNN", 0.1, 64, k, {"lambda_K": np.array([0.1, v])}) for k, v in enumerate(values)]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((1.0, 2.0), (3.0, 4.0), Verdict.AGREES),
        ((3.0, 4.0), (1.0, 2.0), Verdict.DIFFERS),
        ((1.0, 4.0), (3.0, 2.0), Verdict.NOT_SEEN),
        ((1.0, 2.0), (1.0, 2.0), Verdict.NOT_SEEN),
    ],
)
def test_a_trend_is_seen_where_all_seeds_agree(first, second, verdict):
    assert claims._trend("t", {"lambda_K": -1}, runs(first), runs(second), "by").verdict is verdict


def test_a_diverging_run_keeps_what_was_measured():
    data = load(None, 96)
    broken = experiments.run("MLP", data, TINY, 1e6, 16, 0)
    assert broken.diverged
    assert len(broken.history["step"]) >= 1


def test_everything_at_a_tiny_size(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(claims, "SMALL", TINY)
    report = Report("break-even")
    claims.reproduce(report, Steps(None), full=False, data=None, seed=0)
    assert len(report.claims) == 2 + 16 + 2 + 4
    model = report.claims[0]
    assert model.verdict is Verdict.AGREES
    assert set(report.figures) == {
        "maxima",
        "sharpness",
        *(f"trajectory-{name.lower()}" for name in experiments.NETWORKS),
    }
    assert report.numbers["paper"]["max lambda_K^1"] == {"eta 0.1": 0.87, "eta 0.01": 3.01}
    report.write(tmp_path)
    assert (tmp_path / "report.json").stat().st_size > 1000
