"""Settings of the documentation site: ``make docs`` builds it in build/docs/html."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent / "src"), str(DOCS)]

from extensions.repository_links import address  # noqa: E402

import batchprop  # noqa: E402

REPOSITORY = "https://github.com/batchprop/batchprop"
BRANCH = "main"

project = "batchprop"
author = "batchprop developers"
copyright = author  # noqa: A001
version = release = batchprop.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "extensions.repository_links",
    "extensions.docstrings",
    "extensions.notebook_pages",
    "extensions.one_title",
    "extensions.optional_pages",
]
nitpicky = True

# Pages.  GitHub renders the same files: ```math is a formula there as here.
exclude_patterns = ["extensions"]
highlight_language = "text"  # of indented blocks: formulas, output and commands
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4

# Docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_default_options = {"members": True}
maximum_signature_line_length = 80
numpydoc_show_class_members = False  # autodoc lists them

# Looks
html_theme = "furo"
html_title = f"batchprop {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "source_repository": f"{REPOSITORY}/",
    "source_branch": BRANCH,
    "source_directory": "docs/",
}
copybutton_selector = ":is(.highlight-python, .highlight-sh, .highlight-default) pre"  # no output
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Return the address of the source code of a documented object."""
    value: object = sys.modules.get(info["module"])
    for name in info["fullname"].split("."):
        value = getattr(value, name, None)
    value = inspect.unwrap(value.fget if isinstance(value, property) else value)
    try:
        path, (_, line) = Path(inspect.getsourcefile(value) or ""), inspect.getsourcelines(value)
    except (TypeError, OSError):
        return None  # a constant or an attribute
    if DOCS.parent not in path.resolve().parents:
        return None  # inherited from another package
    return f"{address(path.resolve(), REPOSITORY, BRANCH)}#L{line}"


def setup(app: object) -> None:
    """Tell the extensions where the repository is."""
    app.add_config_value("repository", (REPOSITORY, BRANCH), "env")
