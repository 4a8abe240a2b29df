"""The arrows of the architecture: a module imports only modules above it in the list."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SWIFT_ORDER = [
    "CNTKSwift",
    "COpenBLAS",
    "CVectorSeeds",
    "NumericCore",
    "Activations",
    "LinearAlgebra",
    "Dynamics",
    "VectorKernels",
    "Architectures",
    "InfiniteWidth",
    "FiniteWidth",
    "KernelMethods",
    "TrainingRegimes",
    "Spectra",
    "CAPI",
]
# What may come from outside; no Foundation, no Dispatch, no Concurrency (size, link trouble, fork).
SWIFT_SYSTEM = {"Glibc", "Musl", "Darwin", "Synchronization", "Builtin", "Swift"}

PYTHON_ORDER = [
    "_core",
    "_errors",
    "_arrays",
    "_norm",
    "_random",
    "_config",
    "_progress",
    "_show",
    "kernel",
    "stax",
    "operators",
    "solvers",
    "empirical",
    "parametrizations",
    "predict",
    "estimators",
    "spectra",
    "plotting",
    "_runs",
    "training",
    "regimes",
    "trajectory",
    "hierarchy",
    "demo",
    "reproduce",
    "__init__",
    "__main__",
]
PYTHON_PACKAGE = ROOT / "python" / "ntkswift"
SWIFT_IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)]*\))?[ \t]+)*(?:(?:public|internal|private|package)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|func|protocol|typealias|let|var)[ \t]+)?(\w+)",
    re.M,
)


def swift_modules() -> list[Path]:
    return sorted(p for p in (ROOT / "Sources").iterdir() if p.is_dir())


def test_every_swift_module_has_its_place():
    assert {p.name for p in swift_modules()} == set(SWIFT_ORDER)


@pytest.mark.parametrize("module", SWIFT_ORDER)
def test_swift_imports_point_up(module):
    above = set(SWIFT_ORDER[: SWIFT_ORDER.index(module)])
    for file in (ROOT / "Sources" / module).rglob("*.swift"):
        for name in SWIFT_IMPORT.findall(file.read_text(encoding="utf-8")):
            family = "VectorKernels" if name.startswith("VectorKernel") else name
            own_part = family == module
            assert own_part or family in above or name in SWIFT_SYSTEM, f"{file.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("module", [m for m in SWIFT_ORDER if m not in ("CNTKSwift", "COpenBLAS", "CVectorSeeds")])
def test_swift_modules_say_what_they_are(module):
    assert (ROOT / "Sources" / module / "README.md").is_file()


def python_modules() -> dict[str, list[Path]]:
    """Return the files of each top-level module of the package."""
    found: dict[str, list[Path]] = {}
    for file in sorted(PYTHON_PACKAGE.rglob("*.py")):
        found.setdefault(file.relative_to(PYTHON_PACKAGE).parts[0].removesuffix(".py"), []).append(file)
    return found


def package_imports(file: Path) -> set[str]:
    """Return the top-level modules of ntkswift that a file imports anywhere but under `if TYPE_CHECKING`."""
    depth = len(file.relative_to(PYTHON_PACKAGE).parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "ntkswift":
            parts = (node.module or "").split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("ntkswift.")}
    return names


def test_every_python_module_has_its_place():
    assert set(python_modules()) <= set(PYTHON_ORDER)


@pytest.mark.parametrize("module", [m for m in PYTHON_ORDER if m not in ("_core", "__init__", "__main__")])
def test_python_imports_point_up(module):
    above = set(PYTHON_ORDER[: PYTHON_ORDER.index(module)])
    for file in python_modules().get(module, []):
        wrong = {name for name in package_imports(file) if name in PYTHON_ORDER} - above - {module}
        assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}"
