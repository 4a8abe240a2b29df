"""The imports of a Python package, read from its source: who imports whom, which names, and whether inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported thing: `name` of the module `target`, or the module itself where `name` is None."""

    importer: str
    target: str
    name: str | None
    line: int
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}{'' if self.name is None else '.' + self.name}"


class Package:
    """A package's files by the names of their modules, and its imports of itself."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.files = {self._module(file, folder): file for file in sorted(folder.rglob("*.py"))}
        # The extension is no file of Python's, yet a module.
        self.modules = {*self.files, f"{self.name}._core"}
        self.imports = [found for module in self.files for found in self._imports(module)]

    def package_of(self, module: str) -> str:
        """The package that a module stands in: itself, where it is one."""
        is_package = module in self.files and self.files[module].name == "__init__.py"
        return module if is_package else module.rpartition(".")[0]

    def circles(self) -> list[list[str]]:
        """Groups of files that import each other, wherever in the files the imports stand."""
        edges: dict[str, set[str]] = {module: set() for module in self.modules}
        for found in self.imports:
            edges[found.importer].add(found.target)
        # What neither ends in a leaf nor begins at a root lies in circles or between two.
        while True:
            imported = {target for targets in edges.values() for target in targets}
            outer = [module for module, targets in edges.items() if not targets or module not in imported]
            if not outer:
                break
            for module in outer:
                del edges[module]
            for targets in edges.values():
                targets.difference_update(outer)
        reach = {module: _reached(module, edges) for module in edges}
        groups = {tuple(sorted(b for b in edges if b in reach[a] and a in reach[b])) for a in edges if a in reach[a]}
        return [list(group) for group in sorted(groups)]

    def private_names(self) -> list[Import]:
        """Imports of a name with an underscore, or from a private module, beyond the package that owns it.

        The private modules at the top are the base of all packages.
        """
        return [found for found in self.imports if self._is_private(found)]

    def _is_private(self, found: Import) -> bool:
        if found.name is not None and found.name.startswith("_") and not found.name.startswith("__"):
            return True
        parts = found.target.split(".")
        inside = (self.package_of(found.importer) + ".").startswith
        return any(
            part.startswith("_") and not inside(".".join(parts[:i]) + ".") for i, part in enumerate(parts) if i > 1
        )

    @staticmethod
    def _module(file: Path, folder: Path) -> str:
        parts = (folder.name, *file.relative_to(folder).with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _imports(self, module: str) -> Iterator[Import]:
        tree = ast.parse(self.files[module].read_text(encoding="utf-8"))
        for node, inside in _import_nodes(tree, False):
            if isinstance(node, ast.Import):
                pairs: list[tuple[str, str | None]] = [(alias.name, None) for alias in node.names]
            else:
                base = self._base(module, node)
                pairs = [(base, alias.name) for alias in node.names]
            for target, name in pairs:
                if name is not None and f"{target}.{name}" in self.modules:
                    target, name = f"{target}.{name}", None
                if target in self.modules:
                    yield Import(module, target, name, node.lineno, inside)

    def _base(self, module: str, node: ast.ImportFrom) -> str:
        if node.level == 0:
            return node.module or ""
        above = self.package_of(module).split(".")
        return ".".join(above[: len(above) - node.level + 1] + ([node.module] if node.module else []))


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(edges[module])
    return seen


def _import_nodes(node: ast.AST, inside: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import under a node but those for type checkers, and whether a function surrounds it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield from _import_nodes(ast.Module([other], []), inside)
        elif isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, inside
        else:
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _import_nodes(child, inside or is_function)
