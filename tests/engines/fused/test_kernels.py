"""Each part of the kernels against NumPy, on odd sizes.

Numbers are small integers, so that sums are exact in any order, in either precision.
"""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.packing import NO_COLUMNS, columns
from tests.engines.fused import kernels
from tests.engines.fused.kernels import panels, step_of, strips, unpacked, width_of

DTYPES = (np.float32, np.float64)
pytestmark = pytest.mark.parametrize("dtype", DTYPES)


def integers(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).integers(-9, 10, shape)


def sample_counts(dtype):
    step, width = step_of(dtype), width_of(dtype)
    edges = (1, step, width, 2 * width)
    return sorted({edge + shift for edge in edges for shift in (-1, 0, 1)} - {0})


@pytest.mark.parametrize(("stride", "to_stride"), [(None, None), (37, 41)])
def test_transpose(dtype, stride, to_stride):
    step = step_of(dtype)
    stride, to_stride = stride or step, to_stride or step
    A = integers(1000).astype(dtype)
    B = np.full(1000, 99, dtype)
    kernels.call_transpose(A, 3, stride, B, 5, to_stride)
    found = np.array([[B[5 + c * to_stride + r] for r in range(step)] for c in range(step)])
    square = np.array([[A[3 + r * stride + c] for c in range(step)] for r in range(step)])
    np.testing.assert_array_equal(found, square.T)
    assert np.count_nonzero(B != 99) <= step * step


def test_totals_are_summed_in_float64(dtype):
    width, step = width_of(dtype), step_of(dtype)
    a, b = integers(width).astype(dtype), integers(width, seed=1).astype(dtype)
    a[0], b[0] = 2**20 + 1, 2**20 + 1  # the square needs 41 bits
    out = np.zeros(4)
    kernels.call_totals(a, b, out)
    a, b = a.astype(np.float64), b.astype(np.float64)
    np.testing.assert_array_equal(out, [a.sum(), a[:step].sum(), a @ b, a[:step] @ b[:step]])


@pytest.mark.parametrize("at", [0, 1, 3])
def test_arithmetic_at_any_address(dtype, at):
    step = step_of(dtype)
    a, b = integers(100).astype(dtype), integers(100, seed=1).astype(dtype)
    out = np.full(200, np.nan, dtype)
    kernels.call_arithmetic(a, b, out, at)
    part = slice(at, at + step)
    np.testing.assert_array_equal(out[part], a[part] - b[part])
    np.testing.assert_array_equal(out[at + 100 : at + 100 + step], a[part] * b[part])
    assert np.isnan(out).sum() == 200 - 2 * step


@pytest.mark.parametrize(
    ("form", "rows", "across"),
    [(0, 4, 4), (1, 4, 1), (2, 2, 4), (3, 6, 4), (4, 6, 2), (5, 1, 1)],
)
def test_lane_sums_of_a_tile(dtype, form, rows, across):
    step, width = step_of(dtype), width_of(dtype) + 3
    A, B = integers(7 * width).astype(dtype), integers(7 * width, seed=1).astype(dtype)
    G = integers(100).astype(np.float64)
    expected = G.copy()
    for r in range(rows):
        for c in range(across):
            left = A[2 + r * width : 2 + r * width + step].astype(np.float64)
            expected[7 + 11 * r + c] += left @ B[1 + c * width : 1 + c * width + step]
    kernels.call_add_sums(form, A, 2, B, 1, width, G, 7, 11)
    np.testing.assert_array_equal(G, expected)


def test_what_is_done_to_tiles(dtype):
    step = step_of(dtype)
    A, B = integers(4, step).astype(dtype), integers(4, step, seed=1).astype(dtype)
    A[0, 0], A[1, 1], w = np.nan, -0.0, integers(8, seed=2).astype(dtype)
    out = np.zeros(28 * step, dtype)
    kernels.call_tiles(A.ravel(), B.ravel(), w, -2.0, step, out)
    expected = (
        A + B, A * B, A * B + A, np.maximum(A, -2), A,
        w[::2, None] * B[0] + w[::2, None], np.broadcast_to(B[0], A.shape),
    )  # fmt: skip
    for found, wanted in zip(out.reshape(7, 4, step), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("n_inner", [1, 2, 7])
@pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 5, 7, 8, 11])
def test_affine(dtype, n_rows, n_inner, transposed):
    width = width_of(dtype)
    W, b = integers(n_rows, n_inner), integers(n_rows, seed=1)
    X = integers(n_inner, 2 * width, seed=2)
    given = W.T if transposed else W
    flat = np.concatenate([[99, 99], given.ravel(), b]).astype(dtype)
    strides = (1, n_rows) if transposed else (n_inner, 1)
    for bias, least in ((2 + W.size, -np.inf), (2 + W.size, 0.0), (-1, -np.inf)):
        out = np.full(5 + (n_rows + 1) * width, np.nan, dtype)
        kernels.call_affine(
            n_rows, n_inner, flat, 2, *strides, bias, least,
            panels(X, dtype), n_inner * width, width, out, 5,
        )  # fmt: skip
        expected = W @ X[:, width:] + (b[:, None] if bias >= 0 else 0)
        found = out[5:-width].reshape(n_rows, width)
        np.testing.assert_array_equal(found, np.maximum(expected, least))
        assert np.isnan(out[:5]).all()
        assert np.isnan(out[-width:]).all()


@pytest.mark.parametrize("n_b", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("n_a", [1, 2, 3, 4, 5, 7])
def test_outer_products(dtype, n_a, n_b):
    width, step = width_of(dtype), step_of(dtype)
    for n_samples in sample_counts(dtype):
        A, B = integers(n_a, n_samples), integers(n_b, n_samples, seed=1)
        G = integers(3 + n_a * n_b + 3, seed=2).astype(np.float64)
        expected = G.copy()
        expected[3:-3] += (A @ B.T).ravel()
        kernels.call_add_outer(
            panels(A, dtype, n_a + 1), n_a, (n_a + 1) * width,
            panels(B, dtype, n_b + 2), n_b, (n_b + 2) * width,
            n_samples, width, step, G, 3,
        )  # fmt: skip
        np.testing.assert_array_equal(G, expected)


@pytest.mark.parametrize("n_strips", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("n_a", [1, 3, 4, 6])
def test_outer_products_by_strips(dtype, n_a, n_strips):
    width, step = width_of(dtype), step_of(dtype)
    for samples in (1, step, width - 1, width):
        A, B = integers(n_a, width), integers(n_strips * step, width, seed=1)
        sums = integers(n_a, n_strips * step, seed=2).astype(dtype)
        expected = sums + A[:, :samples] @ B[:, :samples].T
        flat = np.concatenate([[99, 99], A.ravel()]).astype(dtype)
        kernels.call_add_outer_strips(
            flat, n_a, 2, strips(B, dtype), n_strips, samples, width, step, sums.reshape(-1)
        )
        np.testing.assert_array_equal(sums, expected)


@pytest.mark.parametrize("n_strips", [1, 2, 3])
def test_strips_and_back(dtype, n_strips):
    width, step = width_of(dtype), step_of(dtype)
    X = integers(n_strips * step, width).astype(dtype)
    out = np.full(7 + X.size + 1, np.nan, dtype)
    flat = np.concatenate([[99, 99, 99], X.ravel()]).astype(dtype)
    kernels.call_turn_to_strips(flat, 3, n_strips, width, step, out, 7)
    np.testing.assert_array_equal(out[7:-1], strips(X, dtype))
    assert np.isnan(out[[6, -1]]).all()
    back = np.full(4 + X.size + 1, np.nan, dtype)
    kernels.call_turn_to_panel(out[7:-1].copy(), n_strips, width, step, back, 4)
    np.testing.assert_array_equal(back[4:-1], X.ravel())
    assert np.isnan(back[[3, -1]]).all()


def sources(X):
    """The same numbers as a user may have them."""
    scattered = np.full((2 * X.shape[0], 3 * X.shape[1]), 99, X.dtype)
    scattered[::2, ::3] = X
    return (
        X, np.asfortranarray(X), scattered[::2, ::3], X[::-1, ::-1].copy()[::-1, ::-1],
        X.astype(np.float32), X.astype(np.float64), np.asfortranarray(X.astype(np.float64)),
    )  # fmt: skip


@pytest.mark.parametrize("n_rows", [1, 3, 8, 16, 17, 35])
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
                kernels.call_pack(columns(source), n_rows, rows, 5, count, width, step, memory, out)
                whole = unpacked(out[:-1], rows, n_panels * width, dtype)[:n_rows]
                np.testing.assert_array_equal(whole[:, :count], X[:, 5 : 5 + count])
                assert not whole[:, count:].any()
                assert out[-1] == 77


def test_packing_weights(dtype):
    width, step = width_of(dtype), step_of(dtype)
    weight = np.arange(1.0, 1000.0)
    for count in sample_counts(dtype):
        for source, expected in ((columns(weight), weight[4:]), (NO_COLUMNS, np.ones(999))):
            out = np.full(-(-count // width) * width + 1, 77, dtype)
            kernels.call_pack_weights(
                source, 4, count, width, step, np.zeros(step * width, dtype), out
            )
            np.testing.assert_array_equal(out[:count], expected[:count])
            assert not out[count:-1].any()
            assert out[-1] == 77


@pytest.mark.parametrize("name", ["relu", "softsign"])
@pytest.mark.parametrize("rows", [1, 3])
def test_activate_as_far_as_there_are_samples(dtype, rows, name):
    width, step = width_of(dtype), step_of(dtype)
    for valid in range(1, width + 1):
        Z = integers(2 + rows * width).astype(dtype)
        expected = Z[2:].reshape(rows, width).copy()
        ACTIVATIONS[name].sigma(expected[:, :valid].copy(), expected[:, :valid])
        kernels.call_activate(ACTIVATIONS[name].code, Z, 2, rows, width, valid, step)
        found = Z[2:].reshape(rows, width)
        np.testing.assert_allclose(found[:, :valid], expected[:, :valid], rtol=1e-6)
        untouched = -(-valid // step) * step
        np.testing.assert_array_equal(found[:, untouched:], expected[:, untouched:])


@pytest.mark.parametrize("single_input", [False, True])
@pytest.mark.parametrize("m", [1, 3, 4, 5, 9])
def test_delta_of_one_output(dtype, m, single_input):
    """With relu σ′ is 0 or 1, so that all sums are exact."""
    width, step = width_of(dtype), step_of(dtype)
    for n_samples in sample_counts(dtype):
        H, x = integers(m, n_samples), integers(1, n_samples, seed=1)
        r = integers(1, n_samples, seed=2)
        expected = (H > 0) * r
        G = np.zeros(3 * m)
        flat = panels(H, dtype)
        kernels.call_delta(
            single_input, ACTIVATIONS["relu"].code, flat, m, panels(r, dtype), panels(x, dtype),
            width, n_samples, width, step, G, m, 2 * m,
        )  # fmt: skip
        np.testing.assert_array_equal(G[m : 2 * m], expected.sum(axis=1))
        np.testing.assert_array_equal(G[2 * m :], (H * r).sum(axis=1))
        if single_input:
            np.testing.assert_array_equal(G[:m], (expected * x).sum(axis=1))
        else:
            np.testing.assert_array_equal(unpacked(flat, m, n_samples, dtype), expected)
            assert not G[:m].any()


@pytest.mark.parametrize("s", [2, 3, 7])
@pytest.mark.parametrize("m", [1, 3, 4, 5, 9])
def test_delta_of_many_outputs(dtype, m, s):
    """Likewise exact: W_y and R are small integers."""
    width, step = width_of(dtype), step_of(dtype)
    for n_samples in sample_counts(dtype):
        H, R, W_y = integers(m, n_samples), integers(s, n_samples, seed=1), integers(s, m, seed=2)
        expected = (H > 0) * (W_y.T @ R)
        theta = np.concatenate([np.full(2, np.nan), W_y.ravel()]).astype(dtype)
        G, flat = np.zeros(2 * m), panels(H, dtype)
        g = np.full(4 * panels(H[:1], dtype).size, np.nan, dtype)
        kernels.call_delta_of_outputs(
            ACTIVATIONS["relu"].code, flat, m, panels(R, dtype), s, theta, 2, g,
            n_samples, width, step, G, m,
        )  # fmt: skip
        np.testing.assert_array_equal(G[m:], expected.sum(axis=1))
        assert not G[:m].any()
        np.testing.assert_array_equal(unpacked(flat, m, n_samples, dtype), expected)
