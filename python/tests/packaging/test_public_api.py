"""What is public is written down: `__all__`, docs/api.md and the docstrings agree."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import ntkswift
from ntkswift import _core

ROOT = Path(__file__).parents[3]
MODULES = [
    "ntkswift",
    *(f"ntkswift.{name}" for name in ntkswift.__all__ if inspect.ismodule(getattr(ntkswift, name))),
]


def documented() -> dict[str, list[str]]:
    """Return the names of each section of docs/api.md."""
    sections: dict[str, list[str]] = {}
    for line in (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `([\w.]+)`", line):
            sections[heading[1]] = []
        elif entry := re.match(r"\| `(\w+)", line):
            list(sections.values())[-1].append(entry[1])
    return sections


def public(module: str) -> list[str]:
    pytest.importorskip("sklearn") if module.endswith("estimators") else None
    return sorted(importlib.import_module(module).__all__)


def test_every_public_module_is_documented():
    assert list(documented()) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_documented_names_are_the_public_names(module):
    assert sorted(documented()[module]) == public(module)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_docstrings(module):
    for name in public(module):
        value = getattr(importlib.import_module(module), name)
        assert inspect.getdoc(value), f"{module}.{name} has no docstring"


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == ntkswift.__version__ == _core.version()
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_dir_lists_what_is_public():
    assert {"estimators", "plotting", "stax", "linearize", "train"} <= set(dir(ntkswift))
    assert {name for name in dir(ntkswift) if not name.startswith("_")} == {*ntkswift.__all__, "demo"}


def test_functions_of_neural_tangents_stand_at_the_top():
    for name in ("batch", "empirical_ntk_fn", "linearize", "monte_carlo_kernel_fn", "taylor_expand"):
        assert getattr(ntkswift, name) is getattr(ntkswift.empirical, name)


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ntkswift.nonsense  # noqa: B018
