"""Checks of names of files."""

from __future__ import annotations

import os
from pathlib import Path

from batchprop.validation.messages import described, message


def file_path(name: str, value: object) -> Path:
    """Return the path of a file that may be written: its folder is there, and it is no folder."""
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        remedy = "Pass a string or a pathlib.Path."
        raise TypeError(message(name, "be the name of a file", described(value), remedy))
    path = Path(value)
    if path.is_dir():
        remedy = "Add the name of a file in it."
        raise ValueError(message(name, "be the name of a file", f"the folder {path}", remedy))
    if not path.parent.is_dir():
        remedy = f"Make {str(path.parent)!r} first."
        raise ValueError(message(name, "be in a folder that exists", repr(str(path)), remedy))
    return path
