"""Temporary files next to the file being written: their creation, and removal of abandoned ones.

A writer holds a lock (``flock``) on its temporary file, which the system releases when the process
ends.  So a file that can be locked is abandoned.  Where locks are not supported, a file that has
not changed for a day is taken to be abandoned.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    _LOCKS = False
else:
    _LOCKS = True

_TOKEN_BYTES = 8  # of randomness in the name
_MAX_NAME = 200  # bytes of the target's name in it: file systems allow 255
_MAX_AGE = 86_400.0  # seconds without a change after which a file counts as abandoned


def create(path: Path, permissions: int) -> tuple[Path, IO[bytes]]:
    """Create a temporary file next to ``path`` and lock it; return its path and the open file.

    Parameters
    ----------
    place : Path
        The file that it will become.
    permissions : int
        Mode of the new file, as for ``os.open``; the umask applies.
    """
    while True:
        temporary = path.with_name(f"{_prefix(path)}{secrets.token_hex(_TOKEN_BYTES)}")
        file = open(  # noqa: SIM115, the caller closes it
            temporary, "xb", opener=lambda name, flags: os.open(name, flags, permissions)
        )
        try:
            if not _LOCKS:
                return temporary, file
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            if temporary.exists():  # another process may have removed it before it was locked
                return temporary, file
        except BaseException:
            file.close()
            temporary.unlink(missing_ok=True)
            raise
        file.close()


def remove_abandoned(path: str | os.PathLike[str]) -> None:
    """Remove the temporary files that killed writers of ``path`` left behind."""
    target = Path(os.path.realpath(path))
    pattern = re.compile(rf"{re.escape(_prefix(target))}[0-9a-f]{{{2 * _TOKEN_BYTES}}}")
    with contextlib.suppress(OSError):  # leftover files are no reason to fail
        for entry in list(target.parent.iterdir()):
            if pattern.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(entry)


def _prefix(target: Path) -> str:
    """Return the prefix that the names of a file's temporary files share."""
    name = target.name
    while len(os.fsencode(name)) > _MAX_NAME:
        name = name[:-1]
    return f".{name}."


def _remove_if_abandoned(entry: Path) -> None:
    """Remove a file unless a process is still writing it."""
    if not _LOCKS:
        if _is_old(entry.stat()):
            entry.unlink(missing_ok=True)
        return
    descriptor = os.open(entry, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _is_abandoned(descriptor):
            entry.unlink(missing_ok=True)  # while holding the lock: see ``create``
    finally:
        os.close(descriptor)


def _is_abandoned(descriptor: int) -> bool:
    """Return whether an open file is abandoned; if so, hold its lock (where locks exist)."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        return _is_old(os.fstat(descriptor))
    return True


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _MAX_AGE
