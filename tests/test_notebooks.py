"""The notebooks run from top to bottom, and the outputs saved in them are what they print."""

from __future__ import annotations

import re
import subprocess
import sys

import nbformat
import pytest

from tests.project import ROOT

DOCS = ROOT / "docs"
EXECUTE = DOCS / "notebooks" / "execute.py"
FOLDERS = (DOCS / "notebooks", DOCS / "pt" / "notebooks")
NOTEBOOKS = [path for folder in FOLDERS for path in sorted(folder.glob("*.ipynb"))]


def execute(path, folder):
    """Run a copy of a notebook, in a process of its own: the kernel's sockets stay out of here."""
    command = [sys.executable, str(EXECUTE), "--output", str(folder), str(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return nbformat.read(folder / path.name, as_version=4)


def printed(cell):
    """What a cell shows: kinds of output, and its text with every number replaced by #."""
    shown = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            text = re.sub(r"[-+−]?\d[\d.,e+-]*", "#", output.text)
            shown.append((output.name, " ".join(text.split())))
        else:
            shown.append((output.output_type, sorted(output.get("data", {}))))
    return shown


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_two_notebooks_in_two_languages():
    assert [path.name[:2] for path in NOTEBOOKS] == ["1-", "2-"] * 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_shows_what_is_saved(path, tmp_path):
    saved, fresh = nbformat.read(path, as_version=4), execute(path, tmp_path)
    for cell, run in zip(code_cells(saved), code_cells(fresh), strict=True):
        assert printed(cell) == printed(run), f"renew with execute.py: {cell.source}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_saved_complete_and_in_order(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for kind, _ in printed(cell)]
    assert "display_data" in kinds
    assert not {"error", "stderr"}.intersection(kinds)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_names_no_machine(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(not cell.metadata for cell in notebook.cells)
    assert not re.search(
        r"[\"' (]/(home|root|tmp|work|Users|usr|opt)/|[A-Z]:\\\\", path.read_text("utf-8")
    )
    assert path.stat().st_size < 600_000
