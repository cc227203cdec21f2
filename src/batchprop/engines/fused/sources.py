"""The source files that kernels are made of, as they are when the engine is imported.

This is the first module of the engine to be imported, so that a file that changes later, while a
process compiles, is seen to have changed: its kernels are then neither kept nor looked up.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[2]

# What stands above the kernels: none is made of it (tests/engines/fused/test_sources.py follows
# their imports), so that editing it keeps them.  Whatever is not named here counts.
_ABOVE_SOLVERS = (
    "__init__.py",
    "bursts.py",
    "checkpoint.py",
    "checkpoint_content.py",
    "checkpoint_file.py",
    "engines/naive/",
    "engines/vectorized.py",
    "files.py",
    "fingerprint.py",
    "gradient_check/",
    "job.py",
    "jobs.py",
    "known.py",
    "loss.py",
    "many.py",
    "network.py",
    "npz.py",
    "non_finite.py",
    "objective.py",
    "options.py",
    "penalty.py",
    "penalty_choice.py",
    "progress.py",
    "requests.py",
    "result.py",
    "resuming.py",
    "room.py",
    "saver.py",
    "settled.py",
    "sklearn/",
    "storage.py",
    "training.py",
    "training_many.py",
    "unfinished.py",
    "validation/",
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
    engines = module.startswith("batchprop.engines.")
    return tuple(name for name in _FILES if not engines or not name.startswith(_ABOVE_ENGINES))


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
