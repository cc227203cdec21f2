"""Mutation testing: apply a small change to the code and check that a test fails.

    python tools/mutate.py                      all mutants in tools/mutants/*.toml
    python tools/mutate.py --only lm/step.py    those whose file or text contains the words
    python tools/mutate.py --narrow             run only the tests listed for each mutant

Changes are applied to a copy of the checkout in a temporary folder, never in place.  The tests that
should detect a mutant run first, then all tests of its part of the package (``wider.toml``).
A mutant that passes them all has *survived*: a test is missing, or the change has no effect.
A mutant is *stale* if its text does not occur exactly once in its file, if the result is not valid
Python, or if a test file does not exist: update the table.  Stale and surviving mutants are errors.

Kernels are recompiled for each mutant and cached in one separate folder: ``--kernels FOLDER``.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "tools" / "mutants"
WIDER = "wider.toml"
PACKAGE = Path("src") / "batchprop"
IGNORED = (".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", "build", "dist")
TIMEOUT = 300  # seconds per call of pytest: a mutant may cause an infinite loop
KILLED, SURVIVED, STALE = "killed", "SURVIVED", "STALE"


class Mutant(NamedTuple):
    """A change from ``old`` to ``new`` in ``file``, which ``tests`` should detect."""

    file: str
    old: str
    new: str
    tests: str

    @property
    def title(self) -> str:
        """A one-line description."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file}: {old} → {new}" if new else f"{self.file}: {old} → nothing"


def read_tables(folder: Path) -> list[Mutant]:
    """Return all mutants in the tables of a folder."""
    mutants = []
    for path in sorted(folder.glob("*.toml")):
        if path.name != WIDER:
            table = tomllib.loads(path.read_text("utf-8"))
            mutants += [Mutant(**entry) for entry in table["mutant"]]
    return mutants


def wider_tests(file: str, folder: Path) -> list[str]:
    """Return the tests for the part of the package that contains a file."""
    parts: dict[str, str] = tomllib.loads((folder / WIDER).read_text("utf-8"))["tests"]
    prefixes = [part for part in parts if file.startswith(part)]
    return parts[max(prefixes, key=len)].split()


def changed(text: str, mutant: Mutant) -> str | None:
    """Return the text with the change applied; None if it does not apply exactly once."""
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        return None
    mutated = text.replace(mutant.old, mutant.new)
    try:
        ast.parse(mutated)
    except SyntaxError:
        return None
    return mutated


def files_of(tests: str) -> list[str]:
    """Return the files of tests: ``tests/test_x.py`` for ``tests/test_x.py::test_y``."""
    return [test.split("::")[0] for test in tests.split()]


def fails(copy: Path, tests: Sequence[str], kernels: Path) -> bool:
    """Run tests in a copy of the checkout; return whether any of them fails."""
    environment = os.environ | {
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(kernels),
        "MPLBACKEND": "Agg",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        completed = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return True
    if completed.returncode in (0, 1, 2):  # 2: errors while collecting the tests
        return completed.returncode != 0
    crashed = completed.returncode < 0 or completed.returncode > 128
    if crashed or "ERROR collecting" in completed.stdout:  # the import fails
        return True
    raise SystemExit(
        f"pytest could not run {' '.join(tests)}:\n{completed.stdout}{completed.stderr}"
    )


def outcome(mutant: Mutant, copy: Path, kernels: Path, folder: Path, narrow: bool) -> str:
    """Run the tests on one mutant; the copy is restored afterwards."""
    path = copy / PACKAGE / mutant.file
    text = path.read_text("utf-8") if path.is_file() else ""
    mutated = changed(text, mutant)
    if mutated is None or not all((copy / test).exists() for test in files_of(mutant.tests)):
        return STALE
    path.write_text(mutated, "utf-8")
    try:
        if fails(copy, mutant.tests.split(), kernels):
            return KILLED
        if not narrow and fails(copy, wider_tests(mutant.file, folder), kernels):
            return KILLED
        return SURVIVED
    finally:
        path.write_text(text, "utf-8")


def check_unchanged(mutants: Sequence[Mutant], copy: Path, kernels: Path) -> None:
    """Exit if the tests fail without any change."""
    tests = sorted({test for mutant in mutants for test in mutant.tests.split()})
    tests = [test for test in tests if (copy / files_of(test)[0]).exists()]
    if tests and fails(copy, tests, kernels):
        raise SystemExit("The tests fail without any change: mend them first.")


def arguments(argv: Sequence[str] | None) -> Any:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="WORDS", help="changes whose file or text holds this")
    parser.add_argument("--narrow", action="store_true", help="no wider tests")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    parser.add_argument("--trust", action="store_true", help="do not run the tests unchanged first")
    parser.add_argument("--kernels", type=Path, metavar="FOLDER", help="where kernels are kept")
    parser.add_argument("--table", type=Path, default=TABLES, metavar="FOLDER", help="of changes")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants; return 0 if all of them are killed."""
    options = arguments(argv)
    mutants = [
        mutant for mutant in read_tables(options.table) if (options.only or "") in mutant.title
    ]
    if options.list:
        print(*(mutant.title for mutant in mutants), sep="\n")
        return 0
    results = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*IGNORED), symlinks=True)
        kernels = (options.kernels or Path(folder) / "kernels").absolute()
        kernels.mkdir(parents=True, exist_ok=True)
        if not options.trust:
            check_unchanged(mutants, copy, kernels)
        for number, mutant in enumerate(mutants, start=1):
            start = time.perf_counter()
            results.append(outcome(mutant, copy, kernels, options.table, options.narrow))
            seconds = time.perf_counter() - start
            position = f"{number}/{len(mutants)}"
            print(f"{position:>8} {results[-1]:>8} {seconds:5.0f} s  {mutant.title}", flush=True)
    counts = {kind: results.count(kind) for kind in (KILLED, SURVIVED, STALE)}
    print(", ".join(f"{count} {kind.lower()}" for kind, count in counts.items()))
    return int(counts[KILLED] < len(results))


if __name__ == "__main__":
    sys.exit(main())
