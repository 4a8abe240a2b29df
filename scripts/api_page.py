"""Print docs/api.md: every public name with the first sentence of its docstring.

python scripts/api_page.py > docs/api.md
"""

from __future__ import annotations

import inspect
import re
import types

import ntkswift


def modules() -> list[types.ModuleType]:
    """Return the package and its public modules, in the order in which they are named."""
    values = [getattr(ntkswift, name) for name in ntkswift.__all__]
    return [ntkswift, *(value for value in values if isinstance(value, types.ModuleType))]


def signature(name: str, value: object) -> str:
    """Return the name with its arguments, annotations left out; modules and classes without a signature as they are."""
    if isinstance(value, types.ModuleType) or not callable(value):
        return name
    try:
        known = inspect.signature(value)
    except (TypeError, ValueError):
        return name
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in known.parameters.values()]
    return name + str(known.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def sentence(value: object) -> str:
    """Return the first sentence of a docstring as one line."""
    paragraph = (inspect.getdoc(value) or "").split("\n\n")[0]
    line = " ".join(paragraph.split()).replace("|", "\\|")
    return re.split(r"(?<=[^.]{3}\.) ", line)[0]


def main() -> None:
    """Print the page."""
    print("# Public names\n\nWritten by `scripts/api_page.py`; `help(name)` in Python tells more.")
    for module in modules():
        print(f"\n## `{module.__name__}`\n\n{sentence(module)}\n\n| name | what it is |\n|---|---|")
        for name in sorted(module.__all__):
            value = getattr(module, name)
            print(f"| `{signature(name, value)}` | {sentence(value)} |".replace("\\|", "&#124;"))


if __name__ == "__main__":
    main()
