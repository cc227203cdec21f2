"""Every Python block of the documents runs, and prints what its page shows."""

from __future__ import annotations

import shutil

import pytest

from tests.pages import blocks, run
from tests.project import ROOT, files, name_of

PAGES = [path for path in files() if path.suffix == ".md" and any(blocks(path.read_text("utf-8")))]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_blocks_print_what_the_page_shows(path, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    monkeypatch.chdir(tmp_path)  # some write files
    faults, missing = run(path)
    assert not faults, "\n\n".join(faults)
    if missing:
        pytest.skip(f"some blocks need {', '.join(sorted(missing))}")
