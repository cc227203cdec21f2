"""The command line: ``batchprop`` and ``python -m batchprop``.

- ``program``: from a command line to an exit code; ``arguments``: the commands and their options.
- ``train_command``, ``predict_command``, ``evaluate_command``, ``export_command``,
  ``check_command``, ``info_command``: the commands.
- ``table``: reading a table; ``delimited_text`` and ``parquet_reader`` are the formats,
  ``column_choice`` says which columns are read, ``columns`` and ``cell_values`` turn cells into
  numbers, ``one_hot`` turns categories into inputs.
- ``training_data`` and ``fit``: from a table to a network; ``measures``: its errors.
- ``model``: a network with the columns of its table, and its file.
- ``report_page`` and ``report_pictures``: the report.
- ``console`` and ``errors``: what the program writes, and how it ends.

Nothing of the compiler is imported until a command needs it.  Imports everything but ``sklearn``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    argv : sequence of str, or None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        The exit code (``errors.MEANINGS``).

    Raises
    ------
    SystemExit
        By argparse: 0 after ``--help`` and ``--version``, 2 if the command line is wrong.
    """
    return int(import_module("batchprop.cli.program").main(argv))
