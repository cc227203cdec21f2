"""Folders of compiled kernels, and which folders and files are trusted.

A cached kernel is a pickle that contains machine code, so loading it executes code.  A folder is
therefore trusted only if it belongs to this user or to root and nobody else may write to it.  The
same check applies to each file, after it was opened.  Folders are created with mode 700, files
with mode 600.  Windows has no such permission bits; its cache folders are private to a user by
default.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path

from batchprop.compiler.source_digest import PACKAGE

NAME = "batchprop-kernels"
_warned: set[Path] = set()  # holds one folder at most
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# do not follow a symbolic link or wait for a pipe that stands in for a file
_READ_FLAGS = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
)
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def _users_cache() -> str:
    """Return the platform's folder for user caches."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    subfolders = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.environ.get("XDG_CACHE_HOME") or os.path.join(home, *subfolders)


@cache
def candidate_folders() -> tuple[Path, ...]:
    """Return the folders that may hold kernels, in search order.

    The folder in ``NUMBA_CACHE_DIR`` if it is set; otherwise the package's own ``__pycache__``,
    then the user's cache folder.
    """
    user_folder = os.environ.get("NUMBA_CACHE_DIR")
    parents = (
        [Path(user_folder).absolute()]
        if user_folder
        else [PACKAGE / "__pycache__", Path(_users_cache())]
    )
    # without a home directory "~" is not expanded: such a relative path is dropped
    return tuple(parent / NAME for parent in parents if parent.is_absolute())


def _distrusted(status: os.stat_result) -> bool:
    """Return whether another user may have written to a folder or file."""
    if not hasattr(os, "geteuid"):
        return False
    return status.st_uid not in (0, os.geteuid()) or bool(status.st_mode & _WRITABLE_BY_OTHERS)


def trusted(folder: Path) -> bool:
    """Return whether a folder exists and no other user may have written to it."""
    try:
        return folder.is_dir() and not _distrusted(folder.stat())
    except OSError:
        return False


def warn_of_distrusted() -> None:
    """Warn once per process about the first existing folder that is not trusted."""
    for folder in () if _warned else candidate_folders():
        with contextlib.suppress(OSError):
            status = folder.stat()
            if not _distrusted(status):
                continue
            _warned.add(folder)
            warnings.warn(
                f"The folder of compiled kernels, {folder}, must belong to this user or root and "
                f"be writable by its owner alone; got mode {stat.S_IMODE(status.st_mode):o}, owned "
                f"by user {status.st_uid}, and this is user {os.geteuid()}. It is not used, since "
                "what it holds would be executed. Delete it, take it over with chown and "
                "chmod go-w, or set NUMBA_CACHE_DIR to a folder of your own.",
                UserWarning,
                stacklevel=_level_of_the_caller(),
            )
            return


def _level_of_the_caller() -> int:
    """Return the stack level of the first caller outside this package and numba."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "").split(".")[0]
        if name not in ("batchprop", "numba", "contextlib"):
            break
        frame, level = frame.f_back, level + 1
    return level


@cache
def writable() -> Path | None:
    """Return the first candidate folder that is trusted and writable, or None."""
    for folder in candidate_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if trusted(folder):
                with tempfile.TemporaryFile(dir=folder):
                    return folder
    return None


def read(path: Path) -> bytes:
    """Return the contents of a trusted file; raise OSError if it is missing or not trusted."""
    handle = os.open(path, _READ_FLAGS)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or _distrusted(status):
            raise PermissionError(f"{path} is not trusted")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file atomically, readable by this user only."""
    temporary = path.with_name(f"{os.getpid()}-{uuid.uuid4().hex}.tmp")
    try:
        with open(os.open(temporary, _CREATE_FLAGS, 0o600), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
