"""The page of results, written from the JSON reports of `python -m benchmarks`.

python -m benchmarks.results > benchmarks/RESULTS.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .cases import CASES
from .harness.report import Table, show

REPORTS = Path(__file__).resolve().parents[1] / "reports" / "benchmarks"
HEAD = """# Results

Written by `python -m benchmarks.results` from the reports of `python -m benchmarks`: medians, contestants alternating
in one run, float64 unless said, CPU seconds of all threads. Machine: {processor} (CPU level v{level}), {cpus} CPUs,
{memory_gb} GB, CPython {python}. CPU seconds of one row vary by 10 % and more from run to run: read ratios. Missed
targets, and what earlier builds and other processors gave, are in [NOTES.md](NOTES.md)."""


def section(report: dict[str, Any]) -> str:
    """Heading, load and versions, tables and targets of one case."""
    versions = {name: version for worker in report["versions"].values() for name, version in worker.items()}
    known = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in ("python", "cpu_level"))
    parts = [
        f"## {report['case']}: {CASES[report['case']].about}",
        f"Load before {report['machine']['load']:.1f}, {report['threads']} threads{'; ' + known if known else ''}.",
        *(str(Table(one["title"], one["columns"], one["rows"])) for one in report["tables"]),
        "\n".join(
            f"- **{verdict(one['met'])}**: {one['text']}: {show(one['measured'])} (wanted {one['wanted']})"
            for one in report["targets"]
        ),
    ]
    return "\n\n".join(parts)


def verdict(met: bool | None) -> str:
    """What is said of a target."""
    return {True: "reached", False: "not reached", None: "not judged"}[met]


def main() -> None:
    """Print the page, cases in the order of the table of cases."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results", description="RESULTS.md from the JSON reports."
    )
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder of the JSON")
    folder = parser.parse_args().reports
    reports = [
        json.loads((folder / f"{name}.json").read_text()) for name in CASES if (folder / f"{name}.json").exists()
    ]
    if not reports:
        parser.error(f"--reports should be a folder with reports of python -m benchmarks. Received {folder}.")
    level = next(worker["cpu_level"] for one in reports for worker in one["versions"].values() if "cpu_level" in worker)
    print(HEAD.format(**reports[0]["machine"], level=level))
    for report in reports:
        print(f"\n{section(report)}")


if __name__ == "__main__":
    main()
