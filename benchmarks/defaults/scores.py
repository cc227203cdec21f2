"""Results as they are stored, R², RMSE/std, and ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from benchmarks.defaults.models import OTHERS, OURS

# Reasons of our estimator for ending a fit early, at a limit that it set itself.
LIMITS = ("max_epochs", "max_evaluations", "max_seconds")


class Result(NamedTuple):
    """A model on a table: a number for each fold or draw.

    ``unexplained`` holds the squared errors as fractions of the total (``Trial.unexplained``).
    It is shorter than the number of trials if one of them failed; the note says why.
    """

    table: str
    model: str
    unexplained: list[float]
    seconds: list[float]
    stopped: list[str]
    note: str

    @property
    def failed(self) -> bool:
        return bool(self.note)

    @property
    def r2(self) -> float | None:
        """R² of all left-out rows together, mean over outputs; None if a fold failed."""
        return None if self.failed else 1 - sum(self.unexplained)

    @property
    def relative_error(self) -> float | None:
        """RMSE over the standard deviation, geometric mean over draws; None if one failed."""
        if self.failed:
            return None
        return math.exp(np.mean([math.log(max(share, 1e-300)) / 2 for share in self.unexplained]))

    @property
    def mean_seconds(self) -> float | None:
        return None if self.failed else float(np.mean(self.seconds))

    @property
    def at_limits(self) -> int:
        """The number of fits that ended at a limit of iterations, evaluations or time."""
        return sum(reason in LIMITS for reason in self.stopped)


Scores = dict[tuple[str, str], Result]  # by table and model


def rivals() -> list[str]:
    """Return the six models of other libraries that ranks are computed among."""
    return [name for name, model in OTHERS.items() if model.ranked]


def ranks(values: Sequence[float | None]) -> list[float]:
    """Return ranks from 1 for the highest; equal values share their mean rank, None is last."""
    known = [-math.inf if value is None else value for value in values]
    return [float(rank) for rank in rankdata(np.negative(known))]


def table_ranks(scores: Scores, table: str, ours: str = OURS) -> dict[str, float]:
    """Return the rank of one call of ours and of its rivals on a table; {} if one was not run."""
    names = [ours, *rivals()]
    if any((table, name) not in scores for name in names):
        return {}
    return dict(zip(names, ranks([scores[table, name].r2 for name in names]), strict=True))


def mean_ranks(scores: Scores, tables: Sequence[str], ours: str = OURS) -> dict[str, float]:
    """Return mean ranks over the tables on which all seven were run; {} if there are none."""
    by_table = [table_ranks(scores, table, ours) for table in tables]
    complete = [table for table in by_table if table]
    names = complete[0] if complete else ()
    return {name: float(np.mean([table[name] for table in complete])) for name in names}
