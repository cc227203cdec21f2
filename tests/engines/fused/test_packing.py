"""Packing the data into panels and strips, and back, on odd sizes."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.engines.fused.packing import NO_SAMPLE_TABLE, sample_table
from batchprop.linalg.views import Transpose
from tests.engines.fused import kernels
from tests.engines.fused.kernels import (
    integers,
    one_panel,
    panels,
    sample_counts,
    step_of,
    strips,
    strips_view,
    transposed,
    unpacked,
    view,
    width_of,
)

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)


@pytest.mark.parametrize("n_strips", [1, 2, 3])
def test_strips_to_a_panel(dtype, n_strips):
    width, step = width_of(dtype), step_of(dtype)
    X = integers(n_strips * step, width).astype(dtype)
    panel = np.full(4 + X.size + 1, np.nan, dtype)
    source = strips_view(strips(X, dtype), n_strips)
    kernels.call_turn_to_panel(source, one_panel(panel, 4, n_strips * step, width))
    np.testing.assert_array_equal(panel[4:-1], X.ravel())
    assert np.isnan(panel[[3, -1]]).all()


@pytest.mark.parametrize("n_strips", [1, 2, 3, 4, 5, 6, 7, 9])
def test_transposing_panels(dtype, n_strips):
    width, n_rows = width_of(dtype), n_strips * step_of(dtype)
    for n_panels in (1, 2, 3):
        X = integers(n_rows, n_panels * width).astype(dtype)
        out = np.full(n_rows * 3 * width, np.nan, dtype)
        kernels.call_transpose_panels(
            view(panels(X, dtype), n_rows, n_panels * width), Transpose(out, n_strips, 3 * width)
        )
        np.testing.assert_array_equal(out, transposed(X, dtype, 3 * width))


def sources(X):
    """The same numbers as a user may have them."""
    scattered = np.full((2 * X.shape[0], 3 * X.shape[1]), 99, X.dtype)
    scattered[::2, ::3] = X
    spaced = np.full((X.shape[1], X.shape[0] + 3), np.nan, X.dtype)  # samples with gaps
    spaced[:, : X.shape[0]] = X.T
    return (
        X, np.asfortranarray(X), spaced[:, : X.shape[0]].T,
        np.asfortranarray(X[:, ::-1])[:, ::-1], scattered[::2, ::3],
        X[::-1, ::-1].copy()[::-1, ::-1], X.astype(np.float32),
        X.astype(np.float64), np.asfortranarray(X.astype(np.float64)),
    )  # fmt: skip


@pytest.mark.parametrize("n_rows", [1, 3, 5, 8, 16, 17, 35])
def test_packing(dtype, n_rows):
    width, step = width_of(dtype), step_of(dtype)
    padded = -(-n_rows // step) * step
    for count in sample_counts(dtype):
        X = integers(n_rows, count + 9).astype(dtype)
        for source in sources(X):
            for rows in {n_rows, padded}:
                n_panels = -(-count // width)
                out = np.full(n_panels * rows * width + 1, 77, dtype)
                memory = np.zeros(padded * width, dtype)
                kernels.call_pack(sample_table(source), 5, view(out, n_rows, count, rows), memory)
                whole = unpacked(out[:-1], rows, n_panels * width, dtype)[:n_rows]
                np.testing.assert_array_equal(whole[:, :count], X[:, 5 : 5 + count])
                assert not whole[:, count:].any()
                assert out[-1] == 77


def test_packing_weights(dtype):
    width, step = width_of(dtype), step_of(dtype)
    weight = np.arange(1.0, 1000.0)
    for count in sample_counts(dtype):
        for source, expected in (
            (sample_table(weight), weight[4:]),
            (NO_SAMPLE_TABLE, np.ones(999)),
        ):
            out = np.full(-(-count // width) * width + 1, 77, dtype)
            memory = np.zeros(step * width, dtype)
            kernels.call_pack_weights(source, 4, view(out, 1, count), memory)
            np.testing.assert_array_equal(out[:count], expected[:count])
            assert not out[count:-1].any()
            assert out[-1] == 77
