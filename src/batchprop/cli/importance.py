"""How much a model needs each column: its error when the column is shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from batchprop.cli.model import InputColumn

if TYPE_CHECKING:
    from batchprop.network import Network

Array = npt.NDArray[np.float64]

_MAX_ROWS = 2000  # that are predicted for each column
_REPEATS = 5  # shuffles of each column, whose errors are averaged


def permutation_importance(
    network: Network, columns: Sequence[InputColumn], X: Array, T: Array, seed: int = 0
) -> Array:
    """Return by how much the RMSE grows when a column is shuffled among the rows.

    Parameters
    ----------
    network : Network
        Predicts.
    columns : sequence of InputColumn
        The columns of the table; a column of categories is shuffled as a whole.
    X, T : ndarray, shapes (N, e) and (N, s)
        The network's inputs and the targets, one row a sample.
    seed : int
        Of the shuffles.

    Returns
    -------
    ndarray, shape (columns, s)
        Root mean squared error with the column shuffled minus that without, in the units of each
        target; near 0 for a column that the predictions do not need.

    Notes
    -----
    L. Breiman, *Random Forests*, Machine Learning 45, 2001.
    """
    rng = np.random.default_rng(seed)
    if len(X) > _MAX_ROWS:
        rows = rng.choice(len(X), _MAX_ROWS, replace=False)
        X, T = X[rows], T[rows]

    def mean_square(inputs: Array) -> Array:
        return np.asarray(np.mean((network.predict(inputs.T).T - T) ** 2, axis=0))

    baseline = np.sqrt(mean_square(X))
    growth = np.empty((len(columns), T.shape[1]))
    first = 0
    for k, column in enumerate(columns):
        width = len(column.network_inputs)
        shuffled, total = X.copy(), np.zeros(T.shape[1])
        for _ in range(_REPEATS):
            shuffled[:, first : first + width] = X[rng.permutation(len(X)), first : first + width]
            total += mean_square(shuffled)
        growth[k] = np.sqrt(total / _REPEATS) - baseline
        first += width
    return growth
