"""When a run leaves the finite numbers: one warning that names the likely cause."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.options import Data
from batchprop.solvers.names import Settings

_LARGE = 30.0  # standardised columns hardly reach this


def warn(samples: Data, settings: Settings, n_evaluations: int, stacklevel: int) -> None:
    """Say what happened, what was kept and what most likely caused it.

    Parameters
    ----------
    samples : Data
        What the run was trained and validated on.
    settings : Settings
        The solver's numbers.
    n_evaluations : int
        Finite evaluations before the one that was not.
    stacklevel : int
        Of the user's call, seen from the caller of this function.
    """
    if n_evaluations == 0:
        happened = "Loss or gradient is NaN or infinite at the start: that network is returned."
    else:
        happened = (
            f"Loss or gradient became NaN or infinite at epoch {n_evaluations}: the run stopped "
            f"at the last finite network, and the best one is returned."
        )
    size, name, row = _largest(samples)
    rate = settings.learning_rate
    if size > _LARGE:
        cause = (
            f"the scale of the data: row {row} of {name} (column {row} of a table with samples "
            f"as rows) reaches {size:.3g}. Standardise inputs and targets"
        )
    elif n_evaluations == 0:
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
