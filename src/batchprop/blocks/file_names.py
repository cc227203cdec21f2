"""Names of files: globs, folders and lists, in natural order."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batchprop.validation import file_name
from batchprop.validation.error_text import described, message, written

EXTENSIONS = {
    "npy": (".npy",),
    "parquet": (".parquet", ".parq", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "hdf5": (".h5", ".hdf5", ".hdf"),
    "zarr": (".zarr",),
}
"""Extensions of each format, with which its files in a folder are recognised."""

_ZARR_FILES = ("zarr.json", ".zarray", ".zgroup")


def matching_files(files: Any, extensions: Iterable[str], name: str = "files") -> tuple[Path, ...]:
    """Return absolute paths of existing files.

    Parameters
    ----------
    files : str, path-like, or sequence of them
        Each is a file, a folder, of which all files with one of the extensions are taken, in
        subfolders as well, or a pattern with ``*``, ``?``, ``[…]`` or ``**``.
    extensions : iterable of str
        Extensions of the files that are taken from a folder.
    name : str
        The argument's name, for messages.

    Returns
    -------
    tuple of Path
        Files in the order of the sequence; those of a folder or pattern in natural order, in which
        part-2 comes before part-10.

    Raises
    ------
    TypeError, ValueError
        The argument is no name of a file, or nothing matches it.
    """
    extensions = tuple(extensions)
    paths: list[Path] = []
    for pattern in _patterns(files, name):
        try:
            matches = _matches(pattern, extensions)
        except OSError as error:  # the name is too long, for example
            remedy = "Check the name."
            got = f"{written(str(pattern))}: {error.strerror}"
            raise ValueError(message(name, "name files", got, remedy)) from None
        if not matches:
            raise ValueError(_no_match(pattern, extensions, name))
        paths += matches
    return tuple(Path(os.path.abspath(path)) for path in paths)


def shown(path: str | os.PathLike[str]) -> str:
    """Return a path for messages: from the current folder if it is below that."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return os.fspath(path) if relative.startswith(os.pardir) else relative


def natural_key(path: Path) -> list[tuple[bool, int, str]]:
    """Return a sort key in which numbers inside a name count as numbers."""
    pieces = re.split(r"(\d+)", str(path))
    return [(i % 2 == 0, int(piece) if i % 2 else 0, piece) for i, piece in enumerate(pieces)]


def _patterns(files: Any, name: str) -> list[Path]:
    """Return the elements of the argument, each a checked name."""
    if isinstance(files, str | os.PathLike):
        return [file_name(name, files)]
    remedy = 'Pass, for example, "data/*.parquet", or a list of names.'
    try:
        patterns = [file_name(name, each) for each in files]
    except TypeError:
        expected = "be the name of a file or a list of names"
        raise TypeError(message(name, expected, described(files), remedy)) from None
    if not patterns:
        raise ValueError(message(name, "name at least one file", "an empty list", remedy))
    return patterns


def _matches(pattern: Path, extensions: tuple[str, ...]) -> list[Path]:
    """Return the files that a name stands for."""
    if pattern.is_dir() and not is_zarr(pattern):
        return sorted(_files_in(pattern, extensions), key=natural_key)
    if pattern.exists():
        return [pattern]
    names = (Path(each) for each in glob.glob(str(pattern), recursive=True))
    return sorted((path for path in names if path.is_file() or is_zarr(path)), key=natural_key)


def _files_in(folder: Path, extensions: tuple[str, ...]) -> Iterable[Path]:
    """Yield the files of a folder and its subfolders, without those that tools hide."""
    for path in folder.iterdir():
        if path.name.startswith((".", "_")):
            continue
        if path.suffix.lower() in extensions:
            yield path
        elif path.is_dir() and not is_zarr(path):
            yield from _files_in(path, extensions)


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a Zarr group or array."""
    return path.is_dir() and any((path / name).exists() for name in _ZARR_FILES)


def _no_match(pattern: Path, extensions: tuple[str, ...], name: str) -> str:
    """Return the message for a name without a file."""
    if pattern.is_dir():
        expected = f"have files with the extension {' or '.join(extensions)}"
        got = f"the folder {str(pattern)!r} without any"
        return message(name, expected, got, "Check the name, or pass the files as a list.")
    remedy = f"The current folder is {os.getcwd()!r}: check the name."
    if re.match(r"\w\w+:", str(pattern)):
        remedy = "Only files are read: pass Blocks an object that reads the address, or copy it."
    elif pattern.parts[:1] and pattern.parts[0].startswith("~"):
        remedy = "Pass os.path.expanduser of that name: only a shell knows what ~ is."
    return message(name, "match at least one file", repr(str(pattern)), remedy)
