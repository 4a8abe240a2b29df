"""Command line: `python -m ntkswift demo`, `python -m ntkswift reproduce NAME` and `python -m ntkswift info`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from . import __version__, show_config
from ._files import try_folder

_DEMO_NEEDS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ntkswift", description="Infinitely wide neural networks.")
    parser.add_argument("--version", action="version", version=f"ntkswift {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="cross-validate infinitely wide networks on four data sets; write a report")
    demo.add_argument("--quick", action="store_true", help="two data sets, three depths, one activation")
    demo.add_argument("--output", default="reports/demo", help="report folder (default: %(default)s)")
    again = commands.add_parser("reproduce", help="compute the claims of a paper again; write a report")
    again.add_argument("name", nargs="?", metavar="NAME", help="which one; --list names them")
    again.add_argument("--list", action="store_true", help="print the names of the reproductions and what they show")
    again.add_argument("--full", action="store_true", help="the sizes of the paper instead of a minute's worth")
    again.add_argument("--data", metavar="FILE", help="a file of your own data, where the reproduction takes one")
    again.add_argument("--output", metavar="DIR", help="report folder (default: reports/reproduce/NAME)")
    again.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    commands.add_parser("info", help="print versions, CPU level, threads and memory")
    return parser


def _demo(output: str, quick: bool) -> int:
    absent = [package for module, package in _DEMO_NEEDS.items() if importlib.util.find_spec(module) is None]
    if absent:
        print(f'[demo] needs {" and ".join(absent)}. Get it with: pip install "ntkswift[demo]"', file=sys.stderr)
        return 1
    import matplotlib

    matplotlib.use("Agg")
    from .demo import run

    run(output, quick=quick)
    return 0


def _reproduce(chosen: argparse.Namespace) -> int:
    from .reproduce import REPRODUCTIONS, find

    if chosen.list or chosen.name is None:
        for entry in REPRODUCTIONS.values():
            print(f"{entry.name:<16} {entry.description} {entry.title} ({entry.source})")
        return 0 if chosen.list else 2
    if importlib.util.find_spec("matplotlib") is None:
        print('[reproduce] needs matplotlib. Get it with: pip install "ntkswift[plot]"', file=sys.stderr)
        return 1
    try:
        entry = find(chosen.name)
        entry.check(chosen.data, chosen.seed)
        folder = try_folder(chosen.output or f"reports/reproduce/{entry.name}", "reproduce", "--output")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    report = entry.run(chosen.full, data=chosen.data, seed=chosen.seed)
    print(report)
    report.write(folder)
    print(f"Report with {len(report.figures)} figures and the numbers as JSON: {folder}/")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "info":
        show_config()
        return 0
    try:
        return _demo(chosen.output, chosen.quick) if chosen.command == "demo" else _reproduce(chosen)
    except KeyboardInterrupt:
        print(f"\n[{chosen.command}] stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
