"""Checks of file names: for reading and for writing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from batchprop.validation.error_text import described, message

_EXPECTED = "be the name of a file"


def file_name(name: str, value: object) -> Path:
    """Return a file name as a path; whether the file exists is not checked."""
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
    """Return the path of a file that can be written: its folder exists, and it is not a folder."""
    path = file_name(name, value)
    folder = Path(os.path.realpath(path)).parent  # of the target, if it is a symbolic link
    if not folder.is_dir():
        missing_folder = folder if path.is_symlink() else path.parent
        remedy = f"Make {str(missing_folder)!r} first."
        if path.parts[0].startswith("~"):
            remedy = "Pass os.path.expanduser of that name: only a shell knows what ~ is."
        elif any(
            above.exists() and not above.is_dir()
            for above in (missing_folder, *missing_folder.parents)
        ):
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
        raise ValueError(message(name, _EXPECTED, f"{str(path)!r}, {file_type(mode)}", remedy))
    return path


def file_type(mode: int) -> str:
    """Return the type of a file that is neither regular nor a folder, from its ``st_mode``."""
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
