"""Files that are being written: their names, who still writes them, and the removal of the rest.

A writer holds a lock on its file (``flock``), which the system takes back when the process ends in
any way.  A file that can be locked has lost its writer.  Where there are no locks, a file that has
not changed for a day has.
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

_TOKEN = 8  # random bytes in the name
_LONGEST = 200  # bytes of the finished file's name in it: a file system has room for 255
_OLD = 86_400.0  # seconds without a change after which nobody writes a file any more


def opened(place: Path, permissions: int) -> tuple[Path, IO[bytes]]:
    """Open a new file beside ``place`` and lock it; return its path and the open file.

    Parameters
    ----------
    place : Path
        The file that it will be.
    permissions : int
        Of the new file, as for ``os.open``: those that the umask names are left out.
    """
    while True:
        beside = place.with_name(f"{_beginning(place)}{secrets.token_hex(_TOKEN)}")
        file = open(  # noqa: SIM115, the caller closes it
            beside, "xb", opener=lambda name, flags: os.open(name, flags, permissions)
        )
        try:
            if not _LOCKS:
                return beside, file
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            if beside.exists():  # it was not removed before it was locked
                return beside, file
        except BaseException:
            file.close()
            beside.unlink(missing_ok=True)
            raise
        file.close()


def remove(path: str | os.PathLike[str]) -> None:
    """Remove what writers of this file left beside it when they were killed."""
    place = Path(os.path.realpath(path))
    ours = re.compile(rf"{re.escape(_beginning(place))}[0-9a-f]{{{2 * _TOKEN}}}")
    with contextlib.suppress(OSError):  # litter is no reason to fail
        for entry in list(place.parent.iterdir()):
            if ours.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _remove_if_left(entry)


def _beginning(place: Path) -> str:
    """Return what the names of files that will be ``place`` begin with."""
    name = place.name
    while len(os.fsencode(name)) > _LONGEST:
        name = name[:-1]
    return f".{name}."


def _remove_if_left(entry: Path) -> None:
    """Remove a file unless somebody writes it."""
    if not _LOCKS:
        if _is_old(entry.stat()):
            entry.unlink(missing_ok=True)
        return
    number = os.open(entry, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _is_left(number):
            entry.unlink(missing_ok=True)  # while it is locked: see ``opened``
    finally:
        os.close(number)


def _is_left(number: int) -> bool:
    """Tell whether an open file has lost its writer; if so, and if there are locks, lock it."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        return _is_old(os.fstat(number))
    return True


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _OLD
