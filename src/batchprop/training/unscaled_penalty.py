"""A warning: a penalty was chosen for data that are far from standardised.

α is a ridge against summed squares.  The values that a search tries suit inputs and targets of
standard deviation 1; with ``scale=False`` others are penalised too much or too little by all.
"""

from __future__ import annotations

import warnings

import numpy as np

from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.vocabulary import Words

_FAR = 30.0  # a standard deviation above this, or below its reciprocal, is far from 1


def warn(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn if the standard deviation of a row of X or T is far from 1 and α was chosen.

    ``stacklevel`` is what the caller of this function would pass to ``warnings.warn``.
    """
    dataset, report = spec.dataset, result.alpha_report
    if report is None or dataset.scaling is not None:
        return
    scaling = dataset.standardisation
    far = []
    for table, factors in (("X", scaling.x_factor), ("T", scaling.t_factor)):
        rows = np.flatnonzero((factors > _FAR) | ((factors > 0.0) & (factors < 1.0 / _FAR)))
        if rows.size:
            far.append(f"{words.lines(table, rows)} ({1.0 / factors[rows[0]]:.2g})")
    if far:
        warnings.warn(
            f"alpha={report.method!r} tries penalties that suit data of standard deviation 1; got, "
            f"with scale=False, {' and '.join(far)}. Use scale=True, divide such data by their "
            f"standard deviation, or pass alpha as a number.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
