"""Constructor arguments as scikit-learn has them, without needing scikit-learn."""

from __future__ import annotations

import inspect
from typing import Any

from .._pickling import VersionedState


class Parameters(VersionedState):
    """`get_params`, `set_params` and a repr for classes whose constructor stores its arguments as they come."""

    @classmethod
    def _names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor arguments by name; `deep` is scikit-learn's and changes nothing here."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **parameters: Any) -> Any:
        """Set constructor arguments by name and return self; ValueError for a name that is none."""
        for name in parameters:
            if name not in self._names():
                raise ValueError(
                    f"[{type(self).__name__}] parameters are {', '.join(self._names())}. Received {name!r}."
                )
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's pipelines ask for; only they call it."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        transforms = TransformerTags() if hasattr(self, "transform") else None
        return Tags(estimator_type=None, target_tags=TargetTags(required=False), transformer_tags=transforms)

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not defaults[name]]
        return f"{type(self).__name__}({', '.join(changed)})"
