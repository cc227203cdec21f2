"""``batchprop train``: from a table to a model, its measured errors and a report."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from batchprop import validation
from batchprop.cli import column_choice, measures, model, table
from batchprop.cli.columns import INPUT, TARGET
from batchprop.cli.console import Console
from batchprop.cli.errors import INTERRUPTED, NOT_RELIABLE, OK, USAGE, CommandError
from batchprop.cli.fit import Fit, fit
from batchprop.cli.model import InputColumn, Model, TableDescription
from batchprop.cli.table import Table, TableFormat
from batchprop.cli.train_output import measures_of, summary
from batchprop.cli.training_data import Rows, check_for_training, complete, rows_of

_REPORT_NAME = "report.html"  # in a folder


def run(options: Namespace, console: Console) -> int:
    """Train on a table; return the exit code."""
    model_path = _model_path(options)
    report_path = _report_path(options.report)
    form = TableFormat(options.separator, options.header, options.encoding)
    choice = column_choice.Options(
        options.target, options.inputs, options.ignore, options.categorical, options.weights
    )
    read = table.read(
        options.table, form, lambda names: column_choice.for_training(names, choice, console)
    )
    complete_rows, n_dropped = complete(read, options.drop_incomplete, console)
    rows = rows_of(complete_rows)
    check_for_training(read, rows, console)
    try:
        outcome = fit(
            rows,
            _train_arguments(options),
            fraction=options.hold_out,
            refit=options.refit_all,
            console=console,
        )
    except (TypeError, ValueError) as error:
        raise CommandError(console.with_options(str(error)), USAGE) from None
    trained = _model_of(outcome, read, rows, options.header, n_dropped)
    model.save(model_path, trained)
    console.saved.append(str(model_path))
    if report_path is not None:
        from batchprop.cli import report_page

        report_page.write(report_path, trained, outcome, rows, str(model_path), console)
    if options.json:
        console.json(
            {"model": str(model_path), "report": report_path and str(report_path)}
            | trained.table.measures
        )
    else:
        text = summary(read.label, trained, outcome, str(model_path), report_path)
        console.result(console.with_options(text))
    return _exit_code(outcome, console)


def _exit_code(outcome: Fit, console: Console) -> int:
    if outcome.interrupted:
        console.note("interrupted; the best network so far is saved")
        return INTERRUPTED
    if outcome.result.converged or outcome.limited:
        return OK
    console.warning(
        f"training did not converge (it was stopped by {outcome.result.stop_reason!r}); the model "
        f"is saved all the same"
    )
    return NOT_RELIABLE


def _train_arguments(options: Namespace) -> dict[str, Any]:
    """Return keyword arguments of ``batchprop.train``; those left out have its defaults."""
    arguments = {
        "hidden_size": options.hidden_size,
        "activation": options.activation,
        "solver": options.solver,
        "alpha": options.alpha,
        "n_init": options.n_init,
        "combine": options.combine,
        "uncertainty": options.uncertainty,
        "max_seconds": options.max_seconds,
        "n_threads": options.threads,
        "seed": options.seed,
    }
    if options.max_epochs is not None:
        arguments["max_epochs"] = options.max_epochs
    return arguments


def _model_path(options: Namespace) -> Path:
    """Return where the model goes; a default name does not replace a file of another kind."""
    is_default = options.output is None
    name = options.output
    if is_default:
        stem = "model" if options.table == "-" else Path(options.table).name.split(".")[0]
        name = f"{stem or 'model'}.npz"
    path = _writable("-o", name)
    if is_default and path.exists():
        try:
            model.load(path)
        except (OSError, ValueError):
            raise CommandError(
                f"{name} exists and is no model made by batchprop train. Name another file by -o."
            ) from None
    return path


def _report_path(name: str | None) -> Path | None:
    if name is None:
        return None
    if name.endswith(("/", os.sep)):
        Path(name).mkdir(parents=True, exist_ok=True)
    return _writable("--report", os.path.join(name, _REPORT_NAME) if os.path.isdir(name) else name)


def _writable(option: str, name: str) -> Path:
    """Return the path of a file that can be written, before a long training."""
    try:
        path = validation.file_path(option, name)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from None
    folder = Path(os.path.realpath(path)).parent
    if not os.access(folder, os.W_OK):
        raise CommandError(f"{option}: {str(folder)!r} cannot be written to. Name another folder.")
    return path


def _model_of(outcome: Fit, read: Table, rows: Rows, header: bool, n_dropped: int) -> Model:
    """Return the model: the network, what is known of its table, and its errors."""
    names = [column.name for column in read.columns_of(TARGET)]
    description = TableDescription(
        inputs=_input_columns(read),
        targets=names,
        header=header,
        n_columns=read.n_columns,
        n_rows=outcome.n_rows,
        target_means=[float(mean) for mean in measures.means(rows.T, rows.weights)],
        measures=measures_of(outcome, names, len(rows), n_dropped),
    )
    return Model(outcome.result.network, description, outcome.result.predictive)


def _input_columns(read: Table) -> tuple[InputColumn, ...]:
    values = read.of(INPUT)
    columns = []
    for k, column in enumerate(read.columns_of(INPUT)):
        low, high = np.nanmin(values[:, k]), np.nanmax(values[:, k])
        if column.categorical:
            columns.append(InputColumn(column.name, column.levels))
        else:
            columns.append(InputColumn(column.name, None, float(low), float(high)))
    return tuple(columns)
