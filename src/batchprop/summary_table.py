"""A summary of labels and texts, as aligned lines and as an HTML table for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from batchprop.parameters import Shape

# No colours: text and background are those of the notebook's theme, light or dark.
_TABLE = "border-collapse: collapse; margin: 0.3em 0"
_CAPTION = "caption-side: top; text-align: left; padding: 0.2em 0.6em"
_LABEL = "text-align: left; font-weight: normal; opacity: 0.7; padding: 0.1em 0.6em"
_TEXT = "text-align: left; padding: 0.1em 0.6em"


def text(rows: Mapping[str, str]) -> str:
    """Return labels and texts as aligned lines; empty texts are left out."""
    shown = {label: value for label, value in rows.items() if value}
    width = max(map(len, shown))
    return "\n".join(f"{label:<{width}}  {value}" for label, value in shown.items())


def html(title: str, rows: Mapping[str, str]) -> str:
    """Return the same as an HTML table with a title."""
    lines = [
        f'<tr><th scope="row" style="{_LABEL}">{escape(label)}</th>'
        f'<td style="{_TEXT}">{escape(value)}</td></tr>'
        for label, value in rows.items()
        if value
    ]
    caption = f'<caption style="{_CAPTION}"><strong>{escape(title)}</strong></caption>'
    return "\n".join([f'<table style="{_TABLE}">', caption, *lines, "</table>"])


def network_html(shape: Shape, activation: str, dtype: str) -> str:
    """Return the table of a network."""
    rows = {
        "inputs": f"{shape.n_inputs:,}",
        "hidden units": f"{shape.n_hidden:,}, {activation}",
        "outputs": f"{shape.n_outputs:,}",
        "parameters": f"{shape.n_parameters:,}, {dtype}",
    }
    return html(f"Network {shape}", rows)
