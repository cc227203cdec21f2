"""A page has one title: further headings of the first level become sections of it.

Sphinx takes each heading of the first level for a page of its own in the navigation.
"""

from __future__ import annotations

import re
from pathlib import Path

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")


def with_one_title(text: str) -> str:
    """Return a page's text with the headings from its second title on demoted."""
    lines, headings, fence = text.split("\n"), [], None
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence is None and mark:
            fence = mark[1]
        elif fence is not None and mark and mark[1].startswith(fence):
            fence = None
        elif fence is None and re.match(r"#{1,5} ", line):
            headings.append(number)
    titles = [number for number in headings if lines[number].startswith("# ")]
    for number in headings:
        if number >= min(titles[1:], default=len(lines)):
            lines[number] = "#" + lines[number]
    return "\n".join(lines)


def _demote(app, docname: str, source: list[str]) -> None:
    if Path(app.env.doc2path(docname)).suffix == ".md":
        source[0] = with_one_title(source[0])


def setup(app) -> dict[str, bool]:
    """Connect to the reading of pages."""
    app.connect("source-read", _demote)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
