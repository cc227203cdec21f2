"""Which columns of a table a command reads, and for what."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from batchprop.cli.columns import INPUT, TARGET, WEIGHT, Column, quoted
from batchprop.cli.console import Console
from batchprop.cli.errors import USAGE, CommandError, listed, suggestion
from batchprop.cli.model import InputColumn, TableDescription


class Options(NamedTuple):
    """The columns that the user names for ``train``, each as it was written.

    Attributes
    ----------
    targets, inputs, ignored, categorical : sequence of str
        A name, or several separated by commas.  No inputs: all other columns.
    weights : str or None
        The column of sample weights.
    """

    targets: Sequence[str]
    inputs: Sequence[str] = ()
    ignored: Sequence[str] = ()
    categorical: Sequence[str] = ()
    weights: str | None = None


def for_training(names: list[str], options: Options, console: Console) -> list[Column]:
    """Return the columns for training: inputs, then targets, then weights.

    Raises
    ------
    CommandError
        There is no such column, a column has two roles, a name is not unique, or no input is left.
    """
    targets = _resolved("--target", options.targets, names)
    ignored = _resolved("--ignore", options.ignored, names)
    weights = _resolved("--weights", [options.weights] if options.weights else [], names)
    if len(weights) > 1:
        raise CommandError("--weights must name one column.", USAGE)
    inputs = _resolved("--inputs", options.inputs, names)
    if not inputs:
        _note_unnamed(names, console)
        others = {*targets, *ignored, *weights, ""}
        inputs = list(dict.fromkeys(name for name in names if name not in others))
    if not inputs:
        raise CommandError(
            f"No column is left for the inputs. The table has {listed(names)}.", USAGE
        )
    roles = {"--target": targets, "--inputs": inputs, "--ignore": ignored, "--weights": weights}
    _check_roles(roles)
    categorical = _resolved("--categorical", options.categorical, names)
    for name in categorical:
        if name not in inputs:
            raise CommandError(
                f"--categorical must name an input; got {name!r}. A target must be a number: "
                f"batchprop predicts numbers, not categories.",
                USAGE,
            )
    of_role = ((INPUT, inputs), (TARGET, targets), (WEIGHT, weights))
    return [
        Column(name, _position(names, name), role, name in categorical)
        for role, chosen in of_role
        for name in chosen
    ]


def of_model(
    names: list[str],
    table: TableDescription,
    label: str,
    with_targets: bool = False,
    weights: str | None = None,
) -> list[Column]:
    """Return the columns that a model needs: inputs, then targets and weights if asked for.

    Raises
    ------
    CommandError
        The table lacks a column.
    """
    if not table.header:
        names = _numbered(names, table, label, with_targets)
    needed = [column.name for column in table.inputs] + (table.targets if with_targets else [])
    lacking = [name for name in needed if name not in names]
    if lacking:
        plural = "s" if len(lacking) > 1 else ""
        raise CommandError(
            f"{label} lacks the column{plural} {listed(lacking)}, which the model needs. "
            f"It has {listed(names)}."
        )
    columns = [_input(names, column) for column in table.inputs]
    if with_targets:
        columns += [Column(name, _position(names, name), TARGET) for name in table.targets]
    if weights:
        (name,) = _resolved("--weights", [weights], names)
        columns.append(Column(name, _position(names, name), WEIGHT))
    return columns


def _input(names: list[str], column: InputColumn) -> Column:
    position = _position(names, column.name)
    return Column(column.name, position, INPUT, column.levels is not None, column.levels)


def _numbered(
    names: list[str], table: TableDescription, label: str, with_targets: bool
) -> list[str]:
    """Return the names of columns of a table without a header.

    The table has all columns of the one that the model was trained on, at the same positions, or
    the inputs alone.
    """
    inputs = [column.name for column in table.inputs]
    if len(names) == table.n_columns:
        return names
    if len(names) == len(inputs) and not with_targets:
        return inputs
    allowed = f"{table.n_columns} columns, like the table that the model was trained on"
    if not with_targets:
        allowed += f", or its {len(inputs)} inputs alone"
    raise CommandError(f"{label} has {len(names)} columns; the model needs {allowed}.")


def _resolved(option: str, texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the columns that an option names: a text is a name, or names separated by commas."""
    resolved: list[str] = []
    for text in texts:
        parts = [text] if text in names else next(csv.reader([text], skipinitialspace=True), [])
        for part in map(str.strip, parts):
            if part not in names:
                hint = suggestion(part, [name for name in names if name])
                raise CommandError(
                    f"{option} must name a column of the table; got {part!r}. {hint}", USAGE
                )
            if part not in resolved:
                resolved.append(part)
    return resolved


def _check_roles(roles: dict[str, list[str]]) -> None:
    """Raise if a column has two roles."""
    option_of: dict[str, str] = {}
    for option, columns in roles.items():
        for name in columns:
            if name in option_of:
                raise CommandError(
                    f"The column {name!r} is named by {option_of[name]} and by {option}. "
                    f"Name it once.",
                    USAGE,
                )
            option_of[name] = option


def _position(names: Sequence[str], name: str) -> int:
    """Return where the column of a name is; raise if there are two."""
    positions = [k for k, other in enumerate(names) if other == name]
    if len(positions) > 1:
        numbers = " and ".join(str(k + 1) for k in positions)
        raise CommandError(
            f"The columns {numbers} have the same name, {name!r}. Rename one of them, or leave "
            f"both out: --ignore {quoted(name)}."
        )
    return positions[0]


def _note_unnamed(names: Sequence[str], console: Console) -> None:
    """Say which columns are left out because they have no name."""
    unnamed = [str(k) for k, name in enumerate(names, 1) if not name]
    if unnamed:
        word = "column" if len(unnamed) == 1 else "columns"
        console.note(f"{word} {', '.join(unnamed[:20])} left out: no name in the header")
