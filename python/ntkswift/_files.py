"""Files of results: tried before the work that fills them, whole or as before at every moment, read strictly."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

__all__ = ["load_arrays", "path_of", "read_arrays", "save_arrays", "try_file", "try_folder"]


def path_of(value: Any, op: str, name: str) -> Path:
    """`value` as a path; TypeError for what is none (an integer would be a file descriptor)."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"[{op}] {name} must be a path, text or a pathlib.Path. Received {value!r}.")
    if "\0" in os.fspath(value):
        raise ValueError(f"[{op}] {name} must be a path without zero bytes. Received {value!r}.")
    return Path(value)


def try_file(value: Any, op: str, name: str, *, size: int = 0) -> Path:
    """The path of a file that can be written, with `size` bytes; an OSError that says why where it cannot.

    A file that is there stays. Of a link it is the path of the file that the link names.
    """
    path = path_of(value, op, name)
    with _said(f"[{op}] {name} must be a file that can be written. Received {str(path)!r}"):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "it is no ordinary file")
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "its folder does not exist")
        with _draft(target) as (_, file):
            _reserve(file, size)
    return target


def try_folder(value: Any, op: str, name: str) -> Path:
    """The path of a folder that can be written to, which is made where it does not exist; else an OSError that says why."""
    folder = path_of(value, op, name)
    with _said(f"[{op}] {name} must be a folder that can be written to. Received {str(folder)!r}"):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".ntkswift.part"
        probe.touch()
        probe.unlink()
    return folder


def save_arrays(target: Path, magic: str, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a header and arrays to an npz file; at every moment it is the old one or the new one."""
    text = json.dumps({"magic": magic, **header})
    with _draft(target) as (draft, file):
        np.savez(file, header=np.array(text), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
        os.replace(draft, target)


def load_arrays(
    value: Any, magic: str, op: str, name: str, writer: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays (contiguous by rows) of a file that `save_arrays` wrote.

    ValueError where it is damaged or another kind of file; OSError where it cannot be read.
    """
    wanted = f"a file that {writer} wrote, undamaged"
    arrays = read_arrays(value, op, name, wanted)
    try:
        header = json.loads(str(arrays.pop("header")[()]))
    except (KeyError, ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.pop("magic", None) != magic:
        raise ValueError(f"[{op}] {name} must be {wanted}. Received {os.fspath(value)!r} with another beginning.")
    return header, arrays


def read_arrays(value: Any, op: str, name: str, wanted: str) -> dict[str, np.ndarray]:
    """All arrays of an npz file, contiguous by rows; ValueError that it must be `wanted` where it is damaged or none."""
    path = path_of(value, op, name)
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {entry: np.asarray(archive[entry], order="C") for entry in archive.files}
        except Exception as error:  # a damaged zip archive raises a dozen kinds of exceptions
            raise ValueError(f"[{op}] {name} must be {wanted}. Received {str(path)!r}: {error}.") from error


# MARK: drafts


@contextmanager
def _draft(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """The empty file beside `target` that may take its place; removed at the end where it did not.

    It has one name for each target: what a killed run left is taken over by the next. One writer at a time has it.
    """
    draft = target.with_name(f".{target.name}.part")
    while True:
        with open(os.open(draft, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
            with suppress(OSError):  # some file systems of networks know no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _names(draft, file):  # a writer before has moved or removed what was opened here
                continue
            file.truncate(0)
            try:
                yield draft, file
            finally:
                if _names(draft, file):
                    draft.unlink()
            return


def _names(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _reserve(file: BinaryIO, size: int) -> None:
    """An OSError where the disk, a quota or a limit has no room for `size` bytes."""
    if size == 0 or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):  # others: the file system cannot tell
            raise


@contextmanager
def _said(requirement: str) -> Iterator[None]:
    """An OSError inside the block says what was required, and is of the same kind and number."""
    try:
        yield
    except OSError as error:
        told = type(error)(f"{requirement}: {error.strerror or error}.")
        told.errno = error.errno
        raise told from error
