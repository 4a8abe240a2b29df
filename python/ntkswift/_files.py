"""Files of results: tried before the work that fills them, whole or as before at every moment, read strictly."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load_arrays", "path_of", "save_arrays", "try_file", "try_folder"]


def path_of(value: Any, op: str, name: str) -> Path:
    """`value` as a path; TypeError for what is none (an integer would be a file descriptor)."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"[{op}] {name} must be a path, text or a pathlib.Path. Received {value!r}.")
    if "\0" in os.fspath(value):
        raise ValueError(f"[{op}] {name} must be a path without zero bytes. Received {value!r}.")
    return Path(value)


def try_file(value: Any, op: str, name: str) -> Path:
    """The path of a file that can be written; an OSError that says why where it cannot. A file that is there stays."""
    target = path_of(value, op, name)
    if target.is_dir():
        raise IsADirectoryError(f"[{op}] {name} must be a file. Received the folder {str(target)!r}.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"[{op}] {name} must be a file in a folder that exists. Received {str(target)!r}.")
    draft = _draft(target)
    try:
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise type(error)(
            f"[{op}] {name} must be a file that can be written. Received {str(target)!r}: {error}."
        ) from error
    return target


def try_folder(value: Any, op: str, name: str) -> Path:
    """The path of a folder that can be written to, which is made where it does not exist; else an OSError that says why."""
    folder = path_of(value, op, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".ntkswift.part"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise type(error)(
            f"[{op}] {name} must be a folder that can be written to. Received {str(folder)!r}: {error}."
        ) from error
    return folder


def save_arrays(target: Path, magic: str, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a header and arrays to an npz file; at every moment it is the old one or the new one."""
    text = json.dumps({"magic": magic, **header})
    draft = _draft(target)
    try:
        with open(draft, "wb") as file:
            np.savez(file, header=np.array(text), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def load_arrays(
    value: Any, magic: str, op: str, name: str, writer: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file that `save_arrays` wrote.

    ValueError where it is damaged or another kind of file; OSError where it cannot be read.
    """
    path = path_of(value, op, name)
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {entry: archive[entry] for entry in archive.files}
            header = json.loads(str(arrays.pop("header")[()]))
            if not isinstance(header, dict) or header.pop("magic", None) != magic:
                raise ValueError("it has another beginning")
        except Exception as error:  # a damaged zip archive raises a dozen kinds of exceptions
            raise ValueError(
                f"[{op}] {name} must be a file that {writer} wrote, undamaged. Received {str(path)!r}: {error}."
            ) from error
    return header, arrays


def _draft(target: Path) -> Path:
    # One name for each target: what a killed run left behind is overwritten by the next one.
    return target.with_name(f".{target.name}.part")
