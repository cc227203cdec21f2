"""The source files that kernels are made of, as they are when the engine is imported.

This is the first module of the engine to be imported, so that a file that changes later, while a
process compiles, is seen to have changed: its kernels are then neither kept nor looked up.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1]

# What stands above the kernels: none is made of it (tests/compiler/test_source_digest.py follows
# their imports), so that editing it keeps them.  Whatever is not named here counts.
_ABOVE_SOLVERS = (
    "__init__.py",
    "engines/naive/",
    "engines/vectorized.py",
    "files/atomic_file.py",
    "files/network_file.py",
    "files/npz_reader.py",
    "files/temporary_file.py",
    "gradient_check/",
    "loss.py",
    "network.py",
    "network_loss.py",
    "penalty.py",
    "result.py",
    "sklearn/",
    "training/",
    "validation/",
    "version.py",
)
_ABOVE_ENGINES = (*_ABOVE_SOLVERS, "solvers/")


class _File(NamedTuple):
    content: bytes  # its digest
    stamp: tuple[int, int]  # time of the last change in nanoseconds, size


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _read() -> dict[str, _File]:
    """Read the files, by their paths in the package; none where they cannot be read."""
    found = {}
    try:
        for path in sorted(PACKAGE.rglob("*.py")):
            name = path.relative_to(PACKAGE).as_posix()
            if not name.startswith(_ABOVE_SOLVERS) and path.is_file():
                found[name] = _File(hashlib.sha256(path.read_bytes()).digest(), _stamp(path))
    except OSError:
        return {}
    return found


_FILES = _read()


@cache
def made_of(module: str) -> tuple[str, ...]:
    """Return the files that a kernel of a module may be made of."""
    above = _ABOVE_SOLVERS if module.startswith("batchprop.solvers.") else _ABOVE_ENGINES
    return tuple(name for name in _FILES if not name.startswith(above))


@cache
def state(module: str) -> str:
    """Return a digest of these files."""
    digest = hashlib.sha256()
    for name in made_of(module):
        digest.update(name.encode())
        digest.update(_FILES[name].content)
    return digest.hexdigest()


def changed(module: str) -> bool:
    """Tell whether one of them is no longer what it was when the engine was imported.

    Where there is no source to look at, as inside an archive, the answer is True.
    """
    files = made_of(module)
    return not files or any(_FILES[name].stamp != _stamp(PACKAGE / name) for name in files)
