"""Docstrings and messages link to pages of the site, and each of these pages exists in docs/."""

from __future__ import annotations

import re

from batchprop.version import DOCS
from tests.project import ROOT, files_in, name_of

SOURCES = files_in("src", ".py")
# A link is written out in a docstring and begins with {DOCS} in an f-string.
LINK = re.compile(rf"(?:{re.escape(DOCS)}|\{{DOCS\}})([\w./-]*\w)?(?:#([\w-]+))?")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(path):
    """Return the anchors of a page's headings: lower case, no punctuation, dashes for spaces."""
    headings = HEADING.findall(path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def missing_pages(text):
    """Yield the links of some source code to pages or headings that do not exist."""
    for page, anchor in LINK.findall(text):
        if not page:
            continue  # the front page
        path = ROOT / "docs" / page.replace(".html", ".md")
        if not page.endswith(".html") or not path.is_file():
            yield page
        elif anchor and anchor not in anchors(path):
            yield f"{page}#{anchor}"


def test_every_link_to_the_site_leads_to_a_page():
    texts = {name_of(path): path.read_text("utf-8") for path in SOURCES}
    assert sum(len(LINK.findall(text)) for text in texts.values()) > 20
    missing = {name: list(missing_pages(text)) for name, text in texts.items()}
    assert not {name: pages for name, pages in missing.items() if pages}


def test_missing_pages_and_headings_are_found():
    text = f'"""{DOCS}scaling.html#the-fold, {DOCS}scaling.html#nothing."""\nf"{{DOCS}}none.html."'
    assert list(missing_pages(text)) == ["scaling.html#nothing", "none.html"]


def test_no_source_file_names_a_page_that_a_wheel_lacks():
    named = re.compile(r"docs/[\w/-]+\.md")
    offenders = {name_of(path): named.findall(path.read_text("utf-8")) for path in SOURCES}
    del offenders["src/batchprop/version.py"]  # says how a page and its address correspond
    assert not {name: pages for name, pages in offenders.items() if pages}
