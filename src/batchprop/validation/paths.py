"""Checks of names of files: what may be opened, and what may be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from batchprop.validation.error_text import described, message

_EXPECTED = "be the name of a file"


def file_name(name: str, value: object) -> Path:
    """Return the path that a user names; whether there is such a file is seen when it is opened."""
    try:
        text = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str):
        remedy = "Pass a string or a pathlib.Path."
        raise TypeError(message(name, _EXPECTED, described(value), remedy))
    if not text:
        remedy = "Pass, for example, 'run.npz'."
        raise ValueError(message(name, _EXPECTED, "an empty string", remedy))
    try:
        unusable = b"\0" in os.fsencode(text)
    except UnicodeEncodeError:
        unusable = True
    if unusable:
        remedy = "Leave out null characters and what the file system cannot encode."
        raise ValueError(message(name, _EXPECTED, described(text), remedy))
    return Path(text)


def file_path(name: str, value: object) -> Path:
    """Return the path of a file that may be written: its folder is there, and it is no folder."""
    path = file_name(name, value)
    folder = Path(os.path.realpath(path)).parent  # of the file that a symbolic link points to
    if not folder.is_dir():
        wanted = folder if path.is_symlink() else path.parent
        remedy = f"Make {str(wanted)!r} first."
        if path.parts[0].startswith("~"):
            remedy = "Pass os.path.expanduser of that name: only a shell knows what ~ is."
        elif any(above.exists() and not above.is_dir() for above in (wanted, *wanted.parents)):
            remedy = "One of its folders is a file: pass another name."
        raise ValueError(message(name, "be in a folder that exists", repr(str(path)), remedy))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return path
    if stat.S_ISDIR(mode):
        remedy = "Add the name of a file in it."
        raise ValueError(message(name, _EXPECTED, f"the folder {str(path)!r}", remedy))
    if not stat.S_ISREG(mode):
        remedy = "Pass the name of a file on a disk."
        raise ValueError(message(name, _EXPECTED, f"{str(path)!r}, {kind_of(mode)}", remedy))
    return path


def kind_of(mode: int) -> str:
    """Return what a path names that is neither a file nor a folder, from its ``st_mode``."""
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
