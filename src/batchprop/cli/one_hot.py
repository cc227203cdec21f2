"""From the columns of a table to the network's inputs: a category becomes inputs of 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from batchprop.cli.columns import Column

Array = npt.NDArray[np.float64]


def encoded(values: Array, columns: Sequence[Column]) -> Array:
    """Return the network's inputs, one row a sample.

    Parameters
    ----------
    values : ndarray, shape (N, columns)
        Numbers, and for columns of categories the positions of levels, without NaN.
    columns : sequence of Column
        What the columns are.

    Returns
    -------
    ndarray, shape (N, e)
        A column of numbers as it is; one of k levels as k columns, of which the row's own is 1 and
        the others are 0.  Without columns of categories this is ``values`` itself, not a copy.
    """
    widths = [1 if column.levels is None else len(column.levels) for column in columns]
    if not any(column.categorical for column in columns):
        return values
    inputs = np.zeros((len(values), sum(widths)))
    rows, first = np.arange(len(values)), 0
    for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
        if column.categorical:
            inputs[rows, first + values[:, k].astype(np.intp)] = 1.0
        else:
            inputs[:, first] = values[:, k]
        first += width
    return inputs
