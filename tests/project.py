"""The checkout as the tests of its rules see it: which files there are and what they import."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
MADE = {"build", "dist", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Return every file that git keeps; outside a clone, every file that no tool has made."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        below = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [
            str(path)
            for path in below
            if not MADE.intersection(path.parts) and not path.parts[0].startswith(".")
        ]
    else:
        names = listed.split("\0")
    return tuple(sorted(path for name in names if name and (path := ROOT / name).is_file()))


def files_in(folder: str, suffix: str) -> list[Path]:
    return [path for path in files() if path.suffix == suffix and ROOT / folder in path.parents]


def name_of(path: Path) -> str:
    """Return a file's path below the top level: what a failing test is called."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def module(path: Path) -> str:
    """Return the dotted name under which a file of src is imported."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports, anywhere in it: ``from a import b`` gives ``a`` and ``a.b``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: write imports in full, not relative"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
