"""Entries of a toctree that end with * name pages that may be absent; Sphinx would warn of them."""

from __future__ import annotations

import re
from pathlib import Path

_ENTRY = re.compile(r"^(\w[\w/-]*\*)\n", re.MULTILINE)


def without_absent_pages(text: str, folder: Path) -> str:
    """Return the text of a page in a folder without the entries that match no file."""
    return _ENTRY.sub(lambda match: match[0] if any(folder.glob(match[1])) else "", text)


def _drop(app, docname: str, source: list[str]) -> None:
    source[0] = without_absent_pages(source[0], Path(app.env.doc2path(docname)).parent)


def setup(app) -> dict[str, bool]:
    """Connect to the reading of pages."""
    app.connect("source-read", _drop)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
