"""Links from a page to files outside docs/ become links to the repository on its code host.

Pages are read on the code host, too, so they link by relative paths: ``../src/batchprop/loss.py``.
The site has no such file.  Links to what is in docs/ but is no page, such as JSON and folders, go
to the repository as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = {".md", ".ipynb"}
IMAGES = {".png", ".svg", ".jpg"}
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)((?:#[^)\s]*)?)(?=\))")


def address(path: Path, repository: str, branch: str) -> str:
    """Return the address of a file or folder of the checkout on the code host."""
    kind = "tree" if path.is_dir() else "blob"
    return f"{repository}/{kind}/{branch}/{path.relative_to(ROOT).as_posix()}"


def with_repository_links(text: str, page: Path, repository: str, branch: str) -> str:
    """Return a page's text with its links out of the site rewritten."""

    def rewritten(match: re.Match[str]) -> str:
        target, anchor = match.groups()
        if ":" in target:
            return match[0]
        path = Path(os.path.normpath(page.parent / target))
        on_site = ROOT / "docs" in path.parents and path.suffix in PAGES | IMAGES
        if on_site or not path.exists():  # of a link to nothing the build warns
            return match[0]
        return address(path, repository, branch) + anchor

    return _LINK.sub(rewritten, text)


def _rewrite(app, docname: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    source[0] = with_repository_links(source[0], page, *app.config.repository)


def setup(app) -> dict[str, bool]:
    """Connect to the reading of pages."""
    app.connect("source-read", _rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
