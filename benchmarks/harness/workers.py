"""Worker processes: each contestant lives in one, in the environment of its library, and is driven over a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from ..peers.environments import ROOT, interpreter

THREAD_VARIABLES = ("NTKSWIFT_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerError(RuntimeError):
    """A worker reported an error or ended."""


class Worker:
    """One process that serves one program of `benchmarks.programs`, kept to ``threads`` CPUs."""

    def __init__(self, program: str, environment: str | None, threads: int) -> None:
        python = sys.executable if environment is None else str(interpreter(environment))
        variables = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
        if environment is not None:
            variables.pop("PYTHONPATH", None)
        self.name = program
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.harness.serve", f"benchmarks.programs.{program}"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, sorted(os.sched_getaffinity(0))[:threads])

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Sends one request and returns the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps({"do": do} | request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"[benchmarks] the worker of {self.name} ended with status {self.process.wait()}.")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"[benchmarks] {self.name}: {answer['error']}\n{answer['traceback']}")
        return answer

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def workers(threads: int) -> Iterator[Any]:
    """Yields ``get(program, environment, threads=threads)``, which starts a worker at its first call; ends all at exit."""
    started: dict[tuple[str, int], Worker] = {}

    def get(program: str, environment: str | None, own_threads: int = threads) -> Worker:
        key = (program, own_threads)
        if key not in started:
            started[key] = Worker(program, environment, own_threads)
        return started[key]

    try:
        yield get
    finally:
        for worker in started.values():
            worker.close()
