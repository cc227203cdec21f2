"""The program's exit codes, and the error that ends it with one of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

OK = 0
UNEXPECTED = 1  # a defect of batchprop: Python's traceback is shown
USAGE = 2  # argparse uses the same number
BAD_DATA = 3
NOT_RELIABLE = 4
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
BROKEN_PIPE = 141  # 128 + SIGPIPE

MEANINGS = {
    OK: "success",
    UNEXPECTED: "an unexpected error: please report it",
    USAGE: "the command line is wrong",
    BAD_DATA: "a table, a model or another file is missing, damaged or unsuitable",
    NOT_RELIABLE: "training did not converge, or the gradient check did not pass",
    INTERRUPTED: "Ctrl-C; train has saved the best network so far, if there was one",
    BROKEN_PIPE: "the program that reads the output has ended, such as head",
}
_MAX_LISTED = 20  # names that a message lists


class CommandError(Exception):
    """An error of the user's data or command, which ends the program without a traceback.

    Parameters
    ----------
    text : str
        What is wrong and what to do about it.
    code : int
        The exit code.
    """

    def __init__(self, text: str, code: int = BAD_DATA) -> None:
        super().__init__(text)
        self.code = code


def listed(names: Sequence[str]) -> str:
    """Return quoted names, the first ones of a long list."""
    text = ", ".join(map(repr, names[:_MAX_LISTED]))
    n_more = len(names) - _MAX_LISTED
    return f"{text} and {n_more:,} more" if n_more > 0 else text


def suggestion(name: str, names: Sequence[str]) -> str:
    """Return "Did you mean …?" for a name that is not among ``names``, or list these."""
    by_lower_case = {other.lower(): other for other in names}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return (
        f"Did you mean {by_lower_case[close[0]]!r}?" if close else f"Its columns: {listed(names)}."
    )
