"""What docstrings need before Sphinx reads them as reStructuredText.

Docstrings are written for ``help()``.  They name pages by their public address; on the site each
becomes a link to the page itself, under its title.  And of the names that end with an underscore,
numpydoc escapes only the last one before a colon; the others would be read as references.
"""

from __future__ import annotations

import re

from batchprop.version import DOCS

_LINK = re.compile(re.escape(DOCS) + r"([\w/-]+)\.html")
_PARAMETER = re.compile(r"^(\w+(?:, \w+)*)( : .*)")
_FINAL_UNDERSCORE = re.compile(r"(?<=\w)_(?!\w)")


def with_page_links(line: str) -> str:
    """Return a line of a docstring in which Sphinx resolves the links to pages."""
    return _LINK.sub(r":doc:`/\1`", line)


def with_escaped_names(line: str) -> str:
    """Return the head of a parameter in which no final underscore marks a reference."""
    match = _PARAMETER.match(line)
    if match is None:
        return line
    names, types = match.groups()
    return names.replace("_,", r"\_,") + _FINAL_UNDERSCORE.sub(r"\_", types)


def _escape(app, what, name, value, options, lines: list[str]) -> None:
    lines[:] = map(with_escaped_names, lines)


def _link(app, what, name, value, options, lines: list[str]) -> None:
    lines[:] = map(with_page_links, lines)


def setup(app) -> dict[str, bool]:
    """Connect to autodoc, before and after numpydoc (at 500) has read the sections."""
    app.connect("autodoc-process-docstring", _escape, priority=100)
    app.connect("autodoc-process-docstring", _link, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
