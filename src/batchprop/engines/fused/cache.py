"""Compiled kernels on disk, one file for each kernel, signature, processor and source state.

numba's own cache looks only at the file of the function it caches, so that editing a callee
elsewhere serves a stale kernel, and keeps an index that processes starting together overwrite for
one another.  Here a file's name is a digest of everything the machine code depends on: there is no
index, nothing is ever stale, and a file is written whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from batchprop.engines.fused.sources import PACKAGE, changed, state
from batchprop.engines.fused.turns import Turn

# Settings of numba, from its environment variables, that change machine code.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
_turn = Turn()  # one for all: numba compiles one thing at a time
_KEPT = 32  # files of one kernel: for both dtypes, several processors and the last few versions


@cache
def places() -> tuple[Path, ...]:
    """Return the folders where kernels may be, in order.

    ``NUMBA_CACHE_DIR``, or else the package's own ``__pycache__`` and the user's cache folder.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    found = [Path(chosen).absolute()] if chosen else [PACKAGE / "__pycache__", Path(home)]
    # a user without a home has "~", which is no place
    return tuple(place / "batchprop-kernels" for place in found if place.is_absolute())


@cache
def writable() -> Path | None:
    """Return the first of them that can be written to, or None."""
    for folder in places():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    return None


def _find(name: str, target_context: Any) -> Any:
    """Return the kernel of that name, wherever it is; None if there is none."""
    for folder in places():
        found = _read(folder / name, target_context)
        if found is not None:
            return found
    return None


def _read(path: Path, target_context: Any) -> Any:
    """Return the kernel that a file holds; None if there is none or it is damaged."""
    with contextlib.suppress(Exception):
        data = path.read_bytes()
        content = data[32:]
        if hashlib.sha256(content).digest() == data[:32]:
            found = CompileResult._rebuild(target_context, *pickle.loads(content))
            with contextlib.suppress(OSError):
                os.utime(path)  # in use: others are deleted first
            return found
    return None


def _write(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and that other users may read."""
    unfinished = path.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        unfinished.write_bytes(hashlib.sha256(content).digest() + content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


class KernelCache(NullCache):  # type: ignore[misc]
    """What numba's dispatcher asks for a compiled kernel before it compiles one.

    A cache is a convenience: whatever goes wrong with it, the kernel is compiled instead.
    """

    def __init__(self, function: Any) -> None:
        self._name = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__qualname__}"
        self._module = function.__module__
        self._file = Path(function.__code__.co_filename)

    @property
    def cache_path(self) -> str | None:
        """The folder that is written to, for numba's own reports."""
        return None if writable() is None else str(writable())

    def _file_name(self, signature: Any, codegen: Any) -> str | None:
        """Return the name of the file for a signature; None if it must not be kept."""
        if changed(self._module):
            return None
        whole = repr(
            (
                state(self._module),
                b"" if PACKAGE in self._file.parents else self._file.read_bytes(),
                self._name,
                str(signature),
                codegen.magic_tuple(),
                [repr(getattr(config, name, None)) for name in _SETTINGS],
                (sys.version, numba.__version__, llvmlite.__version__),
            )
        )
        return f"{self._name}-{hashlib.sha256(whole.encode()).hexdigest()[:24]}.kernel"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature; None if it is this process's to compile."""
        _turn.end()  # there still is one if the last compilation failed
        with contextlib.suppress(Exception):
            name = self._file_name(sig, target_context.codegen())
            if name is None:
                return None
            found = _find(name, target_context)
            folder = writable() if found is None else None
            if folder is not None:
                _turn.take(folder / f"{name}.lock")
                found = _find(name, target_context)  # another process may have had the turn
                if found is not None:
                    _turn.end()
            return found
        return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep a compiled kernel."""
        with contextlib.suppress(Exception):
            folder, name = writable(), self._file_name(sig, cres.codegen)
            if folder is not None and name is not None and not cres.library.has_dynamic_globals:
                _write(folder / name, dumps(cres._reduce()))
                files = sorted(folder.glob(f"{self._name}-*.kernel"), key=os.path.getmtime)
                for old in files[:-_KEPT]:
                    old.unlink(missing_ok=True)
        _turn.end()
