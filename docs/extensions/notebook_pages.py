"""Notebooks as pages: their text, code, printed output and figures, as saved in the file."""

from __future__ import annotations

import re

import nbformat
from myst_parser.sphinx_ import Parser


def fenced(text: str, language: str) -> str:
    """Return a code block; its fence is longer than any run of backticks in the text."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text + "``")))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def shown(output: nbformat.NotebookNode) -> str:
    """Return one output of a cell as Markdown."""
    if output.output_type == "stream":
        return fenced(output.text, "text")
    if output.output_type == "error":
        return fenced(f"{output.ename}: {output.evalue}", "text")
    if "image/png" in output.data:
        return f"![figure](data:image/png;base64,{''.join(output.data['image/png'].split())})"
    return fenced(output.data.get("text/plain", ""), "text")


def markdown_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as one Markdown page."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.source.strip():
            parts.append(fenced(cell.source, "python"))
            parts += [shown(output) for output in cell.outputs]
    return "\n\n".join(parts) + "\n"


class NotebookParser(Parser):
    """Read a notebook as the page that it is in Markdown."""

    supported = ("ipynb",)

    def parse(self, inputstring, document) -> None:
        """Parse the JSON text of a notebook."""
        super().parse(markdown_of(nbformat.reads(inputstring, as_version=4)), document)


def setup(app) -> dict[str, bool]:
    """Register the parser."""
    app.add_source_suffix(".ipynb", "ipynb")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
