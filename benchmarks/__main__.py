"""Command line of the benchmarks: `python -m benchmarks [CASE ...]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .cases import CASES
from .harness.machine import describe
from .harness.report import Report
from .harness.settings import Settings
from .harness.workers import Worker, workers
from .peers.environments import ROOT


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    listing = "\n".join(f"  {case.name:18s}{case.about}" for case in CASES.values())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        epilog=f"cases:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="ntkswift and its peers, alternately, in one run.",
    )
    parser.add_argument("names", nargs="*", metavar="CASE", help="default: all")
    parser.add_argument("--case", action="append", default=[], dest="more", metavar="CASE", help="the same, by name")
    parser.add_argument("--quick", action="store_true", help="small sizes, no peers: does everything run?")
    parser.add_argument("--no-peers", action="store_true", help="full sizes without the other libraries")
    parser.add_argument("--repeats", type=int, default=7, help="timed runs of each contestant (default 7)")
    parser.add_argument("--threads", type=int, default=2, help="threads and CPUs each contestant gets (default 2)")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports" / "benchmarks", help="folder for the JSON")
    args = parser.parse_args(argv)
    args.cases = args.names + args.more or list(CASES)
    unknown = [name for name in args.cases if name not in CASES]
    if unknown:
        parser.error(f"CASE should be one of {', '.join(CASES)}. Received {', '.join(unknown)}.")
    return args


def run(name: str, settings: Settings) -> tuple[Report, dict[str, dict[str, str]]]:
    """Runs one case with fresh workers; hands back the report and the versions of all libraries."""
    versions = {}
    with workers(settings.threads) as get:
        used: dict[str, Worker] = {}

        def remember(program: str, environment: str | None, *more: int) -> Worker:
            used[program] = get(program, environment, *more)
            return used[program]

        report = CASES[name].run(settings, remember)
        versions = {program: worker.ask("versions") for program, worker in used.items()}
    return report, versions


def main(argv: list[str] | None = None) -> int:
    """Runs the cases; the exit status is 1 if a target was judged and not reached."""
    args = arguments(argv)
    settings = Settings(
        quick=args.quick,
        peers=not (args.quick or args.no_peers),
        repeats=min(args.repeats, 3) if args.quick else args.repeats,
        threads=args.threads,
    )
    missed = 0
    for name in args.cases:
        machine = describe()
        cpus = len(os.sched_getaffinity(0))
        print(f"\n## {name}: {CASES[name].about}\n", flush=True)
        if machine["load"] > 0.3 * cpus:
            print(f"Other programs run on this machine (load {machine['load']:.1f}): trust ratios, not seconds.\n")
        report, versions = run(name, settings)
        print(report, flush=True)
        missed += sum(target.met is False for target in report.targets)
        report.write(
            args.reports / f"{name}.json",
            {
                "case": name,
                "machine": machine,
                "versions": versions,
                "quick": settings.quick,
                "threads": settings.threads,
            },
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
