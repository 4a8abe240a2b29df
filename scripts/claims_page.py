"""Print the claims of a reproduction as a Markdown table.

python scripts/claims_page.py reports/reproduce/NAME/report.json > docs/reproductions/NAME.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def row(number: int, claim: dict[str, str]) -> str:
    """Return a claim as a row: the sentence, theory, measurement with its spread, verdict."""
    spread = f" (spread {claim['spread']})" if claim["spread"] else ""
    cells = [
        str(number),
        claim["text"],
        claim["predicted"],
        claim["measured"] + spread,
        claim["verdict"],
        claim["note"],
    ]
    return "| " + " | ".join(cell.replace("|", "&#124;") for cell in cells) + " |"


def page(report: dict) -> str:
    """Return the whole page."""
    settings = ", ".join(f"{key} {value}" for key, value in report["settings"].items())
    size = "full sizes, `--full`" if report["full"] else "default sizes"
    agreed = sum(claim["verdict"] == "agrees" for claim in report["claims"])
    lines = [
        f"# {report['name']}",
        f"\n{report['title']} ({report['source']}).",
        f"\nWritten by `python -m ntkswift reproduce {report['name']}` ({size}; {settings}; seed {report['seed']}) and",
        f"`scripts/claims_page.py`: {agreed} of {len(report['claims'])} claims agree.",
        "\n| | claim | theory | measured | verdict | note |\n|---|---|---|---|---|---|",
        *(row(number, claim) for number, claim in enumerate(report["claims"], 1)),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
