"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_TOKEN = 8  # random bytes in the name of a file that is not finished


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to one .npz file; the file of that name is the old one or the new one.

    The arrays go to a file beside it, which takes the name only when all of it is on the disk.
    The process may be killed at any moment and the machine may lose power: a reader never sees a
    part of a file.

    Parameters
    ----------
    path : str or path-like
        The file's name, taken as it is; an existing file is replaced.
    arrays : mapping of str to ndarray
        Name -> array; no array of Python objects.

    Raises
    ------
    OSError
        The file cannot be written; the old one is as it was.
    """
    place = Path(path)
    beside = place.with_name(f".{place.name}.{secrets.token_hex(_TOKEN)}")
    try:
        with open(beside, "xb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(place.parent)


def remove_unfinished(path: str | os.PathLike[str]) -> None:
    """Remove what writers of this file left beside it when they were killed."""
    place = Path(path)
    ours = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{{2 * _TOKEN}}}")
    with contextlib.suppress(OSError):  # litter is no reason to fail
        for entry in list(place.parent.iterdir()):
            if ours.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders, some file systems sync none
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
