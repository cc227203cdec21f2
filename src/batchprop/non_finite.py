"""When a run leaves the finite numbers: one warning that names the likely cause."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from batchprop.options import Data

if TYPE_CHECKING:
    from batchprop.jobs import Job
    from batchprop.result import TrainResult

_LARGE = 30.0  # standardised columns hardly reach this


def warn(job: Job, result: TrainResult, stacklevel: int) -> None:
    """Say what happened, what was kept and what most likely caused it.

    Parameters
    ----------
    job : Job
        The run.
    result : TrainResult
        What it has come to.
    stacklevel : int
        Of the user's call, seen from the caller of this function.
    """
    n_evaluations = int(np.isfinite(result.loss_curve).sum())
    if n_evaluations == 0:
        happened = "Loss or gradient is NaN or infinite at the start: that network is returned."
    else:
        happened = (
            f"Loss or gradient became NaN or infinite at epoch {n_evaluations}: the run stopped "
            f"at the last finite network, and the best one is returned."
        )
    size, name, row = _largest(job.data)
    rate = getattr(job.settings, "learning_rate", None)
    if job.scaling is None and size > _LARGE:
        cause = (
            f"the scale of the data: row {row} of {name} (column {row} of a table with samples "
            f"as rows) reaches {size:.3g}. Standardise inputs and targets, or leave scale=True"
        )
    elif n_evaluations == 0 or rate is None:
        cause = "the size of the network's parameters. Start from smaller ones"
    else:
        cause = f"learning_rate={rate:.3g}, too large for these data. Try {rate / 10:.2g}"
    warnings.warn(
        f"{happened} Most likely cause: {cause}.", RuntimeWarning, stacklevel=stacklevel + 1
    )


def _largest(samples: Data) -> tuple[float, str, int]:
    """Return the largest size of an entry, and the table and the row where it is."""
    found = []
    for name in ("X", "T", "X_val", "T_val"):
        table: npt.NDArray[Any] | None = getattr(samples, name)
        if table is not None:
            sizes = np.maximum(table.max(axis=1), -table.min(axis=1))
            row = int(sizes.argmax())
            found.append((float(sizes[row]), name, row))
    return max(found)
