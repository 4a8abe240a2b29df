"""Command line: `python -m ntkswift demo` and `python -m ntkswift info`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from . import __version__, show_config

_DEMO_NEEDS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ntkswift", description="Infinitely wide neural networks.")
    parser.add_argument("--version", action="version", version=f"ntkswift {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="cross-validate infinitely wide networks on four data sets; write a report")
    demo.add_argument("--quick", action="store_true", help="two data sets, three depths, one activation")
    demo.add_argument("--output", default="reports/demo", help="report folder (default: %(default)s)")
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "info":
        show_config()
        return 0
    try:
        return _demo(chosen.output, chosen.quick)
    except KeyboardInterrupt:
        print("\n[demo] stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
