"""Compiled kernels on disk: one file per kernel, signature, processor and state of the sources.

numba's own cache checks only the file of the cached function, so it serves a stale kernel after an
edit of a callee in another file.  It also keeps an index, which processes that start together
overwrite.  Here the file name is a digest of everything that the machine code depends on: there is
no index, no kernel is ever stale, and files are written atomically.
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
    candidate_folders,
    read,
    trusted,
    warn_of_distrusted,
    writable,
    write,
)
from batchprop.compiler.compile_lock import CompileLock
from batchprop.compiler.compile_notice import announce
from batchprop.compiler.source_digest import PACKAGE, changed, digest

# numba settings, from environment variables, that change machine code.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
_compile_lock = CompileLock()  # one per process: numba compiles one kernel at a time
_MAX_FILES = 32  # per kernel: both dtypes, several processors, the last few versions


def lock_of(kernel: Path) -> Path:
    """Return the lock file of whoever compiles a kernel."""
    return kernel.with_name(f"{kernel.name}.lock")


def _find(name: str, target_context: Any) -> Any:
    """Return the kernel of that file name from any trusted folder, or None."""
    for folder in filter(trusted, candidate_folders()):
        kernel = _read(folder / name, target_context)
        if kernel is not None:
            return kernel
    return None


def _read(path: Path, target_context: Any) -> Any:
    """Return the kernel stored in a file, or None if the file is missing or damaged."""
    with contextlib.suppress(Exception):
        data = read(path)
        content = data[32:]
        if hashlib.sha256(content).digest() == data[:32]:
            kernel = CompileResult._rebuild(target_context, *pickle.loads(content))
            with contextlib.suppress(OSError):
                os.utime(path)  # mark as used: the least recently used files are deleted first
            return kernel
    return None


def _description(value: object) -> str:
    """Return a text that identifies a captured value; ValueError if ``repr`` is not enough."""
    if isinstance(value, (bool, int, float, str, bytes, type(None), np.dtype, types.Type)):
        return repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_description, value))})"
    raise ValueError("not a plain value")


def _identity(function: Any) -> str:
    """Return a text that distinguishes a function from all others of the same sources.

    It contains the module's full name, the qualified name, the line, the bytecode and the captured
    values, so that two kernels created by one factory function differ.
    """
    code = function.__code__
    captured = [_description(cell.cell_contents) for cell in function.__closure__ or ()]
    where = function.__module__, function.__qualname__, code.co_firstlineno
    return repr((where, code.co_code, code.co_names, captured))


class KernelCache(NullCache):  # type: ignore[misc]
    """The cache that numba's dispatcher consults before it compiles a kernel.

    The cache is optional: if anything goes wrong, the kernel is compiled instead.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        self._module = function.__module__
        self._file = Path(function.__code__.co_filename)
        # The prefix is for people; the digest separates kernels with the same short name.
        full_name = f"{function.__module__}.{function.__qualname__}"
        short_name = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__qualname__}"
        name_digest = hashlib.sha256(full_name.encode()).hexdigest()[:12]
        self._prefix = f"{re.sub('[^A-Za-z0-9_.]', '_', short_name)[-60:]}-{name_digest}"

    @property
    def cache_path(self) -> str | None:
        """The folder that is written to, for numba's reports."""
        return None if writable() is None else str(writable())

    def _file_name(self, signature: Any, codegen: Any) -> str | None:
        """Return the file name for a signature; None if the kernel must not be cached."""
        return None if changed(self._module) else self._name(signature, codegen)

    def _name(self, signature: Any, codegen: Any) -> str:
        """Return the file name for a signature in the state of the sources at their import."""
        identity = repr(
            (
                digest(self._module),
                b"" if PACKAGE in self._file.parents else self._file.read_bytes(),
                _identity(self._function),
                str(signature),
                codegen.magic_tuple(),
                [repr(getattr(config, name, None)) for name in _SETTINGS],
                (sys.version, numba.__version__, llvmlite.__version__),
            )
        )
        return f"{self._prefix}-{hashlib.sha256(identity.encode()).hexdigest()[:24]}.kernel"

    def place_if_missing(self, sig: Any, target_context: Any) -> Path | None:
        """Return where a kernel will be stored; None if it is stored already or cannot be."""
        with contextlib.suppress(Exception):
            name, folder = self._name(sig, target_context.codegen()), writable()
            # looking for a file takes much less time than looking for changed sources
            if not any((each / name).exists() for each in filter(trusted, candidate_folders())):
                return None if folder is None or changed(self._module) else folder / name
        return None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the cached kernel for a signature; None if this process has to compile it."""
        _compile_lock.release()  # still held if the last compilation failed
        warn_of_distrusted()
        with contextlib.suppress(Exception):
            name = self._file_name(sig, target_context.codegen())
            if name is None:
                announce()
                return None
            kernel = _find(name, target_context)
            if kernel is None:
                announce()
            folder = writable() if kernel is None else None
            if folder is not None:
                _compile_lock.acquire(lock_of(folder / name))
                kernel = _find(name, target_context)  # another process may have compiled it
                if kernel is not None:
                    _compile_lock.release()
            return kernel
        return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Write a compiled kernel to the cache."""
        with contextlib.suppress(Exception):
            folder, name = writable(), self._file_name(sig, cres.codegen)
            if folder is not None and name is not None and not cres.library.has_dynamic_globals:
                content = dumps(cres._reduce())
                write(folder / name, hashlib.sha256(content).digest() + content)
                files = sorted(folder.glob(f"{self._prefix}-*.kernel"), key=os.path.getmtime)
                for file in files[:-_MAX_FILES]:
                    file.unlink(missing_ok=True)
        _compile_lock.release()
