"""The frame of the reproductions: claims, reports, the table, the command line."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest

from ntkswift import reproduce
from ntkswift.__main__ import main
from ntkswift.reproduce import Claim, Report, Verdict, _registry
from ntkswift.reproduce._steps import Steps


@pytest.fixture
def toy(monkeypatch):
    """A reproduction that draws one figure and makes two claims."""
    module = types.ModuleType("ntkswift.reproduce.toy_run.claims")

    def compute(report, steps, *, full, data, seed):
        from ntkswift.reproduce._figures import new_figure

        steps.expect(2)
        show = steps.part(2)
        show(0.5)
        values = np.random.default_rng(seed).normal(size=4 if full else 2)
        report.settings["size"] = len(values)
        report.numbers.update(values=values, odd=np.nan, count=np.int64(len(values)))
        report.claim(Claim.compare("numbers are small", predicted=0.0, measured=values, tolerance=10.0))
        report.claim(Claim("the sea is wide", "wide", "no sea here", Verdict.NOT_SEEN, note=data or ""))
        figure, ax = new_figure()
        ax.plot(values)
        report.figure("values", figure, "Numbers.")
        steps.done()

    module.reproduce = compute
    monkeypatch.setitem(sys.modules, "ntkswift.reproduce.toy_run.claims", module)
    entry = _registry.Reproduction("toy-run", "A Toy", "nowhere", "Shows the frame.", takes_data=True)
    monkeypatch.setitem(_registry.REPRODUCTIONS, "toy-run", entry)
    return entry


def test_command_line_writes_what_it_prints(toy, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["reproduce", "toy-run", "--full", "--seed", "3", "--output", str(tmp_path / "deep" / "er")]) == 0
    printed = capsys.readouterr().out
    folder = tmp_path / "deep" / "er"
    saved = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert {file.name for file in folder.iterdir()} == {
        "report.json", "report.txt", "values.svg", "values.pdf", "values.png"
    }  # fmt: skip
    assert saved["full"] is True
    assert saved["seed"] == 3
    assert saved["numbers"]["count"] == 4
    assert saved["numbers"]["odd"] is None
    np.testing.assert_array_equal(saved["numbers"]["values"], np.random.default_rng(3).normal(size=4))
    assert [claim["verdict"] for claim in saved["claims"]] == ["agrees", "not seen at this size"]
    assert "2 claims: 1 agrees, 1 not seen at this size" in printed
    assert (folder / "report.txt").read_text(encoding="utf-8").split("2 claims")[0] in printed


def test_notebook_call_returns_the_report_and_writes_nothing(toy, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    report = reproduce.run("toy-run", seed=1)
    assert isinstance(report, Report)
    assert report.numbers["values"].shape == (2,)
    assert report.seconds >= 0
    assert not list(tmp_path.iterdir())
    assert repr(report) == str(report)


def test_unknown_names_list_the_known_ones(toy, capsys):
    assert main(["reproduce", "toys"]) == 2
    assert "toy-run" in capsys.readouterr().err
    with pytest.raises(ValueError, match="toy-run"):
        reproduce.run("toys")
    with pytest.raises(AttributeError, match="toys"):
        reproduce.toys  # noqa: B018


def test_list_names_every_reproduction(capsys):
    assert main(["reproduce", "--list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name} " in printed for name in reproduce.names())
    assert main(["reproduce"]) == 2


def test_bad_data_and_seeds_are_refused(toy, capsys):
    assert main(["reproduce", "toy-run", "--data", "/nowhere/at/all"]) == 2
    assert "/nowhere/at/all" in capsys.readouterr().err
    for seed in (-1, 1.5, True):
        with pytest.raises((TypeError, ValueError), match="seed"):
            toy.run(seed=seed)


def test_claims_compare_within_their_tolerance():
    near = Claim.compare("x", predicted=1.0, measured=[1.0, 1.1], tolerance=0.06)
    far = Claim.compare("x", predicted=1.0, measured=[1.0, 1.1], tolerance=0.04)
    lost = Claim.compare("x", predicted=1.0, measured=[np.nan], tolerance=10.0)
    assert [near.verdict, far.verdict, lost.verdict] == [Verdict.AGREES, Verdict.DIFFERS, Verdict.DIFFERS]
    with pytest.raises(AttributeError):
        near.text = "y"
    with pytest.raises(TypeError, match="Verdict"):
        Claim("x", "", "", "agrees")


def test_steps_share_one_bar():
    shown: list[float] = []
    steps = Steps(shown.append)
    steps.expect(10)
    for weight in (2, 3, 5):
        steps.part(weight)(0.5)
    steps.done()
    np.testing.assert_allclose(shown, [0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
    Steps(None).part(1)(0.5)


def test_figures_want_plain_names():
    with pytest.raises(ValueError, match="name"):
        Report("x").figure("../up", None, "")
