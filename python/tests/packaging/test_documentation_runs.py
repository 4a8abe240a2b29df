"""Doctests, the README's quick start (as a script and in a notebook) and the examples run."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ntkswift

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SKIPPED = ("__main__", "libscipy_openblas")
MODULES = [m.name for m in pkgutil.walk_packages(ntkswift.__path__, "ntkswift.") if not m.name.endswith(SKIPPED)]


def quick_starts() -> list[str]:
    """Return the Python blocks of README.md."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


def run_script(source: str, folder: Path) -> None:
    environment = os.environ | {"MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", source],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["ntkswift", *MODULES])
def test_doctests(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0


def test_readme_runs_as_a_script(tmp_path):
    assert quick_starts()
    run_script("\n".join(quick_starts()), tmp_path)


def test_readme_runs_in_a_notebook(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(block) for block in quick_starts()])
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name=own_kernel(tmp_path), resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert all(output.output_type != "error" for cell in notebook.cells for output in cell.outputs)


def own_kernel(folder: Path) -> str:
    """Install a Jupyter kernel of this very interpreter in a folder of the test; return its name."""
    kernelspec = pytest.importorskip("ipykernel.kernelspec")
    os.environ["JUPYTER_PATH"] = str(folder / "share" / "jupyter")
    kernelspec.install(prefix=str(folder), kernel_name="ntkswift-test")
    return "ntkswift-test"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    run_script(path.read_text(encoding="utf-8"), tmp_path)
