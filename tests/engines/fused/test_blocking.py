"""How samples are cut: the bounds of chunks, blocks and threads, each at its very place."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.engines.fused.blocking import choose_blocking, cut_weights, hidden_rows, packed_size
from batchprop.engines.fused.gauss_newton import gauss_newton_blocking as gauss_newton
from batchprop.engines.fused.gauss_newton.row_product_layout import n_row_product_sums
from batchprop.machine.cache_sizes import CacheSizes
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.segments import SEGMENT_SAMPLES
from batchprop.simd.aligned_memory import LINE, zeros

SIZES = [
    (1, 1, 1),
    (1, 4, 1),
    (8, 50, 1),
    (40, 100, 3),
    (300, 300, 2),
    (1000, 2000, 1),
    (9, 20_000, 1),
]
DTYPES = [np.dtype("f4"), np.dtype("f8")]
KIB = 1024


def cuts(n_samples, choose=choose_blocking):
    return [
        (shape, dtype, choose(shape, n_samples, dtype))
        for shape in (Shape(*sizes) for sizes in SIZES)
        for dtype in DTYPES
    ]


@pytest.mark.parametrize("n_samples", [1, 7, 511, 512, 513, 5000, 32_768, 10**6, 10**9])
def test_chunks_and_blocks_cover_all_samples(n_samples):
    for shape, _, cut in cuts(n_samples):
        assert SEGMENT_SAMPLES % cut.width == 0, "no panel has samples of two segments"
        n_panels = -(-min(n_samples, SEGMENT_SAMPLES) // cut.width)  # of a segment
        assert 1 <= cut.n_chunks <= n_panels, shape
        assert cut.chunk_samples == -(-n_panels // cut.n_chunks) * cut.width
        assert cut.chunk_samples % cut.width == cut.block_samples % cut.width == 0
        assert 0 < cut.block_samples <= cut.chunk_samples


@pytest.mark.parametrize("choose", [choose_blocking, gauss_newton.choose_blocking])
def test_how_many_chunks_there_are(choose):
    """512 samples at most up to 8 chunks, a power of two; then about 1024, and a multiple of 8."""
    for n_samples, n_chunks in (
        *((1, 1), (512, 1), (513, 2), (1024, 2), (1025, 4), (2048, 4), (2049, 8), (4096, 8)),
        *((4097, 8), (15_360, 8)),
        *((15_361, 16), (16_384, 16), (23_553, 24)),
    ):
        assert choose(Shape(8, 50, 1), n_samples, DTYPES[1]).n_chunks == n_chunks, n_samples


def test_chunks_with_large_sums_are_twice_as_long():
    """1024 samples at most up to 8 chunks, a power of two of them; then a multiple of 8."""
    for n_samples, n_chunks in (
        *((1, 1), (1024, 1), (1025, 2), (2049, 2), (4096, 4), (7168, 4), (7169, 8), (8192, 8)),
        *((30_720, 8), (30_721, 16), (10**6, 16)),
    ):
        cut = choose_blocking(Shape(784, 1024, 10), n_samples, DTYPES[1])
        assert cut.n_chunks == n_chunks, n_samples
    small, large = Shape(126, 1015, 1), Shape(130, 1015, 1)
    limit = 1 << 20
    assert 8 * (small.n_parameters + 1) < limit <= 8 * (large.n_parameters + 1)
    assert choose_blocking(small, 4096, DTYPES[1]).n_chunks == 8
    assert choose_blocking(large, 4096, DTYPES[1]).n_chunks == 4


@pytest.mark.parametrize(
    ("choose", "most", "least", "bytes_of"),
    [
        (choose_blocking, 64, 16, lambda shape: 8 * (shape.n_parameters + shape.n_outputs)),
        (
            gauss_newton.choose_blocking,
            32,
            8,
            lambda shape: 8 * (n_row_product_sums(shape) + shape.n_parameters + 1),
        ),
    ],
)
def test_how_many_chunks_there_are_at_most(choose, most, least, bytes_of):
    """No more than 64 (of Gauss–Newton 32), and than 64 (128) MiB of sums, but 16 (8) at least."""
    limit = (64 if choose is choose_blocking else 128) * KIB * KIB
    small = choose(Shape(1, 4, 1), SEGMENT_SAMPLES, DTYPES[1])
    assert small.n_chunks == most
    huge = Shape(200, 20_000, 1) if choose is choose_blocking else Shape(100, 100, 1)
    assert choose(huge, 10**7, DTYPES[1]).n_chunks == least
    between = Shape(100, 2000, 1) if choose is choose_blocking else Shape(20, 100, 1)
    cut = choose(between, SEGMENT_SAMPLES, DTYPES[1])
    assert least <= cut.n_chunks < most
    assert cut.n_chunks % 8 == 0  # so that 2, 4 or 8 threads have the same work each
    assert cut.n_chunks * bytes_of(between) <= limit < (cut.n_chunks + 8) * bytes_of(between)


def test_samples_in_a_block():
    """Rows of 2 KiB, or of 1 KiB and 128 to 256 samples if dW_h is summed in strips; 4 MiB."""
    for shape, dtype, cut in cuts(10**6):
        size = dtype.itemsize
        most = 2 * KIB // size
        if cut.sums_in_strips:
            most = min(max(128, 16 * KIB // (cut.width * size)), KIB // size)
        fitting = 4 * KIB * KIB // (size * (shape.n_hidden + 2 * shape.n_inputs))
        most = max(2 * cut.width, min(most, fitting))
        assert most / 2 <= cut.block_samples <= most, shape


CACHES = [
    CacheSizes(),
    CacheSizes(1, 1),
    CacheSizes(48 * KIB, 2048 * KIB),
    CacheSizes(1 << 40, 1 << 40),
]


@pytest.mark.parametrize("caches", CACHES)
def test_weights_in_the_caches(caches):
    """Half of each cache, six rows and one column at least; all panels if W_h does not fit."""
    for shape, dtype, cut in cuts(10**5):
        e, m, size = shape.n_inputs, shape.n_hidden, dtype.itemsize
        weights = cut_weights(shape, size, cut.width, cut.block_samples, caches)
        rows, columns = weights.cache_rows, weights.cache_columns
        assert 1 <= columns <= e
        assert rows % 6 == 0 < rows
        assert columns == 1 or columns * cut.width * size <= caches.first / 2
        assert rows == 6 or rows * max(columns, cut.block_samples) * size <= caches.second / 2
        if columns < e or m * e * size > caches.second / 2:
            assert weights.cache_panels == cut.block_samples // cut.width
        else:
            group = weights.cache_panels * cut.width * (m + e) * size
            assert weights.cache_panels == 1 or group <= caches.first / 2
        assert weights.cache_panels <= cut.block_samples // cut.width


@pytest.mark.parametrize("row_bytes", [64, 128, 256])
def test_panels_of_hidden_units_do_not_share_cache_sets(row_bytes):
    """16 KiB and more off a multiple of 64 KiB, unless a panel is small; with few spare rows."""
    for m in (*range(1, 50), 256, 700, 767, 768, 1000, 1023, 1024, 1025, 1280, 2000, 2048, 20_000):
        rows = hidden_rows(m, row_bytes)
        assert m <= rows <= m + 32 * KIB / row_bytes
        if m * row_bytes < 48 * KIB:
            assert rows == m
        else:
            assert 16 * KIB <= rows * row_bytes % (64 * KIB) <= 48 * KIB


def test_large_weights_are_packed_for_many_samples():
    """In bands of six rows; beyond 16 KiB, from 64 samples on."""
    for e, m, chunk_samples, size in (
        (64, 64, 10**6, 0),
        (64, 65, 63, 0),
        (64, 65, 64, 66 * 64 + 65),
        (64, 66, 64, 66 * 64 + 66),
        (64, 67, 64, 72 * 64 + 67),
    ):
        assert packed_size(Shape(e, m, 1), 4, chunk_samples) == size, (e, m)


def test_blocks_of_gauss_newton():
    for shape in (Shape(*sizes) for sizes in SIZES[:4]):
        cut = gauss_newton.choose_blocking(shape, 10**6, DTYPES[1])
        assert 2 * cut.width <= cut.block_samples <= 256
        rows = cut.row_product_size // cut.block_samples
        assert cut.block_samples == 2 * cut.width or 8 * rows * cut.block_samples <= 512 * KIB


def test_outputs_of_a_block_fit_the_memory_for_products_of_rows():
    """``residuals.add_outer_outputs`` keeps them there."""
    for shape in (Shape(1, 1, 100), Shape(3, 20, 2)):
        cut = gauss_newton.choose_blocking(shape, 1000, DTYPES[1])
        assert cut.row_product_size >= shape.n_outputs * cut.block_samples


def test_bytes_of_gauss_newton():
    """JᵀJ, a copy of it, and the sums of all chunks."""
    shape = Shape(8, 50, 1)
    cut = gauss_newton.choose_blocking(shape, 5000, DTYPES[1])
    assert gauss_newton.n_bytes(shape, 5000) == 8 * (
        2 * 501**2 + cut.n_chunks * n_row_product_sums(shape)
    )


def test_what_an_evaluation_is_estimated_to_take():
    """In nanoseconds: for σ of each unit and sample, and for each of its multiply-adds."""
    for dtype, element, fma in ((DTYPES[0], 0.6, 0.02), (DTYPES[1], 1.4, 0.04)):
        found = choose_blocking(Shape(8, 50, 2), 1000, dtype).nanoseconds
        assert found == pytest.approx(1000 * 50 * (element + fma * (16 + 6)))
    shape = Shape(8, 50, 1)
    more = (
        gauss_newton.choose_blocking(shape, 1000, DTYPES[1]).nanoseconds
        - choose_blocking(shape, 1000, DTYPES[1]).nanoseconds
    )
    assert more == pytest.approx(0.05 * n_row_product_sums(shape) * 1000)


def test_strips_are_for_many_units_and_two_vectors_of_inputs():
    for dtype in DTYPES:
        native = choose_blocking(Shape(1, 1, 1), 1, dtype).lanes
        for e, m, in_strips in (
            (2 * native, 96, True),
            (2 * native - 1, 96, False),
            (2 * native, 95, False),
            (2 * native + 1, 96, 3 * native <= 1.25 * (2 * native + 1)),
            (4 * native + 1, 96, 5 * native <= 1.25 * (4 * native + 1)),
            (10 * native + 1, 96, True),
        ):
            assert choose_blocking(Shape(e, m, 1), 100, dtype).sums_in_strips == in_strips, (e, m)


def test_a_thread_more_for_each_twelve_microseconds():
    for nanoseconds, size in ((0, 1), (23_999, 1), (24_000, 2), (35_999, 2), (36_000, 3)):
        assert team_size(8, nanoseconds, 100) == size
    assert team_size(8, 1e9, 100) == 8
    assert team_size(8, 1e9, 3) == 3
    assert team_size(1, 1e9, 100) == 1


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 1000])
def test_memory_begins_where_cache_lines_begin(dtype, count):
    for _ in range(5):
        memory = zeros(3, count, dtype)
        assert LINE == 128
        for row in memory:
            assert row.ctypes.data % 128 == 0
            assert row.size >= count
        assert memory.shape[0] == 3
        assert not memory.any()
