"""A second process that compiles some kernels while this one compiles others.

numba compiles one kernel at a time in a process.  The second process leaves its kernels in the
cache on disk, where this one finds them: it waits for a kernel that the other is compiling.  If the
second process cannot be started or fails, this one compiles all kernels itself.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from importlib import import_module
from multiprocessing import current_process
from pathlib import Path
from typing import Any

from batchprop.compiler.compile_lock import CompileLock
from batchprop.compiler.kernel_cache import lock_of
from batchprop.compiler.source_digest import PACKAGE

_LOCK = "second-process.lock"

Kernels = Sequence[tuple[Any, tuple[Any, ...]]]  # dispatchers and the types of their arguments

_PROGRAM = """
import pickle, sys
sys.path[:], parent, kernels = pickle.load(sys.stdin.buffer)
from batchprop.compiler.second_process import compile_kernels
compile_kernels(parent, kernels)
"""


@contextlib.contextmanager
def compiling_beside(
    kernels: Kernels, has_room: Callable[[], bool], perhaps: Kernels = ()
) -> Iterator[None]:
    """Let a second process compile ``kernels``, too, from the last to the second one, meanwhile.

    After them it compiles those that ``perhaps`` are needed.  It leaves out what is stored, and
    ends with the block, or before.  There is none if fewer than two of ``kernels`` are missing,
    where ``has_room`` says that there is no room for it, in worker processes, and where the
    interpreter is part of another program; and there is one at a time for a folder of kernels.
    None is no error.
    """
    process, missing = None, []
    with contextlib.suppress(Exception):
        missing = list(filter(None, map(_place, kernels))) if _can_start() else []
    try:
        if len(missing) > 1:
            with contextlib.suppress(Exception):
                process = _start_alone(missing[0].parent, kernels, has_room, perhaps)
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()
            with contextlib.suppress(Exception):
                _clean_up(process.pid, missing + list(filter(None, map(_place, perhaps))))


def _start_alone(
    folder: Path, kernels: Kernels, has_room: Callable[[], bool], perhaps: Kernels
) -> subprocess.Popen[bytes] | None:
    """Start the second process unless there is one for this folder; it holds a lock meanwhile."""
    lock = CompileLock()
    try:
        if has_room() and lock.acquire(folder / _LOCK, timeout=0.0):
            process = _start([*kernels[:0:-1], *perhaps], folder, lock.descriptor)
            lock.pass_on()
            return process
    finally:
        lock.release()
    return None


def _clean_up(process_id: int, places: Sequence[Path]) -> None:
    """Remove what a process leaves: its lock, and what it was writing when it was killed."""
    lock, folder = CompileLock(), places[0].parent
    for path in filter(Path.exists, [folder / _LOCK, *map(lock_of, places)]):
        lock.acquire(path, timeout=0.0)  # whoever else holds it removes it
        lock.release()
    for path in folder.glob(f"{process_id}-*.tmp"):
        path.unlink(missing_ok=True)


def _place(kernel: tuple[Any, tuple[Any, ...]]) -> Path | None:
    """Return where a kernel will be stored; None if it is stored or cannot be."""
    dispatcher, argument_types = kernel
    place: Path | None = dispatcher._cache.place_if_missing(argument_types, dispatcher.targetctx)
    return place


def _can_start() -> bool:
    """Return whether this process is a Python, and not one of many workers."""
    is_python = Path(sys.executable or "").name.lower().startswith("python")
    is_frozen = getattr(sys, "frozen", False)
    return is_python and not is_frozen and current_process().name == "MainProcess"


def _start(kernels: Kernels, folder: Path, lock: int) -> subprocess.Popen[bytes]:
    """Start a process that compiles these kernels to the folder; it inherits the file ``lock``.

    Whatever is in the working directory, it does not import it: the option -I and absolute paths
    see to that.
    """
    named = [
        (dispatcher.py_func.__module__, dispatcher.py_func.__qualname__, pickle.dumps(types))
        for dispatcher, types in kernels
    ]
    path = [str(PACKAGE.parent), *filter(os.path.isabs, sys.path)]
    options = ["-B"] if sys.dont_write_bytecode else []
    with tempfile.TemporaryFile() as message:
        pickle.dump((path, os.getpid(), named), message)
        message.seek(0)
        return subprocess.Popen(
            [sys.executable, "-I", *options, "-c", _PROGRAM],
            stdin=message,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[lock],
            env={**os.environ, "NUMBA_CACHE_DIR": str(folder.parent)},
        )


def compile_kernels(parent: int, kernels: Sequence[tuple[str, str, bytes]]) -> None:
    """Compile kernels to the cache, given modules, qualified names and pickled types.

    Those that are stored, or that another process compiles, are left out, and all of them once the
    process ``parent`` has ended.
    """
    for module, name, argument_types in kernels:
        if os.getppid() != parent:
            return
        dispatcher = reduce(getattr, name.split("."), import_module(module))
        types = pickle.loads(argument_types)
        place = _place((dispatcher, types))
        if place is not None and not lock_of(place).exists():
            dispatcher.compile(types)
