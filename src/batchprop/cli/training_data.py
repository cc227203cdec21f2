"""The rows of a table that a network is trained on, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from batchprop.cli import table as tables
from batchprop.cli.columns import INPUT, TARGET, WEIGHT
from batchprop.cli.console import Console
from batchprop.cli.errors import CommandError
from batchprop.cli.one_hot import encoded
from batchprop.cli.table import Table

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Samples as rows.

    Attributes
    ----------
    X : ndarray, shape (N, e)
        The network's inputs.
    T : ndarray, shape (N, s)
        Targets.
    weights : ndarray, shape (N,), or None
        Sample weights.
    """

    X: Array
    T: Array
    weights: Array | None

    def __len__(self) -> int:
        return len(self.X)

    def where(self, mask: npt.NDArray[np.bool_]) -> Rows:
        """Return the rows that a mask selects."""
        weights = None if self.weights is None else self.weights[mask]
        return Rows(self.X[mask], self.T[mask], weights)


def rows_of(table: Table) -> Rows:
    """Return the samples of a table whose rows are complete.

    Raises
    ------
    CommandError
        Weights are negative, or 0 in all rows.
    """
    inputs = encoded(table.of(INPUT), table.columns_of(INPUT))
    weights = table.of(WEIGHT)[:, 0] if table.columns_of(WEIGHT) else None
    if weights is not None:
        (column,) = table.columns_of(WEIGHT)
        if weights.min() < 0 or weights.max() == 0:
            value = "negative" if weights.min() < 0 else "zero in all rows"
            raise CommandError(
                f"{table.label}: weights must be 0 or more, and not all 0; column "
                f"{column.name!r} is {value}. A row of weight 0 does not count."
            )
    return Rows(inputs, table.of(TARGET), weights)


def complete(table: Table, drop_incomplete: bool, console: Console) -> tuple[Table, int]:
    """Return the complete rows of a table, and how many incomplete ones were dropped.

    Raises
    ------
    CommandError
        Rows are incomplete and are not to be dropped, or no row is complete.
    """
    mask = tables.complete_rows(table)
    n_incomplete = mask.size - int(np.count_nonzero(mask))
    if not n_incomplete:
        return table, 0
    text = tables.missing_text(table, mask)
    if not drop_incomplete:
        raise CommandError(
            f"{table.label}: {text}. Fill the cells in, or pass --drop-incomplete to leave "
            f"these rows out."
        )
    if n_incomplete == mask.size:
        raise CommandError(f"{table.label}: {text}. No row is left.")
    console.note(f"{text}; dropped")
    return table._replace(values=table.values[mask]), n_incomplete


def check_for_training(table: Table, rows: Rows, console: Console) -> None:
    """Raise if nothing can be learnt from the rows; note columns that tell nothing.

    Raises
    ------
    CommandError
        There is one row only, or a target is constant.
    """
    if len(rows) < 2:
        raise CommandError(f"{table.label} has one complete row; training needs two at least.")
    for o, column in enumerate(table.columns_of(TARGET)):
        if np.ptp(rows.T[:, o]) == 0:
            raise CommandError(
                f"{table.label}: the target {column.name!r} is {rows.T[0, o]:g} in every row, so "
                f"that there is nothing to predict."
            )
    values = table.of(INPUT)
    constant = [c.name for k, c in enumerate(table.columns_of(INPUT)) if np.ptp(values[:, k]) == 0]
    if constant:
        word = "column" if len(constant) == 1 else "columns"
        console.note(f"constant {word} without effect: {', '.join(map(repr, constant))}")
