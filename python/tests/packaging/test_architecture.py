"""The arrows of the architecture: a module imports only modules above it in the list."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from python_imports import Package

from ntkswift.reproduce import REPRODUCTIONS

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
    "KernelOperators",
    "TrainingRegimes",
    "Spectra",
    "CAPI",
]
# What may come from outside; no Foundation, no Dispatch, no Concurrency (size, link trouble, fork).
SWIFT_SYSTEM = {"Glibc", "Musl", "Darwin", "Synchronization", "Builtin", "Swift"}

PYTHON_ORDER = [
    "_core",
    "_errors",
    "_files",
    "_pickling",
    "_arrays",
    "_checks",
    "_labels",
    "_modes",
    "_norm",
    "_random",
    "_config",
    "_progress",
    "_call",
    "_kernel_matrix",
    "_show",
    "kernel",
    "stax",
    "_networks",
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
    "curvature",
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


def test_every_python_module_has_its_place():
    assert set(python_modules()) <= set(PYTHON_ORDER)


@pytest.fixture(scope="module")
def package() -> Package:
    return Package(PYTHON_PACKAGE)


def room(module: str) -> str:
    """The top-level module of ntkswift that a module belongs to."""
    return "__init__" if module == "ntkswift" else module.split(".")[1]


def test_python_imports_point_up(package):
    # What the package's own __init__ offers may be imported by those that it does not import.
    down = [
        str(found)
        for found in package.imports
        if room(found.target) not in ("__init__", room(found.importer))
        and PYTHON_ORDER.index(room(found.target)) > PYTHON_ORDER.index(room(found.importer))
    ]
    assert not down


def test_python_has_no_circle(package):
    assert not package.circles()


def test_python_imports_no_private_name_of_others(package):
    assert not [str(found) for found in package.private_names()]


# Rooms that load when somebody draws (plotting), or when the command line has chosen (demo, reproduce).
LATE = {"plotting", "demo", "reproduce"}


def test_imports_inside_functions_make_something_heavy_late(package):
    inside = [found for found in package.imports if found.inside_function]
    assert not [str(found) for found in inside if room(found.target) not in LATE]


def test_reproductions_use_the_public_api(package):
    folders = {f"ntkswift.reproduce.{entry.folder}" for entry in REPRODUCTIONS.values()}
    assert {f.parent.name for f in PYTHON_PACKAGE.glob("reproduce/*/claims.py")} == {f.split(".")[-1] for f in folders}
    for found in package.imports:
        if package.package_of(found.importer) not in folders or found.target.startswith("ntkswift.reproduce"):
            continue
        assert not any(part.startswith("_") for part in found.target.split(".")), str(found)
        if found.name is not None:
            module = importlib.import_module(found.target)
            assert found.name in getattr(module, "__all__", ()), str(found)


# ---------------------------------------------------------------- the reader of imports itself


def written(folder: Path, **files: str) -> Package:
    """A package `toy` of these files (double underscores part folders)."""
    for name, text in files.items():
        file = folder / "toy" / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        for parent in [file.parent, *file.parent.parents][: name.count("__") + 1]:
            (parent / "__init__.py").touch()
    return Package(folder / "toy")


def test_reader_sees_a_circle_through_a_function(tmp_path):
    toy = written(
        tmp_path,
        a="from . import b",
        b="def f():\n    from .c import g",
        c="import toy.a\nfrom .d import x",
        d="x = 1",
        e="from . import a",
    )
    assert toy.circles() == [["toy.a", "toy.b", "toy.c"]]
    assert [found.inside_function for found in toy.imports if found.importer == "toy.b"] == [True]


def test_reader_parts_circles_that_touch(tmp_path):
    toy = written(tmp_path, a="from . import b", b="from . import a, c", c="from . import d", d="from . import c")
    assert toy.circles() == [["toy.a", "toy.b"], ["toy.c", "toy.d"]]


def test_reader_passes_by_what_is_for_type_checkers(tmp_path):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import b\nelse:\n    from . import c\n"
    toy = written(tmp_path, a=text, b="from . import a", c="")
    assert not toy.circles()
    assert {found.target for found in toy.imports} == {"toy.a", "toy.c"}


@pytest.mark.parametrize(
    ("importer", "text", "is_private"),
    [
        ("_base", "from .one import _hidden", True),
        ("one__a", "from ..two._file import name", True),
        ("one__a", "from ..two import _file", True),
        ("one__a", "from ..two import name", False),
        ("one__a", "from .._base import name", False),
        ("one__a", "from .. import _base", False),
        ("one__a", "from ._own import name", False),
        ("one__a", "from ._own import _name", True),
        ("one__deep__a", "from .._own import name", False),
        ("two__a", "from ..one.deep._file import name", True),
        ("one__a", "from toy.two._file import name", True),
    ],
)
def test_reader_knows_private_names(tmp_path, importer, text, is_private):
    files = {"_base": "", "one___own": "", "two___file": "", "one__deep___file": "", "one__b": "", importer: text}
    assert bool(written(tmp_path, **files).private_names()) == is_private
