"""Docstrings that tools can read: scikit-learn's notebook view of an estimator parses them, and raises where it cannot."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest
from numpydoc.docscrape import NumpyDocString

import ntkswift

MODULES = [
    "ntkswift",
    *(f"ntkswift.{name}" for name in ntkswift.__all__ if inspect.ismodule(getattr(ntkswift, name))),
]


def documented(module: str) -> Iterator[tuple[str, str]]:
    """Name and docstring of everything public in a module, members of classes too."""
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if doc := inspect.getdoc(value):
            yield f"{module}.{name}", doc
        if not inspect.isclass(value):
            continue
        for member, attribute in inspect.getmembers(value):
            if not member.startswith("_") and (doc := inspect.getdoc(attribute)):
                yield f"{module}.{name}.{member}", doc


@pytest.mark.parametrize("module", MODULES)
def test_numpydoc_parses_every_docstring(module):
    pytest.importorskip("sklearn") if module.endswith("estimators") else None
    for name, doc in documented(module):
        try:
            NumpyDocString(doc)
        except Exception as error:
            pytest.fail(f"{name}: {error}")


def test_estimators_are_shown_in_notebooks():
    pytest.importorskip("sklearn")
    from ntkswift import estimators

    for make in (estimators.NTKRegressor, estimators.NNGPRegressor, estimators.NTKClassifier):
        assert make.__name__ in make()._repr_html_()
