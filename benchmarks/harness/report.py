"""Tables, targets and the JSON report of a case."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Table:
    """A title, column names and rows of text and numbers."""

    title: str
    columns: list[str]
    rows: list[list[Any]]

    def __str__(self) -> str:
        """A Markdown table with aligned columns."""
        cells = [self.columns] + [[show(value) for value in row] for row in self.rows]
        widths = [max(len(row[k]) for row in cells) for k in range(len(self.columns))]
        aligned = [
            [cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths))]
            for row in cells
        ]
        rule = ["-" * w if k == 0 else "-" * (w - 1) + ":" for k, w in enumerate(widths)]
        lines = ["| " + " | ".join(row) + " |" for row in [aligned[0], rule, *aligned[1:]]]
        return "\n".join([f"**{self.title}**", "", *lines])


def show(value: Any) -> str:
    """A number with three or four significant digits; an empty cell for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


@dataclass(frozen=True)
class Target:
    """A figure that a case has to reach. ``measured`` is None where it was not measured (no peers)."""

    text: str
    measured: float | None
    sign: str
    bound: float
    judged: bool = True

    @property
    def met(self) -> bool | None:
        """Whether it was reached, or None where that cannot be said."""
        if self.measured is None or not self.judged:
            return None
        return bool(COMPARE[self.sign](self.measured, self.bound))

    def __str__(self) -> str:
        verdict = {True: "reached", False: "NOT REACHED", None: "not judged"}[self.met]
        return f"{verdict:11s}  {self.text}: {show(self.measured) or '-'} (wanted {self.sign} {self.bound:g})"


@dataclass
class Report:
    """What a case hands back."""

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.tables), "\n".join(map(str, self.targets))]).strip()

    def write(self, path: Path, about: dict[str, Any]) -> None:
        """Writes everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tables = [{"title": one.title, "columns": one.columns, "rows": one.rows} for one in self.tables]
        targets = [
            {"text": one.text, "measured": one.measured, "wanted": f"{one.sign} {one.bound:g}", "met": one.met}
            for one in self.targets
        ]
        path.write_text(json.dumps(about | {"tables": tables, "targets": targets, "figures": self.figures}, indent=1))
