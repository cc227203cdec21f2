"""``batchprop predict``: the predictions of a model for a table, as CSV."""

from __future__ import annotations

import csv
import io
import sys
from argparse import Namespace
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from batchprop.cli import column_choice, table
from batchprop.cli.columns import INPUT
from batchprop.cli.console import Console
from batchprop.cli.errors import OK, USAGE, CommandError
from batchprop.cli.model import Model
from batchprop.cli.model_use import loaded
from batchprop.cli.one_hot import encoded
from batchprop.cli.table import Table, TableFormat
from batchprop.cli.training_data import complete
from batchprop.files import atomic_file

_BLOCK = 4096  # rows that are written at once


def run(options: Namespace, console: Console) -> int:
    """Predict for a table; return the exit code."""
    model = loaded(options.model)
    if (options.std or options.interval is not None) and model.predictive is None:
        raise CommandError(
            f"{options.model} does not say how sure it is. Train it with --uncertainty laplace, "
            f"or leave out --std and --interval.",
            USAGE,
        )
    form = TableFormat(options.separator, model.table.header, options.encoding)
    read = table.read(
        options.table,
        form,
        lambda names: column_choice.of_model(names, model.table, table.label_of(options.table)),
    )
    read, _ = complete(read, options.drop_incomplete, console)
    note_extrapolation(read, model, console)
    inputs = encoded(read.of(INPUT), read.columns_of(INPUT))
    names, columns = _predictions(model, inputs, options)
    if options.output is None:
        for text in _lines(names, columns, model.network.dtype):
            sys.stdout.write(text)
        return OK
    content = "".join(_lines(names, columns, model.network.dtype))
    atomic_file.write_bytes(options.output, content.encode("utf-8"))
    console.note(f"{len(inputs):,} rows written to {options.output}")
    return OK


def note_extrapolation(read: Table, model: Model, console: Console) -> None:
    """Note how many rows are outside the range that the network was trained on."""
    outside = np.zeros(len(read.values), np.bool_)
    columns = []
    for k, column in enumerate(model.table.inputs):
        if column.levels is None:
            values = read.values[:, k]
            beyond = (values < column.minimum) | (values > column.maximum)
            if beyond.any():
                columns.append(column.name)
                outside |= beyond
    if columns:
        n_outside = int(np.count_nonzero(outside))
        more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
        console.note(
            f"{n_outside:,} of {outside.size:,} rows are outside the range of the training data "
            f"in {', '.join(map(repr, columns[:8]))}{more}; predictions are less reliable there"
        )


def _predictions(
    model: Model, inputs: npt.NDArray[np.float64], options: Namespace
) -> tuple[list[str], list[npt.NDArray[np.float64]]]:
    """Return the names of the columns to write, and the columns."""
    network, predictive = model.network, model.predictive
    Y = network.predict(inputs.T, n_threads=options.threads)
    bounds = std = None
    if options.std and predictive is not None:
        _, std = predictive.predict(inputs.T, return_std=True, n_threads=options.threads)
    if options.interval is not None and predictive is not None:
        bounds = predictive.interval(inputs.T, options.interval, n_threads=options.threads)
    names, columns = [], []
    for o, target in enumerate(model.table.targets):
        name = target if model.table.header else f"y{o + 1}"
        names.append(name)
        columns.append(Y[o])
        if std is not None:
            names.append(f"{name}_std")
            columns.append(std[o])
        if bounds is not None:
            names += [f"{name}_lower", f"{name}_upper"]
            columns += [bounds[0][o], bounds[1][o]]
    return names, columns


def _lines(
    names: list[str], columns: list[npt.NDArray[np.float64]], dtype: np.dtype[np.float64]
) -> Iterator[str]:
    """Yield the text of the predictions, block by block."""

    def text(value: float) -> str:
        return format(value, ".9g") if dtype == np.float32 else repr(value)

    yield _csv([names])
    for start in range(0, columns[0].size, _BLOCK):
        block = [map(text, column[start : start + _BLOCK].tolist()) for column in columns]
        yield _csv(list(zip(*block, strict=True)))


def _csv(rows: list[list[str]] | list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
