"""Print the requirements that pyproject.toml states, one a line.

python scripts/requirements.py build            what the build needs
python scripts/requirements.py test             the package's own and those of the extra `test`
python scripts/requirements.py --oldest test    the same, each at the oldest version that is allowed
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())


def requirements(group: str) -> list[str]:
    """Return the requirements of `build` or of an extra; an extra that names other extras is followed."""
    if group == "build":
        return PROJECT["build-system"]["requires"]
    project = PROJECT["project"]
    found = list(project["dependencies"])
    for line in project["optional-dependencies"][group]:
        nested = re.fullmatch(project["name"] + r"\[(.*)\]", line)
        found += [r for extra in nested[1].split(",") for r in requirements(extra)] if nested else [line]
    return list(dict.fromkeys(found))


def oldest(requirement: str) -> str:
    """Return the requirement pinned to its lower bound."""
    return requirement.replace(">=", "~=") + ".0" if requirement.count(".") == 1 else requirement.replace(">=", "==")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--oldest"]
    change = oldest if "--oldest" in sys.argv else str
    print("\n".join(dict.fromkeys(change(r) for group in arguments for r in requirements(group))))
