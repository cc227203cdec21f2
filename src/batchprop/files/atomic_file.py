"""Atomic writes: a file is complete or does not change, whatever happens during the write."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

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
    """Write arrays to one .npz file atomically.

    The arrays go to a temporary file in the same folder, which is renamed once all data are on the
    disk.  The process may be killed and the machine may lose power at any moment: a reader sees
    either the old file or the complete new one.

    Parameters
    ----------
    path : str or path-like
        The file's name, used as it is (no suffix is added).  An existing file is replaced, and the
        new file gets its permissions.  If the name is a symbolic link, its target is replaced.
    arrays : mapping of str to ndarray
        Arrays by name; arrays of Python objects are not allowed.

    Raises
    ------
    TypeError, ValueError
        ``path`` is not a file name.
    OSError
        The file cannot be written; the old file, if any, is unchanged.
    """
    _write(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes to a file atomically, with the guarantees of ``write_arrays``.

    Parameters
    ----------
    path : str or path-like
        The file's name, as for ``write_arrays``.
    content : bytes
        What the file will contain.

    Raises
    ------
    TypeError, ValueError
        ``path`` is not a file name.
    OSError
        The file cannot be written; the old file, if any, is unchanged.
    """
    _write(path, lambda file: file.write(content))


def write_with(path: str | os.PathLike[str], write_content: Callable[[IO[bytes]], object]) -> None:
    """Write a file atomically by a function, with the guarantees of ``write_arrays``.

    Parameters
    ----------
    path : str or path-like
        The file's name, as for ``write_arrays``.
    write_content : callable
        Writes the content to the open file it is called with.

    Raises
    ------
    TypeError, ValueError
        ``path`` is not a file name.
    OSError
        The file cannot be written; the old file, if any, is unchanged.
    """
    _write(path, write_content)


def _write(path: str | os.PathLike[str], write_content: Callable[[IO[bytes]], object]) -> None:
    """Check the file's name; name it as the user did where the system reports an error."""
    user_path = validation.file_name("path", path)
    try:
        _replace(Path(os.path.realpath(user_path)), write_content)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(user_path)) from None


def _replace(path: Path, write_content: Callable[[IO[bytes]], object]) -> None:
    """Write to a temporary file in the same folder and rename it to ``path``."""
    old_status = _status(path)
    temporary, file = temporary_file.create(path, 0o666 if old_status is None else 0o600)
    try:
        with file:
            if old_status is not None:
                _make_like(file.fileno(), old_status)
            write_content(file)
            file.flush()
            _sync(file.fileno())
            if not _WINDOWS:  # rename while the temporary file is locked; Windows cannot do that
                os.replace(temporary, path)
        if _WINDOWS:
            _replace_when_free(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of the file to be replaced; raise if it is not a regular file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        reason = f"Not a file but {validation.file_type(status.st_mode)}"
        raise OSError(errno.EINVAL, reason, str(path))
    return status


def _make_like(descriptor: int, old_status: os.stat_result) -> None:
    """Give an open file the permissions and, where allowed, the owner of another file."""
    if not hasattr(os, "fchown"):
        return
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (old_status.st_uid, old_status.st_gid):
        for owner, group in ((old_status.st_uid, old_status.st_gid), (-1, old_status.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, owner, group)
                break
    with contextlib.suppress(OSError):  # some file systems have no permission bits
        os.fchmod(descriptor, old_status.st_mode & _PERMISSIONS)


def _replace_when_free(temporary: Path, path: Path) -> None:
    """Rename a file; on Windows, retry while another process has the old file open."""
    for pause in _PAUSES:
        try:
            os.replace(temporary, path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(temporary, path)


def _sync(descriptor: int) -> None:
    """Flush a file to the disk; on macOS ``fsync`` alone stops at the disk's write cache."""
    if _FULL_SYNC is not None:
        with contextlib.suppress(OSError):  # some file systems do not support it
            fcntl.fcntl(descriptor, _FULL_SYNC)
            return
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Flush a renamed entry of a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):  # neither Windows nor some file systems can sync a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)
