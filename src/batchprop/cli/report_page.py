"""The report of a training: one HTML page that needs no other file."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from batchprop.cli import report_pictures
from batchprop.cli.columns import quoted
from batchprop.cli.console import Console
from batchprop.cli.fit import Fit, HeldOut
from batchprop.cli.importance import permutation_importance
from batchprop.cli.model import Model
from batchprop.cli.train_output import coverage_text, error_cells
from batchprop.cli.training_data import Rows
from batchprop.files import atomic_file
from batchprop.version import __version__

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th { text-align: left; font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; }
img { max-width: 100%; margin: 0 1rem 1rem 0; vertical-align: top; }
"""


def write(
    path: Path, model: Model, outcome: Fit, rows: Rows, model_path: str, console: Console
) -> None:
    """Write the report.

    Parameters
    ----------
    path : Path
        The page; an existing file is replaced.
    model : Model
        What was trained.
    outcome : Fit
        How it was trained, and its errors on held-out rows.
    rows : Rows
        All samples.
    model_path : str
        The file of the model.
    console : Console
        Notes that pictures are left out, if they are.
    """
    has_pictures = report_pictures.is_available()
    if not has_pictures:
        console.note(
            "the report has no pictures: matplotlib is not installed. Run: pip install "
            '"batchprop[plot]"'
        )
    parts = [
        f"<h1>{escape(', '.join(model.table.targets))}: a model of batchprop</h1>",
        _error_tables(model, outcome.held_out),
        _pictures(model, outcome, rows) if has_pictures else _no_pictures(),
        "<h2>Training</h2>",
        f"<pre>{escape(str(outcome.result))}</pre>",
        _columns(model),
        _how_to_use(model, model_path),
    ]
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(', '.join(model.table.targets))}</title><style>{_STYLE}</style></head>"
        f"<body>\n{''.join(parts)}\n<p>batchprop {__version__}</p></body></html>\n"
    )
    atomic_file.write_bytes(path, page.encode("utf-8"))


def _error_tables(model: Model, held_out: HeldOut | None) -> str:
    n_rows = model.table.measures["rows"]
    if held_out is None:
        return "<h2>Errors</h2><p>No rows were held out, so that no error on new rows is known.</p>"
    text = (
        f"<h2>Errors on new rows</h2><p>Measured on {len(held_out.T):,} of {n_rows:,} rows, which "
        f"were held out when these predictors were trained."
    )
    if model.table.n_rows == n_rows:
        text += " The network of the model was then trained again, on all rows."
    text += "</p>"
    for o, target in enumerate(model.table.targets):
        body = "".join(
            _row((name, *error_cells(errors[o]))) for name, errors in held_out.errors.items()
        )
        text += f"<table>{_row((target, 'RMSE', 'MAE', 'R²'), 'th')}{body}</table>"
        if held_out.coverage is not None:
            text += f"<p>{coverage_text(held_out.coverage[o])}.</p>"
    return text


def _pictures(model: Model, outcome: Fit, rows: Rows) -> str:
    held_out, table = outcome.held_out, model.table
    samples, which, network = rows, "training rows", model.network
    if held_out is not None:
        samples = Rows(held_out.X, held_out.T, held_out.weights)
        which, network = "held-out rows", held_out.network
    X, T, weights = samples.X, samples.T, samples.weights
    growth = permutation_importance(network, table.inputs, X, T)
    names = [column.name for column in table.inputs]
    text = f"<h2>Pictures</h2><p>They show the {which}.</p>"
    for o, target in enumerate(table.targets):
        arguments = network, X, T, weights, table.targets, o
        pictures = {
            f"predicted against true {target}": report_pictures.predicted_against_true(*arguments),
            f"residuals of {target}": report_pictures.residuals(*arguments),
            f"importance for {target}": report_pictures.importance(names, growth[:, o], target),
        }
        text += "".join(_image(content, name) for name, content in pictures.items())
    text += (
        f"<p>The bars say by how much the error on the {which} grows when the cells of a column "
        f"are shuffled among the rows: the longer, the more the predictions need the column.</p>"
    )
    return text + _image(report_pictures.history(outcome.result), "training loss")


def _image(svg: bytes, text: str) -> str:
    data = base64.b64encode(svg).decode("ascii")
    return f"<img alt='{escape(text)}' src='data:image/svg+xml;base64,{data}'>\n"


def _no_pictures() -> str:
    return (
        "<h2>Pictures</h2><p>There are none: matplotlib was not installed. "
        '<code>pip install "batchprop[plot]"</code> provides it.</p>'
    )


def _columns(model: Model) -> str:
    body = ""
    for column in model.table.inputs:
        values = f"{column.minimum:.6g} to {column.maximum:.6g}"
        if column.levels is not None:
            values = ", ".join(column.levels)
        body += _row((column.name, values), number="")
    return f"<h2>Inputs</h2><table>{_row(('column', 'values'), 'th')}{body}</table>"


def _how_to_use(model: Model, model_path: str) -> str:
    names = model.table.network_inputs
    python = (
        f"import batchprop\n\n"
        f"network = batchprop.Network.load({model_path!r})\n"
        f"columns = {names!r}\n"
        f"predictions = network.predict(X.T)  # X: one row a sample, these columns in this order"
    )
    if any(column.levels is not None for column in model.table.inputs):
        python += "\n# column=category is 1 in the rows of this category and 0 in the others"
    return (
        f"<h2>Use</h2><pre>batchprop predict {escape(quoted(model_path))} new.csv</pre>"
        f"<pre>{escape(python)}</pre>"
    )


def _row(cells: tuple[str, ...], tag: str = "td", number: str = " class='number'") -> str:
    first, *others = cells
    attribute = number if tag == "td" else ""
    text = "".join(f"<{tag}{attribute}>{escape(cell)}</{tag}>" for cell in others)
    return f"<tr><{tag}>{escape(first)}</{tag}>{text}</tr>"
