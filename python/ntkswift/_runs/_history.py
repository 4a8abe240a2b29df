"""What was recorded while something was trained."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .._files import load_arrays, path_of, save_arrays, try_file

_MAGIC = "ntkswift history"
_KINDS: dict[str, Any] = {
    "np.ndarray": np.ndarray, "int": int, "float": (int, float), "str": str, "dict[str, Any]": dict, "None": type(None),
}  # fmt: skip


@dataclass(repr=False)
class History:
    """One training run. Classes of their own add named columns to it.

    Attributes
    ----------
    loss : ndarray
        The loss before each step: that of the step's batch, or of all inputs where a step takes all. One entry more than
        steps where the loss at the end is known.
    learning_rate : ndarray
        The learning rate of each step; of gradient flow the length of the step in time.
    time : ndarray
        When each loss was measured, as `clock` says.
    steps : int
        Whole steps done.
    stopped : {"finished", "threshold", "patience", "callback", "interrupted", "diverged", "failed"}
        Why training ended.
    recorded : ndarray of int
        Steps after which more than the loss was measured.
    settings : dict
        How it was trained, as text and numbers.
    clock : {"step", "time"}
        What `time` counts: steps; or time, of gradient flow, or of gradient descent its learning rate times the steps.
    """

    loss: np.ndarray
    learning_rate: np.ndarray
    time: np.ndarray
    steps: int
    stopped: str
    recorded: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    settings: dict[str, Any] = field(default_factory=dict)
    clock: str = "step"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.stopped == "interrupted"

    @property
    def diverged(self) -> bool:
        """Whether the loss left the finite numbers, or grew beyond every bound."""
        return self.stopped == "diverged"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses; returns the `ntkswift.plotting.TrainingDisplay`, whose `ax_` and `figure_` are set."""
        from ..plotting import TrainingDisplay

        return TrainingDisplay.from_history(self).plot(ax)

    def to_json(self, path: str | Path | None = None) -> str:
        """Numbers, text and one-dimensional arrays as JSON text; written to `path` where that is given."""
        record: dict[str, Any] = {}
        for name, value in self._parts().items():
            if not isinstance(value, np.ndarray):
                record[name] = _plain(value) if isinstance(value, float) else value
            elif value.ndim == 1:
                record[name] = [_plain(number) for number in value.tolist()]
        text = json.dumps(record, allow_nan=False)
        if path is not None:
            path_of(path, f"{type(self).__name__}.to_json", "path").write_text(text + "\n", encoding="utf-8")
        return text

    def save(self, path: str | Path) -> None:
        """Write everything to an npz file that `load` reads; parameters one after the other as `parameter_0`, ..."""
        parts = self._parts()
        arrays = {name: value for name, value in parts.items() if isinstance(value, np.ndarray)}
        leaves: list[np.ndarray] = []
        header = {
            "class": type(self).__name__,
            "values": {name: value for name, value in parts.items() if name not in arrays},
            "params": _nesting(getattr(self, "params", None), leaves),
        }
        arrays |= {f"parameter_{i}": leaf for i, leaf in enumerate(leaves)}
        save_arrays(try_file(path, f"{type(self).__name__}.save", "path"), _MAGIC, header, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Any:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            Where the file is damaged, none, or that of another kind of history.
        """
        op = f"{cls.__name__}.load"
        header, arrays = load_arrays(path, _MAGIC, op, "path", "save")
        kinds = {kind.__name__: kind for kind in (cls, *_descendants(cls))}
        name = str(header.get("class"))
        if name not in kinds:
            raise ValueError(f"[{op}] needs a file of a {cls.__name__}. Received one of a {name}.")
        kind = kinds[name]
        try:
            values = {
                **header["values"],
                **{entry: a for entry, a in arrays.items() if not entry.startswith("parameter_")},
            }
            if any(f.name == "params" for f in fields(kind)):
                values["params"] = _nested(header["params"], arrays)
            history = kind(**values)
            _check(history)
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"[{op}] path must hold a whole {kind.__name__}. Received {str(path)!r}: {error}."
            ) from error
        return history

    def _parts(self) -> dict[str, Any]:
        """All attributes but the parameters."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "params"}

    def __repr__(self) -> str:
        last = f", loss={self.loss[-1]:.6g}" if len(self.loss) else ""
        return f"{type(self).__name__}({self.steps} steps, stopped={self.stopped!r}{last})"


def _plain(value: Any) -> Any:
    """A number for JSON, which knows no infinities."""
    return value if np.isfinite(value) else None


def _nesting(params: Any, leaves: list[np.ndarray]) -> Any:
    """The nesting of parameters as lists with the numbers of their arrays, which are appended to `leaves`."""
    if params is None:
        return None
    if isinstance(params, (tuple, list)):
        return [_nesting(part, leaves) for part in params]
    leaves.append(np.asarray(params))
    return len(leaves) - 1


def _nested(nesting: Any, arrays: dict[str, np.ndarray]) -> Any:
    if nesting is None:
        return None
    return (
        tuple(_nested(part, arrays) for part in nesting)
        if isinstance(nesting, list)
        else arrays[f"parameter_{nesting}"]
    )


def _check(history: History) -> None:
    """TypeError for an attribute that is not of the kind that its annotation names."""
    for f in fields(history):
        value, allowed = getattr(history, f.name), str(f.type).split(" | ")
        fits = any(kind not in _KINDS or isinstance(value, _KINDS[kind]) for kind in allowed)
        is_text = isinstance(value, np.ndarray) and value.dtype.kind not in "biuf"
        if not fits or is_text or (f.name in ("loss", "learning_rate", "time", "recorded") and value.ndim != 1):
            raise TypeError(f"{f.name} is no {f.type}")


def _descendants(kind: type[History]) -> list[type[History]]:
    found: list[type[History]] = []
    for child in kind.__subclasses__():
        found += [child, *_descendants(child)]
    return found
