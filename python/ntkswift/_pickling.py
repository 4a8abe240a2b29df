"""Pickles that know which version wrote them."""

from __future__ import annotations

import warnings
from typing import Any

from . import _core
from ._errors import InconsistentVersionWarning

_KEY = "_ntkswift_version"


class VersionedState:
    """Estimators whose pickles hold the version of ntkswift, and warn where another one reads them."""

    def __getstate__(self) -> dict[str, Any]:
        inherited = getattr(super(), "__getstate__", None)
        state = inherited() if inherited is not None else vars(self)
        return {**(state or {}), _KEY: _core.version()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        written = state.get(_KEY, "before 0.1.0")
        if written != _core.version():
            warnings.warn(
                f"[{type(self).__name__}] this pickle was written by ntkswift {written} and is read by "
                f"{_core.version()}: its results may differ. Fit the estimator again to be safe.",
                InconsistentVersionWarning,
                stacklevel=2,
            )
        own = {name: value for name, value in state.items() if name != _KEY}
        inherited = getattr(super(), "__setstate__", None)
        if inherited is not None:
            inherited(own)
        else:
            vars(self).update(own)
