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
import re
import sys
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config, types
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from batchprop.compiler.cache_folders import (
    places,
    read,
    trusted,
    warn_of_distrusted,
    writable,
    write,
)
from batchprop.compiler.compile_lock import Turn
from batchprop.compiler.source_digest import PACKAGE, changed, state

# Settings of numba, from its environment variables, that change machine code.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
_turn = Turn()  # one for all: numba compiles one thing at a time
_KEPT = 32  # files of one kernel: for both dtypes, several processors and the last few versions


def _find(name: str, target_context: Any) -> Any:
    """Return the kernel of that name, wherever it is; None if there is none."""
    for folder in filter(trusted, places()):
        found = _read(folder / name, target_context)
        if found is not None:
            return found
    return None


def _read(path: Path, target_context: Any) -> Any:
    """Return the kernel that a file holds; None if there is none, or none that is good."""
    with contextlib.suppress(Exception):
        data = read(path)
        content = data[32:]
        if hashlib.sha256(content).digest() == data[:32]:
            found = CompileResult._rebuild(target_context, *pickle.loads(content))
            with contextlib.suppress(OSError):
                os.utime(path)  # in use: others are deleted first
            return found
    return None


def _described(value: object) -> str:
    """Return what a captured value is; ValueError where its representation would not tell."""
    if isinstance(value, (bool, int, float, str, bytes, type(None), np.dtype, types.Type)):
        return repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_described, value))})"
    raise ValueError("not a plain value")


def _identity(function: Any) -> str:
    """Return what tells a function from every other one of the same sources.

    The full path of its module, its qualified name, its line, its instructions, and what it has
    captured, so that two kernels made by one function are two.
    """
    code = function.__code__
    captured = [_described(cell.cell_contents) for cell in function.__closure__ or ()]
    where = function.__module__, function.__qualname__, code.co_firstlineno
    return repr((where, code.co_code, code.co_names, captured))


class KernelCache(NullCache):  # type: ignore[misc]
    """What numba's dispatcher asks for a compiled kernel before it compiles one.

    A cache is a convenience: whatever goes wrong with it, the kernel is compiled instead.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        self._module = function.__module__
        self._file = Path(function.__code__.co_filename)
        # for people; the digest of the full name tells kernels apart whose names end alike
        full = f"{function.__module__}.{function.__qualname__}"
        last = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__qualname__}"
        own = hashlib.sha256(full.encode()).hexdigest()[:12]
        self._prefix = f"{re.sub('[^A-Za-z0-9_.]', '_', last)[-60:]}-{own}"

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
                _identity(self._function),
                str(signature),
                codegen.magic_tuple(),
                [repr(getattr(config, name, None)) for name in _SETTINGS],
                (sys.version, numba.__version__, llvmlite.__version__),
            )
        )
        return f"{self._prefix}-{hashlib.sha256(whole.encode()).hexdigest()[:24]}.kernel"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature; None if it is this process's to compile."""
        _turn.end()  # there still is one if the last compilation failed
        warn_of_distrusted()
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
                content = dumps(cres._reduce())
                write(folder / name, hashlib.sha256(content).digest() + content)
                files = sorted(folder.glob(f"{self._prefix}-*.kernel"), key=os.path.getmtime)
                for old in files[:-_KEPT]:
                    old.unlink(missing_ok=True)
        _turn.end()
