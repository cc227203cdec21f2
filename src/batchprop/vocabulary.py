"""The names of tables and arguments that messages use, for each kind of call.

``train`` has samples as columns of X and T; the estimator has them as rows of X and y, and some of
its arguments have other names.  Messages use the names of the call that the user made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_MAX_NAMED = 8  # rows that a message lists


class Words(NamedTuple):
    """The vocabulary of one kind of call.

    Attributes
    ----------
    names : dict of str to str
        The caller's names of tables and arguments, by ``train``'s names, where they differ.
    rows_are_samples : bool
        Whether the rows of the caller's tables are samples.
    flat : bool
        Whether the targets were passed as a flat array.
    unsettled : type
        Category of the warning about a run that ended before it converged.
    constant_inputs_are_usual : bool
        Whether constant inputs cause no warning: the samples may be a fold of a table, in which a
        column of a rare category has one value.
    """

    names: dict[str, str]
    rows_are_samples: bool
    flat: bool = False
    unsettled: type[UserWarning] = UserWarning
    constant_inputs_are_usual: bool = False

    def name(self, argument: str) -> str:
        """Return the caller's name of a table or argument."""
        return self.names.get(argument, argument)

    def lines(self, table: str, rows: Iterable[int]) -> str:
        """Name rows of a table in ``train``'s orientation, that is, inputs or outputs."""
        indices, name = [int(row) for row in rows], self.name(table)
        if self.flat and table.startswith("T"):
            return name
        index_list = ", ".join(map(str, indices[:_MAX_NAMED]))
        index_list += f" and {len(indices) - _MAX_NAMED} more" if len(indices) > _MAX_NAMED else ""
        plural = "s" if len(indices) > 1 else ""
        if self.rows_are_samples:
            return f"column{plural} {index_list} of {name}"
        return (
            f"row{plural} {index_list} of {name} "
            f"(column{plural} {index_list} of a table with samples as rows)"
        )

    def entry(self, table: str, row: int, sample: int) -> str:
        """Name a single entry by its indices."""
        name = self.name(table)
        if self.flat and table.startswith("T"):
            return f"{name}[{sample}]"
        return f"{name}[{sample}, {row}]" if self.rows_are_samples else f"{name}[{row}, {sample}]"


COLUMNS = Words({}, rows_are_samples=False)
