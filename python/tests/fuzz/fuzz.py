"""Hostile calls of the whole Python surface: ``python python/tests/fuzz/fuzz.py [--calls N] [--seed S] [--only WORD]``.

Every public callable (`surface.py`) is called with arguments of which some are hostile (`hostile.py`), in a child process
with a limit of memory and of time per call (`calls.py`). What is reported: a process that dies or hangs, exceptions other
than those of the documentation or whose message does not begin with the name of the function, arguments that changed, and
NaN or infinity from finite numbers within half the range of the exponent. The status is the number of kinds of faults.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Beyond this a call that was asked to stop after a second hangs.
HANGS_AFTER = 60
ADDRESS_SPACE = 8 << 30


def fuzz(calls: int, seed: int = 0, only: str = "") -> list[dict[str, str]]:
    """Makes the calls; returns the faults."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        announced, faults = Path(folder, "announced"), Path(folder, "faults")
        announced.touch()
        faults.touch()
        found, first = [], 0
        while first < calls:
            ending = _child(folder, first, calls - first, seed, announced, faults, only)
            if ending is None:
                break
            last = announced.read_text(encoding="utf-8").splitlines()[-1:]
            if not last or int(last[0].split()[0]) < first:
                raise RuntimeError(f"[fuzz] the child must begin. It ended: {ending}")
            number, call = last[0].split(" ", 1)
            found.append({"kind": ending, "call": call, "place": call.split("(")[0], "message": ""})
            first = int(number) + 1
        return found + [json.loads(line) for line in faults.read_text(encoding="utf-8").splitlines()]


def _child(folder: str, first: int, count: int, seed: int, announced: Path, faults: Path, only: str) -> str | None:
    """Runs a child to its end; how it died or hung, or None where it did all its calls."""
    program = str(Path(__file__).with_name("calls.py"))
    process = subprocess.Popen(
        [sys.executable, program, str(first), str(count), str(seed), str(announced), str(faults), only],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)),
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    size, since = -1, time.monotonic()
    while True:
        try:
            _, text = process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            if announced.stat().st_size != size:
                size, since = announced.stat().st_size, time.monotonic()
            elif time.monotonic() - since > HANGS_AFTER:
                process.kill()
                process.communicate()
                return "hangs"
            continue
        return None if process.returncode == 0 else f"dies ({process.returncode}) {text.strip()[-300:]}"


def kinds(faults: list[dict[str, str]]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Faults by what and where."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for fault in faults:
        groups.setdefault((fault["kind"], fault["place"]), []).append(fault)
    return groups


def main() -> int:
    """The report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="callables whose name contains this word")
    arguments = parser.parse_args()
    groups = kinds(fuzz(arguments.calls, arguments.seed, arguments.only))
    for (kind, place), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        print(f"{len(group)} x {kind} at {place}: {group[0]['message']}\n      {group[0]['call']}")
    print(f"{arguments.calls} calls, {len(groups)} kinds of faults.")
    return min(len(groups), 125)


if __name__ == "__main__":
    sys.exit(main())
