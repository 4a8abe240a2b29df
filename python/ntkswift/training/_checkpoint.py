"""Checkpoints: all that a later run needs to go on with the same bits, in one npz file."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
_MAGIC = "ntkswift training checkpoint"


def save_checkpoint(path: Any, identity: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a checkpoint; the file at `path` is the old one or the new one at every moment."""
    target = Path(path)
    header = json.dumps({"magic": _MAGIC, "format": FORMAT, "identity": identity})
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(draft, "wb") as file:
            np.savez(file, header=np.array(header), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def load_checkpoint(path: Any, identity: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint; ValueError where it is none, or of another run than `identity` says."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop("header")[()]))
        if header["magic"] != _MAGIC:
            raise KeyError("magic")
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"[train] resume must be a file that train(checkpoint=...) wrote. Received {os.fspath(path)!r}: {error}."
        ) from error
    if header["format"] != FORMAT:
        raise ValueError(
            f"[train] resume needs a checkpoint of format {FORMAT}. Received one of format {header['format']}."
        )
    _compare(header["identity"], identity)
    return arrays


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
