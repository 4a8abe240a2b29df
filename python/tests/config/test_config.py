"""Threads and memory limits: per context, validated, from the environment."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ntkswift
from ntkswift import _core
from ntkswift._config import call_settings


def test_default_is_every_cpu(monkeypatch):
    monkeypatch.delenv("NTKSWIFT_NUM_THREADS", raising=False)
    assert ntkswift.get_num_threads() == _core.cpu_count()


def test_environment_counts(monkeypatch):
    monkeypatch.setenv("NTKSWIFT_NUM_THREADS", "3")
    assert ntkswift.get_num_threads() == 3
    with ntkswift.num_threads(5):
        assert ntkswift.get_num_threads() == 5


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_bad_environment_is_named(monkeypatch, text):
    monkeypatch.setenv("NTKSWIFT_NUM_THREADS", text)
    with pytest.raises(ValueError, match="NTKSWIFT_NUM_THREADS"):
        ntkswift.get_num_threads()


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-3, ValueError), (1.5, TypeError), ("2", TypeError)])
@pytest.mark.parametrize("function", [ntkswift.set_num_threads, ntkswift.set_memory_limit])
def test_bad_values_are_refused(function, value, error):
    with pytest.raises(error, match="Received"):
        function(value)


def test_contexts_do_not_see_each_other():
    def inside():
        ntkswift.set_num_threads(7)
        return ntkswift.get_num_threads()

    before = ntkswift.get_num_threads()
    assert contextvars.copy_context().run(inside) == 7
    seen = []
    thread = threading.Thread(target=lambda: seen.append(inside()))
    thread.start()
    thread.join()
    assert seen == [7]
    assert ntkswift.get_num_threads() == before


def test_context_managers_restore_after_an_error():
    before = ntkswift.get_num_threads()
    with pytest.raises(RuntimeError), ntkswift.num_threads(1), ntkswift.memory_limit(1000):
        assert call_settings() == {"threads": 1, "memory_limit": 1000}
        raise RuntimeError
    assert ntkswift.get_num_threads() == before
    assert call_settings()["memory_limit"] == 0


def test_explicit_arguments_win():
    with ntkswift.num_threads(1):
        assert call_settings(2, 10**6) == {"threads": 2, "memory_limit": 10**6}


def test_cpu_level_can_be_lowered():
    level = _core.cpu_level_available()
    if level == 0:
        pytest.skip("no levels on this processor")
    code = "from ntkswift import _core; print(_core.cpu_level())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"NTKSWIFT_CPU": "v2", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip().splitlines()[-1] == "2"


def test_cpu_levels_that_there_are_not_are_errors():
    run = subprocess.run(
        [sys.executable, "-c", "import ntkswift"],
        env={"NTKSWIFT_CPU": "v9", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "[ntkswift] NTKSWIFT_CPU must be" in run.stderr
    assert "Received 'v9'" in run.stderr


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="reads /proc/meminfo")
def test_without_a_limit_half_of_the_available_memory_is_allowed():
    (line,) = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable")]
    share = ntkswift.get_memory_limit() / (1024 * int(line.split()[1]))
    assert abs(share - 0.5) < 0.125  # other processes come and go between the two looks
