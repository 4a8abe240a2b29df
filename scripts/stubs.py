"""Write the stub of the extension (make stubs).

python scripts/stubs.py python/ntkswift/_core.pyi
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path


def heading() -> str:
    """Return the first line of the stub; generators of different versions write different text."""
    return f"# Generated with nanobind {version('nanobind')}: make stubs\n"


def stub() -> str:
    """Return the text of the stub."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "ntkswift._core", "-O", folder]
        subprocess.run(command, check=True)
        return heading() + next(Path(folder).rglob("_core.pyi")).read_text(encoding="utf-8")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(stub(), encoding="utf-8")
