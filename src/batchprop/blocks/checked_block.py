"""What is checked of every block: real numbers, shapes and dtypes like the first block, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.blocks.source import Layout, RawBlock
from batchprop.engines.samples import Samples
from batchprop.validation import real_array
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


def checked_block(raw: RawBlock, layout: Layout | None, index: int, place: str) -> Samples:
    """Return a block as arrays that an engine accepts.  NaN in X and T is not searched.

    Parameters
    ----------
    raw : RawBlock
        The block as its source returns it.
    layout : Layout or None
        That of all blocks; None if this is the first one.
    index : int
        Its position in the source.
    place : str
        Where it is; "" if there is no better name than its index.

    Returns
    -------
    Samples
        Arrays X (e, n), T (s, n) and sample_weight (n,), float32 or float64, the weights float64.

    Raises
    ------
    TypeError, ValueError
        The arrays are no real numbers or do not fit one another or the first block, or weights are
        negative or not finite.
    """
    names = [f"{name} of block {index}" for name in ("X", "T", "sample_weight")]
    suffix = f" in {place}" if place else ""
    X, T = (_table(*pair, suffix) for pair in zip(names[:2], raw[:2], strict=True))
    if X.shape[1] != T.shape[1]:
        remedy = "Check how the samples were cut into blocks."
        if X.shape[0] == T.shape[0]:
            remedy = "Rows seem to be samples: pass X.T and T.T."
        expected = f"have {X.shape[1]} columns, one a sample, like {names[0]} {X.shape}"
        got = f"shape {T.shape}{suffix}"
        raise ValueError(message(names[1], expected, got, remedy))
    weights = None
    if raw.sample_weight is not None:
        weights = _weights(names[2], raw.sample_weight, X.shape[1], suffix)
    if layout is not None:
        rows = (layout.n_inputs, layout.n_outputs)
        for name, table, n_rows in zip(names[:2], (X, T), rows, strict=True):
            if table.shape[0] != n_rows:
                got = f"shape {table.shape}{suffix}"
                expected = f"have {n_rows} row{'s'[: n_rows != 1]}, like the first block"
                raise ValueError(message(name, expected, got, "Let all blocks have the same rows."))
        if (weights is not None) != layout.has_weights:
            expected = "be there in all blocks or in none"
            got = f"{'none' if weights is None else 'some'} here, unlike in the first block{suffix}"
            raise ValueError(message(names[2], expected, got, "Use 1 where there is no weight."))
        X = _with_dtype(names[0], X, layout.x_dtype, suffix)
        T = _with_dtype(names[1], T, layout.t_dtype, suffix)
    return Samples(X, T, weights)


def layout_of(samples: Samples) -> Layout:
    """Return the layout of a checked block, which its successors must have, too."""
    X, T, weights = samples[:3]
    return Layout(X.shape[0], T.shape[0], weights is not None, X.dtype, T.dtype)


def _table(name: str, value: npt.ArrayLike, suffix: str) -> Array:
    """Return a table with two axes and at least one row."""
    array = real_array(name, value)
    if array.ndim != 2 or array.shape[0] == 0:
        remedy = "Samples are columns: pass a table with two axes."
        if array.ndim == 1:
            remedy = "Pass array[np.newaxis] if it is one row."
        expected = "have two axes, one row an input or output and one column a sample"
        raise ValueError(message(name, expected, f"shape {array.shape}{suffix}", remedy))
    return array


def _weights(name: str, value: npt.ArrayLike, n_samples: int, suffix: str) -> Array:
    """Return finite, non-negative weights as float64; unlike those of all samples they may be 0."""
    array = np.asarray(real_array(name, value), np.float64)
    if array.shape != (n_samples,):
        got, remedy = f"shape {array.shape}{suffix}", "Pass one weight a sample."
        raise ValueError(message(name, f"have shape ({n_samples},)", got, remedy))
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if bad.size:
        got = f"{array[bad[0]]} at [{bad[0]}]{suffix}"
        remedy = "Use 0 to leave a sample out."
        raise ValueError(message(name, "be finite and non-negative", got, remedy))
    return array


def _with_dtype(name: str, array: Array, dtype: np.dtype[Any], suffix: str) -> Array:
    """Return the array with the first block's dtype, if that loses nothing."""
    if array.dtype == dtype or array.size == 0:
        return array.astype(dtype, copy=False)
    if array.dtype.itemsize < dtype.itemsize:
        return array.astype(dtype)
    remedy = f"Convert all blocks to {array.dtype}, or all to {dtype}."
    got = f"dtype {array.dtype}{suffix}"
    raise TypeError(message(name, f"have dtype {dtype}, like the first block", got, remedy))
