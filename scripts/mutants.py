"""How many small wrong changes the tests notice: `python scripts/mutants.py [--only WORD] [--list] [--folder F] [--output F]`.

Each entry of Tests/Mutants/*.toml is one line of the sources with a fault: a factor, a sign, a tolerance, an index, a check
that is missing. It is *noticed* where the tests of its module fail with it, *missed* where they pass. An entry with
`equivalent = "why"` cannot be noticed, and is only counted.

Everything happens in a copy of the working tree. The faults of the core are built in together, each behind a number that the
environment switches on (`NTKSWIFT_MUTANT`), so that one build in debug mode covers them all and a fault costs a run of its
tests. Those of Python are put into the copy's sources one at a time. Run by hand, on Linux; the table
goes into docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Longer than the tests of any module; a fault may also make a loop endless, and that is noticed.
TIMEOUT = 900
SWITCH = "NTKSWIFT_MUTANT"
# The number of the fault at work, for sources in C and in Swift; processor.c is in every program.
SWITCH_IN_C = f"""
#include <stdlib.h>
int32_t ntk_mutant(void) {{
  static int32_t number = -1;
  if (number < 0) number = getenv("{SWITCH}") ? atoi(getenv("{SWITCH}")) : 0;
  return number;
}}
"""
SWITCH_IN_SWIFT = '\n@_silgen_name("ntk_mutant") private func ntkMutant() -> Int32\n'


@dataclass(frozen=True)
class Mutant:
    """One fault: `before`, which stands once in `at` (that once in `file`), becomes `after`; `tests` are what should notice."""

    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    at: str = ""
    equivalent: str = ""

    @property
    def name(self) -> str:
        """The file and the change, on one line."""
        return f"{self.file}: {self.before} -> {self.after or '(nothing)'}"

    @property
    def is_swift(self) -> bool:
        """Whether it is part of the core."""
        return self.file.endswith(".swift")

    @property
    def module(self) -> str:
        """What it is counted under: the module of the core, or the package or file of Python."""
        parts = Path(self.file).parts
        return parts[1] if self.is_swift else "/".join(parts[1:3])

    def spoil(self, text: str, switch: int | None = None) -> str:
        """The source `text` with the fault; with a `switch` it is there only where that number is set."""
        place = self.at or self.before
        if text.count(place) != 1 or place.count(self.before) != 1:
            raise ValueError(f"[mutants] {place!r} must stand once in {self.file}, and hold {self.before!r} once.")
        fault = self.after
        if switch is not None and not fault:
            fault = f"if ntkMutant() != {switch} {{ {self.before} }}"
        elif switch is not None:
            fault = f"(ntkMutant() == {switch} ? ({fault}) : ({self.before}))"
        return text.replace(place, place.replace(self.before, fault))


def read_mutants() -> list[Mutant]:
    """All entries; ValueError where one does not fit the sources any more."""
    found = []
    for path in sorted((ROOT / "Tests" / "Mutants").glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
            mutant = Mutant(**{**entry, "tests": tuple(entry["tests"])})
            mutant.spoil((ROOT / mutant.file).read_text(encoding="utf-8"))
            found.append(mutant)
    return found


class Copy:
    """A copy of the working tree with builds of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_symlink():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).unlink(missing_ok=True)
                (root / name).symlink_to(os.readlink(ROOT / name))
            elif (ROOT / name).is_file():
                self.write(name, (ROOT / name).read_bytes())

    def write(self, name: str, content: bytes) -> None:
        """Puts a file there, unless it is the same: builds go by dates."""
        target = self.root / name
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod((ROOT / name).stat().st_mode)

    def run(self, *command: str, **environment: str) -> tuple[bool, str]:
        """Whether a command succeeds in time, and the end of what it prints."""
        variables = {**os.environ, "MAKEFLAGS": "", "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1", **environment}
        try:
            done = subprocess.run(
                command, cwd=self.root, env=variables, timeout=TIMEOUT, text=True, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False, f"no end within {TIMEOUT} s"
        return done.returncode == 0, done.stdout[-3000:]

    def build_core(self, mutants: dict[int, Mutant]) -> None:
        """Builds the Swift tests with all these faults, none switched on."""
        texts = {m.file: (ROOT / m.file).read_text(encoding="utf-8") for m in mutants.values()}
        for number, mutant in mutants.items():
            texts[mutant.file] = mutant.spoil(texts[mutant.file], number)
        for file, text in texts.items():
            self.write(file, (text + SWITCH_IN_SWIFT).encode())
        probe = "Sources/CNTKSwift/processor.c"
        self.write(probe, (ROOT / probe).read_bytes() + SWITCH_IN_C.encode())
        done = subprocess.run(
            ["make", "test-swift", "SWIFT_TEST_FLAGS=--filter NoSuchTests"], cwd=self.root, check=False
        )
        if done.returncode != 0:
            raise SystemExit("The faults do not compile.")

    def passes(self, word: str, number: int = 0) -> tuple[bool, str]:
        """Whether the tests of a Swift module, or under a path of pytest, pass with fault `number` of the core."""
        if word.startswith("python/"):
            # One test that fails is enough, and none may wait for the compiler.
            return self.run(".venv/bin/python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", word)
        # Not by `swift test`, which plans for seconds what it then does not build.
        (program,) = self.root.glob(".build/debug/*PackageTests.xctest")
        options = ("--testing-library", "swift-testing", "--filter", f"{word}Tests")
        return self.run(str(program), *options, **{SWITCH: str(number)})

    @contextlib.contextmanager
    def spoilt(self, mutant: Mutant) -> Iterator[None]:
        """Inside, the copy's Python has the fault."""
        original = (ROOT / mutant.file).read_text(encoding="utf-8")
        self.write(mutant.file, mutant.spoil(original).encode())
        try:
            yield
        finally:
            self.write(mutant.file, original.encode())


def outcome(copy: Copy, number: int, mutant: Mutant) -> str:
    """What the tests say about one fault."""
    if mutant.equivalent:
        return "equivalent"
    with contextlib.nullcontext() if mutant.is_swift else copy.spoilt(mutant):
        noticed = not all(copy.passes(word, number)[0] for word in mutant.tests)
    return "noticed" if noticed else "missed"


def table(results: list[tuple[Mutant, str]]) -> str:
    """The outcomes by module, as the rows of docs/accuracy.md, and those that are no success by name."""
    counts: dict[str, Counter[str]] = {}
    for mutant, found in results:
        counts.setdefault(mutant.module, Counter())[found] += 1
    lines = ["| module | faults | noticed | missed | equivalent |", "|---|---|---|---|---|"]
    total = sum(counts.values(), Counter())
    for module, count in [*sorted(counts.items()), ("all", total)]:
        tried = count["noticed"] + count["missed"]
        lines.append(f"| {module} | {tried} | {count['noticed']} | {count['missed']} | {count['equivalent']} |")
    share = total["noticed"] / max(1, total["noticed"] + total["missed"])
    lines += ["", f"Noticed: {100 * share:.0f} %.", ""]
    for mutant, found in results:
        if found != "noticed":
            lines.append(f"* {found}: `{mutant.name}`{': ' * bool(mutant.equivalent)}{mutant.equivalent}")
    return "\n".join(lines)


def main() -> int:
    """Tries the chosen entries; 1 where the tests fail without any fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", default="", help="entries whose file matches this regular expression")
    parser.add_argument("--list", action="store_true", help="show the entries, and check that each fits the sources")
    parser.add_argument("--folder", type=Path, help="keep the copy there, so that the next run builds less")
    parser.add_argument("--output", type=Path, help="where the table goes")
    arguments = parser.parse_args()
    chosen = {k: m for k, m in enumerate(read_mutants(), 1) if re.search(arguments.only, m.file)}
    if arguments.list:
        print("\n".join(m.name for m in chosen.values()))
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(arguments.folder or Path(folder))
        words = {word for m in chosen.values() if not m.equivalent for word in m.tests}
        if any(word.startswith("python/") for word in words):
            # The extension of the unspoilt core, before faults go into its sources.
            copy.run("make", ".venv/.ready-core", ".venv/.ready-test")
        core = {k: m for k, m in chosen.items() if m.is_swift}
        if core:
            copy.build_core(core)
        for word in sorted(words):
            passed, text = copy.passes(word)
            if not passed:
                print(f"{text}\nThe tests of {word} fail without any fault.")
                return 1
        results = []
        for place, (number, mutant) in enumerate(chosen.items(), 1):
            began = time.monotonic()
            results.append((mutant, outcome(copy, number, mutant)))
            print(
                f"{place}/{len(chosen)} {results[-1][1]} ({time.monotonic() - began:.0f} s)  {mutant.name}", flush=True
            )
    print("\n" + table(results))
    if arguments.output:
        arguments.output.write_text(table(results) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
