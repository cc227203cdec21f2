"""Where compiled kernels are kept, and which folders and files are trusted.

A kept kernel is a pickle with machine code: to read it is to execute it.  So a folder is used only
if it belongs to this user or to root, who can do anything here as it is, and if nobody else may
write to it; each file in it likewise, judged once it is open.  Folders are made with mode 700,
files with 600.  Windows has no such bits; its folders are private to a user by default.
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
_warned: set[Path] = set()  # at most one folder is
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# a link or a pipe in a file's place is neither followed nor waited for
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def _users_cache() -> str:
    """Return the folder that the platform has for a user's caches."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    own = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.environ.get("XDG_CACHE_HOME") or os.path.join(home, *own)


@cache
def places() -> tuple[Path, ...]:
    """Return the folders where kernels may be, in order.

    ``NUMBA_CACHE_DIR``, or else the package's own ``__pycache__`` and the user's cache folder.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    found = [Path(chosen).absolute()] if chosen else [PACKAGE / "__pycache__", Path(_users_cache())]
    # a user without a home has "~", which is no place
    return tuple(place / NAME for place in found if place.is_absolute())


def _distrusted(status: os.stat_result) -> bool:
    """Tell whether somebody else may have written what a folder or a file holds."""
    if not hasattr(os, "geteuid"):
        return False
    return status.st_uid not in (0, os.geteuid()) or bool(status.st_mode & _OTHERS_WRITE)


def trusted(folder: Path) -> bool:
    """Tell whether a folder is there and nobody else may have written to it."""
    try:
        return folder.is_dir() and not _distrusted(folder.stat())
    except OSError:
        return False


def warn_of_distrusted() -> None:
    """Warn of the first folder that is there and is not trusted, once in a process."""
    for folder in () if _warned else places():
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
    """Return how far up the first frame is that is neither ours nor numba's."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "").split(".")[0]
        if name not in ("batchprop", "numba", "contextlib"):
            break
        frame, level = frame.f_back, level + 1
    return level


@cache
def writable() -> Path | None:
    """Return the first of the places that is trusted and can be written to, or None."""
    for folder in places():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if trusted(folder):
                with tempfile.TemporaryFile(dir=folder):
                    return folder
    return None


def read(path: Path) -> bytes:
    """Return what a file holds; OSError if it is not there or somebody else may have written it."""
    handle = os.open(path, _READ)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or _distrusted(status):
            raise PermissionError(f"{path} is not trusted")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, for this user alone."""
    unfinished = path.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        with open(os.open(unfinished, _CREATE, 0o600), "wb") as file:
            file.write(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
