"""Reading .npz files from anywhere: only what is asked for, and only as NumPy's savez writes it.

A file may be damaged, or made to do harm.  So nothing in it is run; a member is looked at before
memory is taken for it; members that are packed, encrypted, named twice or larger than the file are
refused; and opening never waits for somebody to write.
"""

from __future__ import annotations

import os
import re
import reprlib
import stat
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

_BLOCK = 1 << 17  # bytes read at once at most, and so those of a table of contents
_TOLD = 200  # letters of what is wrong
_ENCRYPTED = 1  # among the flags of a member
# What stands before an array's bytes: format 1.0, and a dict as NumPy prints it.
_MAGIC = b"\x93NUMPY\x01\x00"
_LONGEST = 1024  # of that dict, which takes 118
_FORM = re.compile(
    rb"\{'descr': '([<>|=][fiubU]\d{1,9})', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), \} *\n"
)


class Damaged(ValueError):
    """A file is not what it should be; the text says where."""


class Archive:
    """The arrays of an .npz file, by name.

    Parameters
    ----------
    file : binary file
        Open for reading.

    Raises
    ------
    Damaged
        The file is no such archive.
    """

    def __init__(self, file: IO[bytes]) -> None:
        size = file.seek(0, os.SEEK_END)
        self._zip = zipfile.ZipFile(_Sparing(file))
        members = self._zip.infolist()
        self._members = {member.filename: member for member in members}
        if len(self._members) < len(members):
            raise Damaged("a member is there twice")
        if sum(member.file_size for member in members) > size:
            raise Damaged("its members are larger than the file")

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._members

    def only(self, names: Collection[str]) -> None:
        """Refuse any member but these."""
        allowed = {f"{name}.npy" for name in names}
        for name in self._members:
            if name not in allowed:
                raise Damaged(f"{reprlib.repr(name)}: no part of such a file")

    def text(self, name: str, most: int) -> str:
        """Return a text of at most so many characters."""
        with self._opened(name) as (member, left):
            shape, dtype = _form(member)
            if shape or dtype.kind != "U" or not left() == dtype.itemsize <= 4 * most:
                raise Damaged(f"{name}: not a text of at most {most} characters")
            order = "utf-32-be" if dtype.byteorder == ">" else "utf-32-le"
            content = _filled(member, np.empty(left(), np.uint8)).tobytes()
            return content.decode(order).rstrip("\0")

    def integer(self, name: str) -> int:
        """Return a single integer."""
        with self._opened(name) as (member, left):
            shape, dtype = _form(member)
            if shape or dtype.kind not in "iu" or left() != dtype.itemsize:
                raise Damaged(f"{name}: not an integer")
            return int(_filled(member, np.empty((), dtype)))

    def form(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of an array."""
        with self._opened(name) as (member, _):
            return _form(member)

    def array(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Return an array of this form; memory is taken when the file is known to hold it."""
        expected = shape, np.dtype(dtype)
        with self._opened(name) as (member, left):
            found = _form(member)
            if found != expected:
                told = f"{name}: must have shape {shape} and dtype {expected[1]}"
                raise Damaged(f"{told}; got {found[0]} and {found[1]}")
            if left() != prod(shape) * expected[1].itemsize:
                raise Damaged(f"{name}: other than its shape {shape} says")
            return _filled(member, np.empty(shape, dtype))

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        """Open a member; give it, and a function that tells how many bytes of it are left."""
        found = self._members.get(f"{name}.npy")
        if found is None:
            raise Damaged(f"{name}: missing")
        if found.flag_bits & _ENCRYPTED:
            raise Damaged(f"{name}: encrypted")
        if found.compress_type != zipfile.ZIP_STORED or found.compress_size != found.file_size:
            raise Damaged(f"{name}: compressed, which it never is")
        try:
            with self._zip.open(found) as member:
                yield member, lambda: found.file_size - member.tell()
        except Damaged:
            raise
        except Exception:  # wrong places, checksums, letters: whatever can be wrong in bytes
            raise Damaged(f"{name}: cannot be read") from None


class _Sparing:
    """A file that is read in blocks only: a table of contents cannot be larger than one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size if 0 <= size <= _BLOCK else _BLOCK + 1)
        if len(found) > _BLOCK:
            raise Damaged("its table of contents is too large")
        return found


@contextmanager
def opened(path: str | os.PathLike[str], expected: str, remedy: str) -> Iterator[Archive]:
    """Open an .npz file, and say in one form what is wrong with it.

    Parameters
    ----------
    path : str or path-like
        Its name.
    expected, remedy : str
        What the path must do, "name a checkpoint", and what to do where it does not.

    Raises
    ------
    TypeError
        ``path`` is no name.
    OSError
        The file cannot be opened.
    ValueError
        It is no file, no such archive, or the body of the ``with`` has found it ``Damaged``.
    """
    named = validation.file_name("path", path)
    with open(named, "rb", opener=_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            told = f"{str(named)!r}, {validation.kind_of(mode)}"
            raise ValueError(message("path", expected, told, remedy))
        try:
            yield _archive(file)
        except Damaged as damage:
            told = f"{str(named)!r}, which is something else or damaged ({str(damage)[:_TOLD]})"
            raise ValueError(message("path", expected, told, remedy)) from None


def _archive(file: IO[bytes]) -> Archive:
    try:
        return Archive(file)
    except Damaged:
        raise
    except Exception:  # a file of anything else can fail to be read in any way
        raise Damaged("no .npz file") from None


def _without_waiting(name: str, flags: int) -> int:
    """Open a file; a pipe at once, also where nobody writes to it."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _form(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read what stands before an array's bytes; return shape and dtype."""
    start = member.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if not start.startswith(_MAGIC) or length > _LONGEST:
        raise Damaged(f"{Path(str(member.name)).stem}: no array as NumPy's savez writes it")
    found = _FORM.fullmatch(member.read(length))
    if found is None:
        raise Damaged(f"{Path(str(member.name)).stem}: no plain array of one of our dtypes")
    return tuple(map(int, found[2].replace(b",", b" ").split())), np.dtype(found[1].decode())


def _filled(member: IO[bytes], array: Array) -> Array:
    """Read an array's bytes into it, to the end of the member, where its checksum is."""
    flat = array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)
    for start in range(0, flat.size, _BLOCK):
        end = min(start + _BLOCK, flat.size)
        flat[start:end] = np.frombuffer(member.read(end - start), np.uint8, end - start)
    member.read(1)
    return array
