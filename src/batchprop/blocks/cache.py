"""A source that is read once, written to a folder as plain numbers, and mapped from then on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from batchprop.blocks import cache_file
from batchprop.blocks.cache_file import Contents
from batchprop.blocks.origin import Origin
from batchprop.blocks.read_ahead import read_ahead
from batchprop.blocks.source import Layout, RawBlock, Source
from batchprop.engines.samples import Samples
from batchprop.files import temporary_file
from batchprop.validation import file_name
from batchprop.validation.error_text import message

_DIGITS = 24  # of the digest in a name


class CachedSource:
    """The blocks of another source, from a file that is written when the first one is read.

    The name of the file depends on the paths of the source and on the chosen columns, and it notes
    the sizes of the files and when they were changed last.  If they change, it is written again.
    The file of a source without files is deleted with this object.

    Parameters
    ----------
    source : Source
        What is read once.
    load : callable
        ``load(i)`` returns its block i, checked.
    folder : str or path-like
        The folder of the cache; created if it is not there.
    """

    def __init__(self, source: Source, load: Callable[[int], Samples], folder: object) -> None:
        self._folder = Path(os.path.abspath(file_name("cache", folder)))
        if self._folder.exists() and not self._folder.is_dir():
            remedy = "Pass the name of a folder, which need not exist."
            got = f"the file {str(folder)!r}"
            raise ValueError(message("cache", "be a folder", got, remedy))
        self._source = source
        self._load = load
        self._opened: tuple[Path, Contents] | None = None
        self._opening = threading.Lock()
        self.input_names = source.input_names
        self.target_names = source.target_names

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the file: another process looks for it again."""
        return {**self.__dict__, "_opened": None, "_opening": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = {**state, "_opening": threading.Lock()}

    def __len__(self) -> int:
        return len(self._source)

    @property
    def layout(self) -> Layout | None:
        """That of the source."""
        return self._source.layout if self._opened is None else self._opened[1].layout

    @property
    def sizes(self) -> Sequence[int] | None:
        """Those of the source, known once the cache is written."""
        return self._source.sizes if self._opened is None else self._opened[1].sizes

    def open(self) -> tuple[Path, Contents]:
        """Return the file and its contents; write it if it is missing or stale.

        Ctrl-C interrupts this within the time of one block.
        """
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def block(self, index: int) -> RawBlock:
        """Map a block."""
        return cache_file.read_block(*self.open(), index)

    def place(self, index: int) -> str:
        """Return where the block was read from."""
        return self._source.place(index)

    def origin(self) -> Origin | None:
        """Return the origin of the source."""
        return self._source.origin()

    def _open(self) -> tuple[Path, Contents]:
        """Find the file, or write it."""
        origin = self._source.origin()
        if origin is None:
            path = self._folder / f"{secrets.token_hex(_DIGITS // 2)}.blocks"
            weakref.finalize(self, _remove, path, os.getpid())
        else:
            digest = hashlib.sha256(origin.choice.encode()).hexdigest()[:_DIGITS]
            path = self._folder / f"{digest}.blocks"
            contents = cache_file.read_contents(path)
            if contents is not None and contents.origin == origin and self._fits(contents):
                return path, contents
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary_file.remove_abandoned(path)
        with contextlib.closing(read_ahead(self._load, len(self))) as blocks:
            cache_file.write(path, origin or Origin("", ""), blocks)
        contents = cache_file.read_contents(path)
        if contents is None or self._source.origin() != origin or not self._fits(contents):
            remedy = "Leave them as they are until the cache is written."
            got = "files that changed while they were read, or a cache that is gone"
            raise ValueError(message("cache", "be a copy of the files", got, remedy))
        return path, contents

    def _fits(self, contents: Contents) -> bool:
        """Return whether a cache has the blocks of the source and its layout."""
        return len(contents.sizes) == len(self) and self.layout in (None, contents.layout)


def _remove(path: Path, process: int) -> None:
    """Delete the file of a source in memory, unless this is a copy of the process."""
    if os.getpid() == process:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
