"""``batchprop evaluate``: the errors of a model on a table with known targets."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np

from batchprop.cli import column_choice, measures, table
from batchprop.cli.console import Console, aligned
from batchprop.cli.errors import OK
from batchprop.cli.fit import LEVEL, MEAN, NETWORK
from batchprop.cli.measures import Errors
from batchprop.cli.model_use import loaded
from batchprop.cli.predict_command import note_extrapolation
from batchprop.cli.table import TableFormat
from batchprop.cli.train_output import coverage_text, error_cells
from batchprop.cli.training_data import complete, rows_of


def run(options: Namespace, console: Console) -> int:
    """Measure a model on a table; return the exit code."""
    model = loaded(options.model)
    form = TableFormat(options.separator, model.table.header, options.encoding)
    read = table.read(
        options.table,
        form,
        lambda names: column_choice.of_model(
            names,
            model.table,
            table.label_of(options.table),
            with_targets=True,
            weights=options.weights,
        ),
    )
    read, n_dropped = complete(read, options.drop_incomplete, console)
    rows = rows_of(read)
    note_extrapolation(read, model, console)
    Y = model.network.predict(rows.X.T, n_threads=options.threads).T
    mean = np.broadcast_to(np.array(model.table.target_means), rows.T.shape)
    errors = {
        MEAN: measures.errors(rows.T, mean, rows.weights),
        NETWORK: measures.errors(rows.T, Y, rows.weights),
    }
    coverage = None
    if model.predictive is not None:
        lower, upper = model.predictive.interval(rows.X.T, LEVEL, n_threads=options.threads)
        coverage = measures.coverage(rows.T, lower.T, upper.T, rows.weights)
    if options.json:
        console.json(_content(model.table.targets, errors, coverage, len(rows), n_dropped))
        return OK
    blocks = [f"errors on {len(rows):,} rows of {read.label}:"]
    for o, target in enumerate(model.table.targets):
        cells = [(target, "RMSE", "MAE", "R²")]
        cells.append(("mean of the training rows", *error_cells(errors[MEAN][o])))
        cells.append((NETWORK, *error_cells(errors[NETWORK][o])))
        text = aligned(cells, indent="  ")
        if coverage is not None:
            text += f"\n  {coverage_text(coverage[o])}"
        blocks.append(text)
    console.result("\n\n".join(blocks))
    return OK


def _content(
    targets: list[str],
    errors: dict[str, list[Errors]],
    coverage: list[float] | None,
    n_rows: int,
    n_dropped: int,
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "rows": n_rows,
        "rows_dropped": n_dropped,
        "errors": {
            target: {name: values[o]._asdict() for name, values in errors.items()}
            for o, target in enumerate(targets)
        },
    }
    if coverage is not None:
        content["interval_level"] = LEVEL
        content["interval_coverage"] = dict(zip(targets, coverage, strict=True))
    return content
