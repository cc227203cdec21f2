"""Change the code in one place and see whether a test notices; and so for a table of changes.

    python tools/mutate.py                      all changes of tools/mutants/*.toml
    python tools/mutate.py --only lm/step.py    those whose file or text holds the words
    python tools/mutate.py --narrow             only the tests that are named beside a change

Each change is made in a copy of the checkout in a temporary folder, never in place.  The tests
that are meant to notice it run first, then those of its part of the package (``wider.toml``).
A change that passes them all has *survived*: a test is missing, or the change changes nothing.
A change is *stale* where its text is not in its file exactly once, what it makes is no Python, or a
test file is gone: mend the table.  Stale ones and survivors are errors.

Kernels are compiled anew for each change, into one folder of their own: ``--kernels FOLDER``.
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
LEFT_OUT = (".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", "build", "dist")
LONGEST = 300  # seconds for one call of pytest: a change may make a loop endless
KILLED, SURVIVED, STALE = "killed", "SURVIVED", "STALE"


class Mutant(NamedTuple):
    """One change: ``old`` becomes ``new`` in ``file``, and ``tests`` are meant to notice."""

    file: str
    old: str
    new: str
    tests: str

    @property
    def title(self) -> str:
        """One line that tells it from the others."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file}: {old} → {new}" if new else f"{self.file}: {old} → nothing"


def read_tables(folder: Path) -> list[Mutant]:
    """Return all changes of the tables in a folder."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        if path.name != WIDER:
            table = tomllib.loads(path.read_text("utf-8"))
            found += [Mutant(**one) for one in table["mutant"]]
    return found


def wider_tests(file: str, folder: Path) -> list[str]:
    """Return the tests of the part of the package that a file belongs to."""
    parts: dict[str, str] = tomllib.loads((folder / WIDER).read_text("utf-8"))["tests"]
    fitting = [part for part in parts if file.startswith(part)]
    return parts[max(fitting, key=len)].split()


def changed(text: str, mutant: Mutant) -> str | None:
    """Return the text with the change made; None if there is not exactly one place for it."""
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        return None
    other = text.replace(mutant.old, mutant.new)
    try:
        ast.parse(other)
    except SyntaxError:
        return None
    return other


def files_of(tests: str) -> list[str]:
    """Return the files of some tests: ``tests/test_x.py`` of ``tests/test_x.py::test_y``."""
    return [test.split("::")[0] for test in tests.split()]


def notice(copy: Path, tests: Sequence[str], kernels: Path) -> bool:
    """Run tests in a copy of the checkout; return whether one of them fails."""
    environment = os.environ | {
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(kernels),
        "MPLBACKEND": "Agg",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode in (0, 1, 2):  # 2: the tests could not even be collected
        return done.returncode != 0
    crashed = done.returncode < 0 or done.returncode > 128
    if crashed or "ERROR collecting" in done.stdout:  # nothing can be imported any more
        return True
    raise SystemExit(f"pytest could not run {' '.join(tests)}:\n{done.stdout}{done.stderr}")


def outcome(mutant: Mutant, copy: Path, kernels: Path, folder: Path, narrow: bool) -> str:
    """Try one change; the copy is as it was afterwards."""
    path = copy / PACKAGE / mutant.file
    text = path.read_text("utf-8") if path.is_file() else ""
    other = changed(text, mutant)
    if other is None or not all((copy / test).exists() for test in files_of(mutant.tests)):
        return STALE
    path.write_text(other, "utf-8")
    try:
        if notice(copy, mutant.tests.split(), kernels):
            return KILLED
        if not narrow and notice(copy, wider_tests(mutant.file, folder), kernels):
            return KILLED
        return SURVIVED
    finally:
        path.write_text(text, "utf-8")


def check_unchanged(mutants: Sequence[Mutant], copy: Path, kernels: Path) -> None:
    """Refuse to judge by tests that fail without any change."""
    tests = sorted({test for mutant in mutants for test in mutant.tests.split()})
    tests = [test for test in tests if (copy / files_of(test)[0]).exists()]
    if tests and notice(copy, tests, kernels):
        raise SystemExit("The tests fail without any change: mend them first.")


def arguments(given: Sequence[str] | None) -> Any:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="WORDS", help="changes whose file or text holds this")
    parser.add_argument("--narrow", action="store_true", help="no wider tests")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    parser.add_argument("--trust", action="store_true", help="do not run the tests unchanged first")
    parser.add_argument("--kernels", type=Path, metavar="FOLDER", help="where kernels are kept")
    parser.add_argument("--table", type=Path, default=TABLES, metavar="FOLDER", help="of changes")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Try the changes; return 0 if all of them were noticed."""
    options = arguments(given)
    mutants = [one for one in read_tables(options.table) if (options.only or "") in one.title]
    if options.list:
        print(*(mutant.title for mutant in mutants), sep="\n")
        return 0
    results = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        kernels = (options.kernels or Path(folder) / "kernels").absolute()
        kernels.mkdir(parents=True, exist_ok=True)
        if not options.trust:
            check_unchanged(mutants, copy, kernels)
        for number, mutant in enumerate(mutants, start=1):
            began = time.perf_counter()
            results.append(outcome(mutant, copy, kernels, options.table, options.narrow))
            seconds = time.perf_counter() - began
            place = f"{number}/{len(mutants)}"
            print(f"{place:>8} {results[-1]:>8} {seconds:5.0f} s  {mutant.title}", flush=True)
    counts = {kind: results.count(kind) for kind in (KILLED, SURVIVED, STALE)}
    print(", ".join(f"{count} {kind.lower()}" for kind, count in counts.items()))
    return int(counts[KILLED] < len(results))


if __name__ == "__main__":
    sys.exit(main())
