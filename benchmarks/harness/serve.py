"""The loop inside a worker process: one JSON request per line on the standard input, one JSON answer per line.

    python -m benchmarks.harness.serve benchmarks.programs.numpy_limits

Requests: {"do": "prepare", "key", "task", "parameters"}, {"do": "run", "key"}, {"do": "sample", "key", "count"},
{"do": "save", "key", "path"}, {"do": "versions"}. The library is imported and a task is run once (compilation, first
touch) before anything is timed. This module must run in every peer's environment: standard library and NumPy only.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np


def status(field: str) -> int | None:
    """A field of /proc/self/status in bytes (VmRSS, VmHWM), or None on systems without it."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return 1024 * int(line.split()[1])
    except OSError:
        pass
    return None


def reset_peak() -> bool:
    """Lets VmHWM start again from the present size. False where the system does not allow it."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


class Server:
    """Keeps the prepared tasks of one program and the latest result of each."""

    def __init__(self, program: str) -> None:
        self.program = importlib.import_module(program)
        self.calls: dict[str, Callable[[], Any]] = {}
        self.results: dict[str, Any] = {}

    def prepare(self, key: str, task: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Makes the callable of a task and runs it once; the figures are those of this first run."""
        self.calls[key] = self.program.TASKS[task](**parameters)
        return self.run(key)

    def run(self, key: str) -> dict[str, Any]:
        """Runs a prepared task: wall, CPU and system seconds, peak memory above the start, bytes of the result."""
        self.results.clear()
        gc.collect()
        resident, can_reset = status("VmRSS"), reset_peak()
        system = resource.getrusage(resource.RUSAGE_SELF).ru_stime
        cpu, wall = time.process_time(), time.perf_counter()
        result = self.calls[key]()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        system = resource.getrusage(resource.RUSAGE_SELF).ru_stime - system
        peak = status("VmHWM")
        self.results[key] = result
        above = peak - resident if can_reset and peak is not None and resident is not None else None
        return {"wall": wall, "cpu": cpu, "system": system, "peak": above, "bytes": int(np.asarray(result).nbytes)}

    def sample(self, key: str, count: int) -> dict[str, Any]:
        """Entries of the latest result at places that depend on its size only, to compare contestants."""
        result = np.asarray(self.results[key], dtype=np.float64).ravel()
        places = np.random.default_rng(7).integers(result.size, size=count)
        return {"values": result[places].tolist(), "scale": float(np.abs(result).max())}

    def save(self, key: str, path: str) -> dict[str, Any]:
        """Writes the latest result to a .npy file."""
        np.save(path, np.asarray(self.results[key]))
        return {}

    def versions(self) -> dict[str, Any]:
        """Versions of what the program uses."""
        return {"python": sys.version.split()[0], "numpy": np.__version__} | self.program.versions()


def main() -> None:
    """Serves until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    server = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            server = server or Server(sys.argv[1])
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
