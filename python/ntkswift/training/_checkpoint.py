"""Checkpoints: all that a later run needs to go on with the same bits, in one npz file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .._files import load_arrays, save_arrays

FORMAT = 1
_MAGIC = "ntkswift training checkpoint"


def save_checkpoint(path: Path, identity: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a checkpoint; the file at `path` is the old one or the new one at every moment."""
    save_arrays(path, _MAGIC, {"format": FORMAT, "identity": identity}, arrays)


def load_checkpoint(path: Any, identity: dict[str, Any], expected: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint; ValueError where it is none, or of another run than `identity` and the shapes say.

    Parameters
    ----------
    expected : dict of str to ndarray
        What such a run saves at its start: names, kinds and shapes.
    """
    header, arrays = load_arrays(path, _MAGIC, "train", "resume", "train(checkpoint=...)")
    if header.get("format") != FORMAT:
        raise ValueError(
            f"[train] resume needs a checkpoint of format {FORMAT}. Received one of format {header.get('format')}."
        )
    saved = header.get("identity")
    _compare(saved if isinstance(saved, dict) else {}, identity)
    _check(arrays, expected)
    return arrays


def _check(arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """ValueError for arrays that no run of this kind saves."""
    if set(arrays) != set(expected):
        raise ValueError(f"[train] resume must hold {sorted(expected)}. Received a file with {sorted(arrays)}.")
    for name, own in expected.items():
        found, open_ended = arrays[name], name in ("records", "recorded", "validations", "best")
        if found.dtype != own.dtype or found.ndim != own.ndim or (not open_ended and found.shape != own.shape):
            raise ValueError(
                f"[train] resume must hold {name} of shape {own.shape} and dtype {own.dtype}. "
                f"Received shape {found.shape} and dtype {found.dtype}."
            )
        if name != "validations" and not np.isfinite(found).all():  # a loss on other data may have been infinite
            raise ValueError(f"[train] resume must hold finite {name}. Received NaN or infinity.")
    step, records = float(arrays["state"][0]), arrays["records"]
    if step != int(step) or not 0 <= step <= records.shape[1] <= step + 1 or len(records) != len(expected["records"]):
        raise ValueError(
            f"[train] resume must hold one record for each of its steps. Received {step:g} steps and records of shape "
            f"{records.shape}."
        )
    recorded, validations, best = arrays["recorded"], arrays["validations"], arrays["best"]
    in_order = bool((np.diff(recorded) > 0).all()) and (len(recorded) == 0 or 0 <= recorded[0] <= recorded[-1] <= step)
    if (
        not in_order
        or validations.shape not in ((0, 2), (len(recorded), 2))
        or best.shape not in ((0,), expected["start"].shape)
    ):
        raise ValueError("[train] resume must hold validations at ascending steps. Received others.")


def _compare(saved: dict[str, Any], present: dict[str, Any]) -> None:
    wanted = json.loads(json.dumps(present))
    if saved.get("network") != wanted["network"]:
        raise ValueError(
            f"[train] resume needs a checkpoint of the same network. Received one of {saved.get('network_text')} "
            f"instead of {wanted['network_text']}."
        )
    for name, value in wanted.items():
        if name != "network_text" and saved.get(name) != value:
            raise ValueError(
                f"[train] resume goes on with the same data and settings. Received {name} {_short(value)} instead of "
                f"{_short(saved.get(name))}. To go on in another way, train from history.params."
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:16] + "..."
