"""The committed stub of the extension is the generated one (make stubs)."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ntkswift"
SCRIPT = Path(__file__).parents[3] / "scripts" / "stubs.py"


def test_stub_is_up_to_date():
    pytest.importorskip("nanobind")
    script = runpy.run_path(str(SCRIPT))
    committed = (PACKAGE / "_core.pyi").read_text(encoding="utf-8")
    if not committed.startswith(script["heading"]()):
        pytest.skip("this nanobind is not the one that wrote the committed stub")
    assert committed == script["stub"]()


def test_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
