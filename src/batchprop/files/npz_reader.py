"""A reader for .npz files of unknown origin, restricted to what NumPy's savez writes.

A file may be damaged or malicious.  So nothing in it is executed, members are checked before memory
is allocated for them, members that are compressed, encrypted, duplicated or larger than the file
are refused, and opening a pipe does not block.
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

_BLOCK = 1 << 17  # most bytes read at once, and so the largest table of contents
_MAX_DETAIL = 200  # characters of a damage description in a message
_MAX_KIND = 100  # characters of the member "kind"
_ENCRYPTED = 1  # flag bit of a zip member
# The header before an array's bytes: format 1.0, and a dict as NumPy prints it.
_MAGIC = b"\x93NUMPY\x01\x00"
_MAX_HEADER = 1024  # bytes of that dict; NumPy's own takes 118
_HEADER = re.compile(
    rb"\{'descr': '([<>|=][fiubU]\d{1,9})', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), \} *\n"
)


class Damaged(ValueError):
    """The contents of a file are not as expected; the text says where."""


class Archive:
    """The arrays of an .npz file by name.

    Parameters
    ----------
    file : binary file
        Open for reading.

    Raises
    ------
    Damaged
        The file is not such an archive.
    """

    def __init__(self, file: IO[bytes]) -> None:
        size = file.seek(0, os.SEEK_END)
        self._zip = zipfile.ZipFile(_LimitedReads(file))
        members = self._zip.infolist()
        self._members = {member.filename: member for member in members}
        if len(self._members) < len(members):
            raise Damaged("it has two members of one name")
        if sum(member.file_size for member in members) > size:
            raise Damaged("its members are larger than the file")

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._members

    def only(self, names: Collection[str]) -> None:
        """Raise ``Damaged`` if there is any other member than these."""
        allowed = {f"{name}.npy" for name in names}
        for name in self._members:
            if name not in allowed:
                raise Damaged(f"{reprlib.repr(name)}: unexpected member")

    def is_of(self, kind: str, version: int) -> bool:
        """Return whether the file is of this kind and format version."""
        return self.text("kind", _MAX_KIND) == kind and self.integer("format") == version

    def format_of(self, kind: str) -> int:
        """Return the file's format version, at least 1; refuse a file of another kind."""
        if self.text("kind", _MAX_KIND) != kind:
            raise Damaged(f"kind: not a {kind.removeprefix('batchprop ')}")
        version = self.integer("format")
        if version < 1:
            raise Damaged(f"format: {version}")
        return version

    def text(self, name: str, max_length: int) -> str:
        """Return a text member of at most ``max_length`` characters."""
        with self._open(name) as (member, n_bytes_left):
            shape, dtype = _read_header(member)
            if shape or dtype.kind != "U" or not n_bytes_left() == dtype.itemsize <= 4 * max_length:
                raise Damaged(f"{name}: not a text of at most {max_length} characters")
            order = "utf-32-be" if dtype.byteorder == ">" else "utf-32-le"
            content = _read_into(member, np.empty(n_bytes_left(), np.uint8)).tobytes()
            return content.decode(order).rstrip("\0")

    def integer(self, name: str) -> int:
        """Return a member that is a single integer."""
        with self._open(name) as (member, n_bytes_left):
            shape, dtype = _read_header(member)
            if shape or dtype.kind not in "iu" or n_bytes_left() != dtype.itemsize:
                raise Damaged(f"{name}: not an integer")
            return int(_read_into(member, np.empty((), dtype)))

    def form(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return the shape and dtype of a member."""
        with self._open(name) as (member, _):
            return _read_header(member)

    def array(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Return a member of this shape and dtype; memory is allocated after the size check."""
        expected = shape, np.dtype(dtype)
        with self._open(name) as (member, n_bytes_left):
            actual = _read_header(member)
            if actual != expected:
                requirement = f"{name}: must have shape {shape} and dtype {expected[1]}"
                raise Damaged(f"{requirement}; got {actual[0]} and {actual[1]}")
            if n_bytes_left() != prod(shape) * expected[1].itemsize:
                raise Damaged(f"{name}: size does not match its shape {shape}")
            return _read_into(member, np.empty(shape, dtype))

    @contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        """Open a member; yield it and a function that returns its number of unread bytes."""
        info = self._members.get(f"{name}.npy")
        if info is None:
            raise Damaged(f"{name}: missing")
        if info.flag_bits & _ENCRYPTED:
            raise Damaged(f"{name}: encrypted")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise Damaged(f"{name}: compressed, which it never is")
        try:
            with self._zip.open(info) as member:
                yield member, lambda: info.file_size - member.tell()
        except Damaged:
            raise
        except Exception:  # offsets, checksums, encodings: damaged bytes can raise anything
            raise Damaged(f"{name}: cannot be read") from None


class _LimitedReads:
    """A file with reads limited to one block, which limits the size of the table of contents."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= _BLOCK else _BLOCK + 1)
        if len(data) > _BLOCK:
            raise Damaged("its table of contents is too large")
        return data


@contextmanager
def opened(path: str | os.PathLike[str], expected: str, remedy: str) -> Iterator[Archive]:
    """Open an .npz file as a context manager; all its errors have one form of message.

    Parameters
    ----------
    path : str or path-like
        The file's name.
    expected, remedy : str
        For messages: what the path must do ("name a checkpoint"), and what to do otherwise.

    Raises
    ------
    TypeError
        ``path`` is not a file name.
    OSError
        The file cannot be opened.
    ValueError
        It is not a regular file, not an .npz archive, or the body raised ``Damaged``.
    """
    file_path = validation.file_name("path", path)
    with open(file_path, "rb", opener=_open_without_blocking) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            got = f"{str(file_path)!r}, {validation.file_type(mode)}"
            raise ValueError(message("path", expected, got, remedy))
        try:
            yield _archive(file)
        except Damaged as damage:
            detail = str(damage)[:_MAX_DETAIL]
            got = f"{str(file_path)!r}, which is something else or damaged ({detail})"
            raise ValueError(message("path", expected, got, remedy)) from None


def _archive(file: IO[bytes]) -> Archive:
    try:
        return Archive(file)
    except Damaged:
        raise
    except Exception:  # a file of another kind can fail in any way
        raise Damaged("no .npz file") from None


def _open_without_blocking(name: str, flags: int) -> int:
    """Open a file without blocking, even a pipe that nobody writes to."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header before an array's bytes; return the array's shape and dtype."""
    start = member.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if not start.startswith(_MAGIC) or length > _MAX_HEADER:
        raise Damaged(f"{Path(str(member.name)).stem}: not an array written by numpy.savez")
    header = _HEADER.fullmatch(member.read(length))
    if header is None:
        raise Damaged(f"{Path(str(member.name)).stem}: not a plain numeric or text array")
    return tuple(map(int, header[2].replace(b",", b" ").split())), np.dtype(header[1].decode())


def _read_into(member: IO[bytes], array: Array) -> Array:
    """Read a member into an array, up to its end, where the checksum is verified."""
    flat = array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)
    for start in range(0, flat.size, _BLOCK):
        end = min(start + _BLOCK, flat.size)
        flat[start:end] = np.frombuffer(member.read(end - start), np.uint8, end - start)
    member.read(1)
    return array
