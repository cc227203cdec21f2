"""``batchprop check-gradient``: compares the gradient of an engine with its definition."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from batchprop.cli import column_choice, table
from batchprop.cli.console import Console
from batchprop.cli.errors import NOT_RELIABLE, OK
from batchprop.cli.model_use import loaded
from batchprop.cli.table import TableFormat
from batchprop.cli.training_data import complete, rows_of

_SHAPE = 3, 5, 2  # of a random network
_N_SAMPLES = 40  # that are random


def run(options: Namespace, console: Console) -> int:
    """Check the gradient; return the exit code."""
    from batchprop import Network, check_gradient

    rng = np.random.default_rng(options.seed)
    model = None if options.model is None else loaded(options.model)
    network = Network.initialize(*_SHAPE, seed=options.seed) if model is None else model.network
    weights = None
    if model is not None and options.table is not None:
        form = TableFormat(options.separator, model.table.header, options.encoding)
        read = table.read(
            options.table,
            form,
            lambda names: column_choice.of_model(
                names, model.table, table.label_of(options.table), True
            ),
        )
        rows = rows_of(complete(read, options.drop_incomplete, console)[0])
        X, T, weights = rows.X.T, rows.T.T, rows.weights
    else:
        X = rng.standard_normal((network.shape.n_inputs, _N_SAMPLES))
        T = rng.standard_normal((network.shape.n_outputs, _N_SAMPLES))
    with console.warnings_as_lines():
        report = check_gradient(
            network, X, T, engine=options.engine, sample_weight=weights, seed=options.seed
        )
    if options.json:
        errors = {name: float(error) for name, error in report.relative_errors.items()}
        console.json(
            {
                "passed": report.passed,
                "engine": options.engine,
                "network": str(network.shape),
                "relative_errors": errors,
            }
        )
    else:
        console.result(str(report))
    return OK if report.passed else NOT_RELIABLE
