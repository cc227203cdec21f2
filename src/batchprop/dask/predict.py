"""Predictions for Dask collections: lazy, partition by partition."""

from __future__ import annotations

from typing import Any

import dask
import dask.array
import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.dask.partitions import partition_of
from batchprop.network import Network
from batchprop.validation.error_text import described, message

Array = npt.NDArray[Any]


def predict(network: Network, X: Any) -> Any:
    """Predict the targets of a collection; nothing is computed before ``compute`` or ``persist``.

    Parameters
    ----------
    network : Network
        The network.
    X : dask array, shape (N, e), or dask DataFrame
        Inputs, one sample a row.

    Returns
    -------
    dask array, shape (N, s), or dask DataFrame
        Predictions in the network's dtype, in the chunks of X.  A DataFrame has the index and the
        partitions of X, and columns 0 to s − 1.

    Raises
    ------
    TypeError, ValueError
        ``network`` is no network, or X is no collection of as many columns as it has inputs.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import batchprop
    >>> from batchprop.dask import predict
    >>> x = np.linspace(-1.0, 1.0, 100)
    >>> network = batchprop.train([x], [x**3], hidden_size=4).network
    >>> Y = predict(network, da.from_array(x[:, None], chunks=(25, 1)))
    >>> Y.shape, Y.chunks[0]
    ((100, 1), (25, 25, 25, 25))
    >>> bool(abs(Y - x[:, None] ** 3).max().compute() < 0.01)
    True
    """
    validation.network(network, Network)
    e, _, s = network.shape
    if isinstance(X, dask.array.Array) and X.ndim == 2:
        _check_columns(X.shape[1], e)
        if X.numblocks[1] > 1:
            X = X.rechunk({1: -1})
        chunks = (X.chunks[0], (s,))
        return X.map_blocks(
            _rows_of_block,
            network,
            chunks=chunks,
            dtype=network.dtype,
            meta=np.empty((0, 0), network.dtype),
        )
    if dask.is_dask_collection(X) and hasattr(X, "map_partitions") and X.ndim == 2:
        _check_columns(len(X.columns), e)
        meta = _frame_of_block(X._meta.iloc[:0], network)
        return X.map_partitions(_frame_of_block, network, meta=meta)
    raise TypeError(
        message(
            "X",
            "be a dask array of two dimensions or a dask DataFrame, with one sample a row",
            f"a dask array of {X.ndim} dimensions"
            if isinstance(X, dask.array.Array)
            else described(X),
            "For arrays in memory call network.predict, whose samples are columns.",
        )
    )


def _check_columns(n_columns: int, n_inputs: int) -> None:
    if n_columns != n_inputs:  # also if it is unknown, which is NaN
        expected = f"have {n_inputs} columns, one for each input of the network"
        remedy = "Pass the columns that the network was trained with, in the same order."
        raise ValueError(message("X", expected, f"{n_columns}", remedy))


def _rows_of_block(block: Any, network: Network) -> Array:
    """Predict for one chunk: one thread, because Dask computes chunks side by side."""
    columns = partition_of("X (one partition)", block).columns
    if columns.shape[1] == 0:
        return np.empty((0, network.shape.n_outputs), network.dtype)
    return np.ascontiguousarray(network.predict(columns, n_threads=1).T)


def _frame_of_block(block: Any, network: Network) -> Any:
    """Predict for one partition of a DataFrame, and keep its index."""
    rows = _rows_of_block(block, network)
    return type(block)(rows, index=block.index, columns=range(network.shape.n_outputs))
