"""What a caller calls the tables and arguments that messages speak of.

``train`` has samples as columns of X and T; the estimator has them as rows of X and y, and other
names for a few arguments.  What is said to a user is said in the words of the call that was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_NAMED = 8  # rows named at most


class Words(NamedTuple):
    """The names of one kind of call.

    Attributes
    ----------
    names : dict of str to str
        What ``train`` calls a table or an argument -> what the caller calls it, where it differs.
    rows_are_samples : bool
        Whether samples are rows of the caller's tables.
    flat : bool
        Whether the targets were given as a flat array.
    unsettled : type
        The kind of warning about a fit that did not come to the bottom.
    """

    names: dict[str, str]
    rows_are_samples: bool
    flat: bool = False
    unsettled: type[UserWarning] = UserWarning

    def name(self, argument: str) -> str:
        """Return the caller's name of a table or an argument."""
        return self.names.get(argument, argument)

    def lines(self, table: str, rows: Iterable[int]) -> str:
        """Name rows of a table as ``train`` has it, that is, inputs or outputs."""
        numbers, name = [int(row) for row in rows], self.name(table)
        if self.flat and table.startswith("T"):
            return name
        listed = ", ".join(map(str, numbers[:_NAMED]))
        listed += f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        plural = "s" if len(numbers) > 1 else ""
        if self.rows_are_samples:
            return f"column{plural} {listed} of {name}"
        return (
            f"row{plural} {listed} of {name} "
            f"(column{plural} {listed} of a table with samples as rows)"
        )

    def entry(self, table: str, row: int, sample: int) -> str:
        """Name one entry by its indices."""
        name = self.name(table)
        if self.flat and table.startswith("T"):
            return f"{name}[{sample}]"
        return f"{name}[{sample}, {row}]" if self.rows_are_samples else f"{name}[{row}, {sample}]"


COLUMNS = Words({}, rows_are_samples=False)
