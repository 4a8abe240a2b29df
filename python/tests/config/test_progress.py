"""The progress bar: only where somebody watches, only for calls that take long."""

from __future__ import annotations

import time

import pytest

from ntkswift import _call, _progress


def test_nobody_watches_a_pipe():
    with _progress.progress_bar("work") as progress:
        assert progress is None


def test_short_calls_show_nothing(capsys):
    with _progress.progress_bar("work", enabled=True) as progress:
        progress(0.5)
    assert capsys.readouterr().err == ""


def test_long_calls_show_a_bar(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(_progress, "DELAY_SECONDS", 0.0)
    with _progress.progress_bar("kernel", enabled=True) as progress:
        for step in range(5):
            progress(step / 4)
            time.sleep(0.12)
    shown = capsys.readouterr().err
    assert "kernel" in shown
    assert "100 %" in shown


def test_without_tqdm_it_stays_silent(capsys, monkeypatch):
    monkeypatch.setattr(_progress, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(_progress, "_new_bar", lambda *_: None)
    with _progress.progress_bar("kernel", enabled=True) as progress:
        progress(0.1)
        progress(0.2)
    assert capsys.readouterr().err == ""


def test_phases_share_the_fraction():
    shown = []
    phases = _call._Phases(shown.append, 2)
    for _ in range(2):
        phases.begin()
        phases(0.5)
        phases(1.0)
    phases.end()
    assert shown == [0.25, 0.5, 0.75, 1.0]
