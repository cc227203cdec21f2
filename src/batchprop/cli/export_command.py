"""``batchprop export``: the network of a model in the formats of other programs."""

from __future__ import annotations

import sys
from argparse import Namespace

from batchprop.cli.columns import quoted
from batchprop.cli.console import Console
from batchprop.cli.errors import OK, USAGE, CommandError
from batchprop.cli.identifiers import identifiers
from batchprop.cli.model import Model
from batchprop.cli.model_use import loaded
from batchprop.export.formula import LANGUAGES
from batchprop.export.formula_names import INPUTS
from batchprop.files import atomic_file

_EXCEL = "excel"


def run(options: Namespace, console: Console) -> int:
    """Export a model; return the exit code."""
    model = loaded(options.model)
    if options.to not in LANGUAGES and options.output is None:
        raise CommandError(f"--to {options.to} writes a file. Name it by -o.", USAGE)
    try:
        with console.warnings_as_lines():
            if options.to in LANGUAGES:
                _write_formula(model, options, console)
            else:
                _write_file(model, options)
    except ImportError as error:
        raise CommandError(str(error)) from None
    except (TypeError, ValueError) as error:
        raise CommandError(console.with_options(str(error)), USAGE) from None
    names = model.table.network_inputs
    if options.to not in LANGUAGES:
        console.note(f"inputs, in this order: {', '.join(names)}")
    if any(column.levels is not None for column in model.table.inputs):
        console.note("column=category is 1 in rows of this category and 0 in the others")
    if options.output is not None:
        console.note(f"written to {quoted(options.output)}")
    return OK


def _write_file(model: Model, options: Namespace) -> None:
    network = model.network
    if options.to == "safetensors":
        network = network if options.dtype is None else network.astype(options.dtype)
        network.to_safetensors(options.output)
    elif options.to == "onnx":
        network.to_onnx(options.output, options.dtype)
    else:
        network.to_c(options.output, dtype=options.dtype)


def _write_formula(model: Model, options: Namespace, console: Console) -> None:
    network = model.network if options.dtype is None else model.network.astype(options.dtype)
    names, targets = model.table.network_inputs, model.table.targets
    if options.to == _EXCEL:
        text = network.formula(_EXCEL)
        console.note(f"for a row 2 whose cells A2, B2, ... are: {', '.join(names)}")
    else:
        every = identifiers([*names, *targets], INPUTS[options.to].reserved)
        inputs, outputs = every[: len(names)], every[len(names) :]
        text = network.formula(options.to, inputs, outputs)
        changed = [
            f"{new} is {old}"
            for new, old in zip(every, [*names, *targets], strict=True)
            if new != old
        ]
        if changed:
            console.note(f"names in the formulas: {', '.join(changed)}")
    if options.output is None:
        sys.stdout.write(f"{text.rstrip()}\n")
    else:
        atomic_file.write_bytes(options.output, f"{text.rstrip()}\n".encode())
