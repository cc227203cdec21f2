"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.files import temporary_file

try:
    import fcntl
except ImportError:  # Windows
    _FULL_SYNC = None
else:
    _FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # macOS alone has it

_WINDOWS = sys.platform == "win32"
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds between attempts to take a name
_PERMISSIONS = 0o7777


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to one .npz file; the file of that name is the old one or the new one.

    The arrays go to a file beside it, which takes the name only when all of it is on the disk.
    The process may be killed at any moment and the machine may lose power: a reader never sees a
    part of a file.

    Parameters
    ----------
    path : str or path-like
        The file's name, taken as it is.  An existing file is replaced, and the new one has its
        permissions.  Where the name is a symbolic link, the file it points to is replaced.
    arrays : mapping of str to ndarray
        Name -> array; no array of Python objects.

    Raises
    ------
    TypeError, ValueError
        ``path`` is no name of a file.
    OSError
        The file cannot be written, with ``path`` as its name; the old one is as it was.
    """
    named = validation.file_name("path", path)
    try:
        _write(Path(os.path.realpath(named)), arrays)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(named)) from None


def _write(place: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write to a file beside ``place``, and give it that name."""
    before = _status(place)
    beside, file = temporary_file.opened(place, 0o666 if before is None else 0o600)
    try:
        with file:
            if before is not None:
                _make_like(file.fileno(), before)
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            _sync(file.fileno())
            if not _WINDOWS:  # which renames no open file; elsewhere the lock holds until then
                os.replace(beside, place)
        if _WINDOWS:
            _replace_when_free(beside, place)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(place.parent)


def _status(place: Path) -> os.stat_result | None:
    """Return the status of the file that will be replaced; refuse what is no file."""
    try:
        found = os.stat(place)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    if not stat.S_ISREG(found.st_mode):
        told = f"Not a file but {validation.kind_of(found.st_mode)}"
        raise OSError(errno.EINVAL, told, str(place))
    return found


def _make_like(number: int, before: os.stat_result) -> None:
    """Give an open file the owner, where that is allowed, and the permissions of another."""
    if not hasattr(os, "fchown"):
        return
    now = os.fstat(number)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        for owner, group in ((before.st_uid, before.st_gid), (-1, before.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(number, owner, group)
                break
    with contextlib.suppress(OSError):  # some file systems have no permissions
        os.fchmod(number, before.st_mode & _PERMISSIONS)


def _replace_when_free(beside: Path, place: Path) -> None:
    """Give a file its name on Windows, which refuses that while another process reads the old."""
    for pause in _PAUSES:
        try:
            os.replace(beside, place)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(beside, place)


def _sync(number: int) -> None:
    """Bring an open file to the disk; on macOS ``fsync`` leaves it in the disk's own memory."""
    if _FULL_SYNC is not None:
        with contextlib.suppress(OSError):  # some file systems do not know it
            fcntl.fcntl(number, _FULL_SYNC)
            return
    os.fsync(number)


def _sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders, some file systems sync none
        number = os.open(folder, os.O_RDONLY)
        try:
            _sync(number)
        finally:
            os.close(number)
