"""What a source is read from: by this its cache is recognised, and changes are noticed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Origin(NamedTuple):
    """The files of a source and what is read of them.

    Attributes
    ----------
    choice : str
        Paths and options: equal for two readings of the same data.
    versions : str
        Sizes of the files and the times of their last changes.
    """

    choice: str
    versions: str


def origin_of_files(paths: Sequence[Path], options: object) -> Origin:
    """Return the origin of a source.

    Parameters
    ----------
    paths : sequence of Path
        Its files, or folders whose files belong to it.
    options : object
        Columns and whatever else decides what is read; its ``repr`` counts.
    """
    versions = [_version(path) for path in paths]
    return Origin(repr(([str(path) for path in paths], options)), repr(versions))


def _version(path: Path) -> tuple[int, int, int]:
    """Return the number of files, their size in bytes, and the last change in nanoseconds."""
    states = [file.stat() for file in _files(path)]
    return len(states), sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder, and the folder itself."""
    yield path
    if path.is_dir():
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)
