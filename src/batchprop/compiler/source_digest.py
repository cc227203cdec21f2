"""The source files that kernels are compiled from, as they were when the engine was imported.

This is the first module of the engine to be imported.  A file that is edited later, while a
process is running, is therefore recognised as changed; the kernels that depend on it are then
neither stored in the cache nor looked up.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1]

# Files that no kernel is compiled from, so that editing them invalidates no kernel
# (tests/compiler/test_source_digest.py follows the imports).  Every other file counts.
_NOT_COMPILED_INTO_SOLVERS = (
    "__init__.py",
    "__main__.py",
    "cli/",
    "engines/naive/",
    "engines/array_engine.py",
    "engines/vectorized.py",
    "export/",
    "files/atomic_file.py",
    "files/network_file.py",
    "files/npz_reader.py",
    "files/temporary_file.py",
    "gradient_check/",
    "loss.py",
    "network.py",
    "network_loss.py",
    "onnx.py",
    "penalty.py",
    "result.py",
    "sklearn/",
    "training/",
    "validation/",
    "version.py",
)
_NOT_COMPILED_INTO_ENGINES = (*_NOT_COMPILED_INTO_SOLVERS, "solvers/")


class _File(NamedTuple):
    content: bytes  # SHA-256 of the contents
    stamp: tuple[int, int]  # modification time in nanoseconds, size


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _read() -> dict[str, _File]:
    """Return the source files by path relative to the package; {} if they cannot be read."""
    files = {}
    try:
        for path in sorted(PACKAGE.rglob("*.py")):
            name = path.relative_to(PACKAGE).as_posix()
            if not name.startswith(_NOT_COMPILED_INTO_SOLVERS) and path.is_file():
                files[name] = _File(hashlib.sha256(path.read_bytes()).digest(), _stamp(path))
    except OSError:
        return {}
    return files


_FILES = _read()


@cache
def source_files(module: str) -> tuple[str, ...]:
    """Return the files that a kernel defined in ``module`` may depend on."""
    below_solvers = module.startswith("batchprop.") and not module.startswith("batchprop.solvers.")
    above = _NOT_COMPILED_INTO_ENGINES if below_solvers else _NOT_COMPILED_INTO_SOLVERS
    return tuple(name for name in _FILES if not name.startswith(above))


@cache
def digest(module: str) -> str:
    """Return a digest of the contents of these files."""
    hasher = hashlib.sha256()
    for name in source_files(module):
        hasher.update(name.encode())
        hasher.update(_FILES[name].content)
    return hasher.hexdigest()


def changed(module: str) -> bool:
    """Return whether one of these files has changed since the engine was imported.

    True if there are no source files to look at, for example inside an archive.
    """
    files = source_files(module)
    return not files or any(_FILES[name].stamp != _stamp(PACKAGE / name) for name in files)
