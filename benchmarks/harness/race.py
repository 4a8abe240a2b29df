"""A race: contestants do the same work alternately, in one run, and are compared by their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .report import Table
from .settings import Settings
from .workers import Worker

MEGABYTE = 1e6


@dataclass(frozen=True)
class Contestant:
    """Who runs what: a program of `benchmarks.programs` (in a peer's environment), a task and its parameters."""

    name: str
    program: str
    task: str
    parameters: dict[str, Any]
    environment: str | None = None
    threads: int | None = None
    comparable: bool = True  # its result should equal the first contestant's

    @property
    def is_peer(self) -> bool:
        """Whether an environment of its own is needed."""
        return self.environment is not None


@dataclass
class Outcome:
    """All measurements of one contestant."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    system: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    bytes: int = 0
    disagreement: float | None = None

    def add(self, answer: dict[str, Any], timed: bool = True) -> None:
        """Takes in the figures of one run; the first run counts for memory only."""
        if timed:
            self.wall.append(answer["wall"])
            self.cpu.append(answer["cpu"])
            self.system.append(answer["system"])
        if answer["peak"] is not None:
            self.peak.append(answer["peak"])
        self.bytes = answer["bytes"]

    @property
    def median_wall(self) -> float:
        """Median wall seconds."""
        return statistics.median(self.wall)

    @property
    def median_cpu(self) -> float:
        """Median CPU seconds (user and system, all threads)."""
        return statistics.median(self.cpu)

    @property
    def extra_memory(self) -> float | None:
        """Largest peak of memory above the start of a call and above the result, in MB."""
        return max(0.0, (max(self.peak) - self.bytes) / MEGABYTE) if self.peak else None

    def record(self) -> dict[str, Any]:
        """Everything, for the JSON report."""
        return {
            "name": self.name,
            "median_wall": self.median_wall,
            "median_cpu": self.median_cpu,
            "extra_memory_mb": self.extra_memory,
            "result_bytes": self.bytes,
            "wall": self.wall,
            "cpu": self.cpu,
            "system": self.system,
            "disagreement": self.disagreement,
        }


def race(title: str, contestants: list[Contestant], settings: Settings, get: Callable[..., Worker]) -> Race:
    """Runs the contestants alternately. Without peers, those with an environment of their own stay out."""
    taking_part = [one for one in contestants if settings.peers or not one.is_peer]
    outcomes, drivers = {}, {}
    reference = None
    for index, one in enumerate(taking_part):
        worker = get(one.program, one.environment, *([one.threads] if one.threads else []))
        drivers[one.name] = (worker, f"{title}/{one.name}")
        outcomes[one.name] = Outcome(one.name)
        first = worker.ask("prepare", key=f"{title}/{one.name}", task=one.task, parameters=one.parameters)
        outcomes[one.name].add(first, timed=False)
        if one.comparable:
            sample = worker.ask("sample", key=f"{title}/{one.name}", count=500)
            if index == 0:
                reference = sample
            elif reference is not None:
                outcomes[one.name].disagreement = distance(sample, reference)
    start = time.perf_counter()
    for repeat in range(settings.repeats):
        for name, (worker, key) in drivers.items():
            outcomes[name].add(worker.ask("run", key=key))
        if repeat >= 2 and time.perf_counter() - start > settings.seconds:
            break
    return Race(title, outcomes)


def distance(sample: dict[str, Any], reference: dict[str, Any]) -> float:
    """Largest difference of the sampled entries, relative to the largest entry of the reference."""
    pairs = zip(sample["values"], reference["values"], strict=True)
    return max(abs(a - b) for a, b in pairs) / reference["scale"]


@dataclass
class Race:
    """The outcomes of one race; the first contestant is what the others are compared with."""

    title: str
    outcomes: dict[str, Outcome]

    def ratio(self, name: str, to: str | None = None, kind: str = "cpu") -> float | None:
        """Median of ``name`` divided by the median of ``to`` (default: the first), or None if one stayed out."""
        first = to or next(iter(self.outcomes))
        if name not in self.outcomes or first not in self.outcomes:
            return None
        numerator, denominator = self.outcomes[name], self.outcomes[first]
        if kind == "cpu":
            return numerator.median_cpu / max(denominator.median_cpu, 1e-9)
        return numerator.median_wall / max(denominator.median_wall, 1e-9)

    def table(self) -> Table:
        """Medians, ratios to the first contestant, memory above the result, disagreement."""
        rows = []
        for one in self.outcomes.values():
            rows.append(
                [
                    one.name,
                    one.median_cpu,
                    statistics.median(one.system),
                    one.median_wall,
                    self.ratio(one.name),
                    self.ratio(one.name, kind="wall"),
                    one.extra_memory,
                    one.bytes / MEGABYTE,
                    one.disagreement,
                ]
            )
        columns = [
            "contestant",
            "CPU s",
            "system s",
            "wall s",
            "CPU ratio",
            "wall ratio",
            "extra MB",
            "result MB",
            "differs by",
        ]
        return Table(self.title, columns, rows)
