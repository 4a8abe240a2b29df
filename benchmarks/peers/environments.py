"""One virtual environment per peer, made with pip from the requirement file of the same name.

    python -m benchmarks.peers.environments            # all that are missing
    python -m benchmarks.peers.environments gpytorch   # one

They live in `.venv-peers/` of the project folder, or where the variable NTKSWIFT_PEERS points.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# The Python versions an environment can be made with; an absent name means any.
PYTHONS = {"neural_tangents": ("3.11", "3.12")}
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.txt")))


def folder(name: str) -> Path:
    """Where the environment lives."""
    return Path(os.environ.get("NTKSWIFT_PEERS", ROOT / ".venv-peers")) / name


def interpreter(name: str) -> Path:
    """The Python of the environment, which is made first where it is missing."""
    python = folder(name) / "bin" / "python"
    if not (folder(name) / "complete").exists():
        create(name)
    return python


def base_python(name: str) -> str:
    """A Python that suits the environment: the running one if it does, else one on the path."""
    wanted = PYTHONS.get(name)
    if wanted is None or f"{sys.version_info.major}.{sys.version_info.minor}" in wanted:
        return sys.executable
    for version in wanted:
        found = shutil.which(f"python{version}")
        if found:
            return found
    raise SystemExit(f"[benchmarks] the peer {name} needs Python {' or '.join(wanted)} on the path. Found neither.")


def create(name: str) -> None:
    """Makes the environment, from nothing; a mark tells that it was finished."""
    path = folder(name)
    print(f"[benchmarks] making the environment of {name} in {path} (once)", file=sys.stderr, flush=True)
    subprocess.run([base_python(name), "-m", "venv", "--clear", str(path)], check=True)
    subprocess.run(
        [
            str(path / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(HERE / f"{name}.txt"),
        ],
        check=True,
    )
    (path / "complete").touch()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.environments")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    for name in parser.parse_args().names or NAMES:
        if name not in NAMES:
            parser.error(f"NAME should be one of {', '.join(NAMES)}. Received {name}.")
        print(name, interpreter(name))


if __name__ == "__main__":
    main()
