"""The site: its pages are reachable, and links in source code and pages lead to what exists."""

from __future__ import annotations

import re

import nbformat
import pytest

import batchprop
import batchprop.result
from batchprop.version import DOCS
from docs.extensions.docstrings import with_escaped_names, with_page_links
from docs.extensions.notebook_pages import markdown_of
from docs.extensions.one_title import with_one_title
from docs.extensions.optional_pages import without_absent_pages
from docs.extensions.repository_links import with_repository_links
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


def test_every_page_is_in_the_navigation():
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    toctrees = re.findall(r"^```\{toctree\}\n(.*?)^```", index, re.MULTILINE | re.DOTALL)
    entries = [line for tree in toctrees for line in tree.split("\n") if line and line[0] != ":"]
    listed = {path for entry in entries for path in (ROOT / "docs").glob(f"{entry}.*")}
    listed |= {path for entry in entries if "*" in entry for path in (ROOT / "docs").glob(entry)}
    pages = {path for path in files_in("docs", ".md") if path.name != "index.md"}
    pages -= {path for path in pages if path.parent.name == "api"}  # listed by api/index.md
    assert entries
    assert not sorted(name_of(path) for path in pages - listed)


def test_the_reference_has_every_public_name():
    pages = "\n".join(path.read_text("utf-8") for path in files_in("docs/api", ".md"))
    documented = set(re.findall(r"^\.\. auto\w+:: batchprop\.([\w.]+)", pages, re.MULTILINE))
    public = set(batchprop.__all__) - {"__version__"}
    public |= {f"result.{name}" for name in batchprop.result.__all__} - {"result.TrainResult"}
    assert public <= documented


@pytest.mark.parametrize(
    ("link", "rewritten"),
    [
        ("../src/batchprop/loss.py", "R/blob/main/src/batchprop/loss.py"),
        ("../README.md#how-fast", "R/blob/main/README.md#how-fast"),
        ("../src/batchprop/engines/", "R/tree/main/src/batchprop/engines"),
        ("benchmarks/uci.json", "R/blob/main/docs/benchmarks/uci.json"),
        ("notebooks", "R/tree/main/docs/notebooks"),
        ("penalty.md#the-same-number-elsewhere", None),
        ("benchmarks/engines.png", None),
        ("notebooks/2-matrix-form.ipynb", None),
        ("../src/nothing.py", None),  # the build warns
        ("#names", None),
        ("https://example.org/a", None),
    ],
)
def test_links_out_of_the_site(link, rewritten):
    text = with_repository_links(f"a [b]({link}) c", ROOT / "docs" / "page.md", "R", "main")
    assert text == f"a [b]({rewritten or link}) c"


def test_links_in_docstrings_name_pages():
    assert with_page_links(f"read ({DOCS}scaling.html).") == "read (:doc:`/scaling`)."
    assert with_page_links(DOCS) == DOCS


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("n_iter_, best_iter_ : int", r"n_iter\_, best_iter_ : int"),
        ("curve_ : ndarray, shape (n_iter_ + 1,)", r"curve_ : ndarray, shape (n_iter\_ + 1,)"),
        ("    of ``n_iter_``, the n_iter_ : int", None),
        ("alpha : float", None),
    ],
)
def test_names_with_a_final_underscore(line, escaped):
    assert with_escaped_names(line) == (escaped or line)


def test_a_page_has_one_title():
    text = "# A\n## B\n```python\n# C\n```\n# D\n## E"
    assert with_one_title(text) == "# A\n## B\n```python\n# C\n```\n## D\n### E"
    assert with_one_title("# A\n## B\n### C") == "# A\n## B\n### C"


def test_pages_that_are_absent_are_no_entries():
    assert without_absent_pages("scaling*\nnothing*\nnone\n", ROOT / "docs") == "scaling*\nnone\n"


def test_a_notebook_is_a_page():
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("print('```')"),
        nbformat.v4.new_code_cell(""),
    ]
    cells[1].outputs = [
        nbformat.v4.new_output("stream", text="```\n"),
        nbformat.v4.new_output("display_data", {"image/png": "AB\n=", "text/plain": "<Figure>"}),
        nbformat.v4.new_output("execute_result", {"text/plain": "1.0"}),
    ]
    page = markdown_of(nbformat.v4.new_notebook(cells=cells))
    assert page == (
        "# Title\n\n````python\nprint('```')\n````\n\n````text\n```\n````\n\n"
        "![figure](data:image/png;base64,AB=)\n\n```text\n1.0\n```\n"
    )
