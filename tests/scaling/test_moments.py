"""Mean and deviation of rows: any offset, size, memory order and weights."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import hypothesis
import hypothesis.extra.numpy as arrays_of
import hypothesis.strategies as st
import numpy as np
import pytest

from batchprop.scaling.moments import moments

LONG = 40_000  # samples: more than one block for a single row


def normal(n=3, n_samples=LONG, seed=0):
    return np.random.default_rng((seed, n, n_samples)).normal(size=(n, n_samples))


def exact(row):
    """Return mean and deviation of a row in rational numbers, rounded at the end."""
    values = [Fraction(float(value)) for value in row]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    # the root of a fraction beyond the range of floats, by a power of two
    shift = 0
    while variance and not 2**-200 < variance < 2**200:
        step = 128 if variance < 1 else -128
        variance, shift = variance * Fraction(2) ** step, shift + step
    return float(mean), math.ldexp(math.sqrt(variance), -shift // 2)


@pytest.mark.parametrize("n_samples", [1, 2, 255, 256, 257, 32_768, 32_769, 70_001])
@pytest.mark.parametrize("n", [1, 3, 200])
def test_plain_numbers(n, n_samples):
    n_samples = min(n_samples, 600) if n == 200 else n_samples
    table = 3.0 + normal(n, n_samples)
    mean, deviation, first = moments(table, None)
    np.testing.assert_allclose(mean, table.mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(deviation, table.std(axis=1), rtol=1e-13)
    np.testing.assert_array_equal(first, table[:, 0])


@pytest.mark.parametrize("offset", [1e8, -1e8, 1e12, 2.0**52])
def test_an_offset_costs_no_digits(offset):
    whole = np.round(100 * normal(2, 3000))  # sums with the offset are exact
    mean, deviation, _ = moments(whole + offset, None)
    np.testing.assert_allclose(mean - offset, whole.mean(axis=1), atol=2 * np.spacing(abs(offset)))
    rounding = np.spacing(offset) / 100
    np.testing.assert_allclose(deviation, whole.std(axis=1), rtol=1e-13 + rounding**2)


@pytest.mark.parametrize("scale", [1e-307, 1e-200, 1e-150, 1e-8, 1e8, 1e150, 1e200, 1e307])
def test_any_size(scale):
    table = np.clip(normal(), -4, 4)
    mean, deviation, _ = moments(table * scale, None)
    np.testing.assert_allclose(mean / scale, table.mean(axis=1), rtol=1e-11)
    np.testing.assert_allclose(deviation / scale, table.std(axis=1), rtol=1e-13)


def test_rows_of_all_sizes_beside_each_other():
    scales = np.array([[1e-300], [1.0], [1e300], [0.0], [1e-20]])
    table = normal(5, 5000) * scales
    mean, deviation, _ = moments(table, None)
    for row, expected in enumerate(map(exact, table)):
        np.testing.assert_allclose((mean[row], deviation[row]), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1e38, 3.4e38, 1e-38, 1e-44])
def test_the_ends_of_float32(size):
    table = (np.sign(normal(2)) * size).astype("f4")
    assert np.isfinite(table).all()
    mean, deviation, _ = moments(table, None)
    np.testing.assert_allclose(deviation, np.std(table, axis=1, dtype="f8"), rtol=1e-13)
    assert (np.abs(mean) < size).all()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("weighted", [False, True])
def test_memory_orders_give_the_same_bits(dtype, weighted, tmp_path):
    table = (1e3 + normal(7, 9001)).astype(dtype)
    weight = np.random.default_rng(1).integers(0, 3, 9001).astype(float) if weighted else None
    expected = moments(table, weight)
    wide = np.zeros((14, 18_002), dtype)
    wide[::2, ::2] = table
    mapped = np.memmap(tmp_path / "table", dtype, "w+", shape=(9001, 7))
    mapped[:] = table.T
    read_only = np.memmap(tmp_path / "table", dtype, "r", shape=(9001, 7))
    backwards = table[:, ::-1].copy()[:, ::-1]
    for other in (np.asfortranarray(table), wide[::2, ::2], read_only.T, backwards):
        for ours, reference in zip(moments(other, weight), expected, strict=True):
            np.testing.assert_array_equal(ours, reference)


def test_a_wider_dtype_of_the_same_numbers_gives_the_same_bits():
    table = normal().astype("f4")
    for ours, wide in zip(moments(table, None), moments(table.astype("f8"), None), strict=True):
        np.testing.assert_array_equal(ours, wide)


def test_weight_2_is_a_repeated_sample_and_0_a_missing_one():
    table = 5.0 + normal(3, 9001)
    weight = np.random.default_rng(2).integers(0, 4, 9001)
    weight[0] = 0
    ours = moments(table, weight.astype(float))
    repeated = moments(np.repeat(table, weight, axis=1), None)
    for value, reference in zip(ours, repeated, strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-12)


@pytest.mark.parametrize("outlier", [1e30, 1e300, -1e308])
@pytest.mark.parametrize("n_samples", [5, 300, 70_001])
def test_a_sample_of_weight_0_does_not_matter_at_all(outlier, n_samples):
    table, weight = normal(2, n_samples), np.full(n_samples, 0.5)
    weight[::4] = 0.0
    weight[:300] = 0.0 if n_samples > 300 else weight[:300]
    expected = moments(table, weight)
    table[:, weight == 0] = outlier
    for value, reference in zip(moments(table, weight), expected, strict=True):
        np.testing.assert_array_equal(value, reference)


@pytest.mark.parametrize("factor", [1e-18, 1e18])
def test_only_ratios_of_weights_count(factor):
    table, weight = normal(2, 900), np.random.default_rng(3).uniform(size=900)
    for value, reference in zip(
        moments(table, weight * factor), moments(table, weight), strict=True
    ):
        np.testing.assert_allclose(value, reference, rtol=1e-12)


def test_vanishing_weights_do_no_harm():
    table, weight = normal(2, LONG), np.ones(LONG)
    weight[:33_000] = 5e-324
    mean, deviation, _ = moments(table, weight)
    np.testing.assert_allclose(mean, table[:, 33_000:].mean(axis=1), rtol=1e-11)
    np.testing.assert_allclose(deviation, table[:, 33_000:].std(axis=1), rtol=1e-12)


def test_memory_is_that_of_a_block():
    table = np.zeros((8, 500_000), "f4")
    moments(table, None)
    tracemalloc.start()
    moments(table, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 < table.nbytes


def test_the_table_is_left_alone():
    table = normal(3, 500)
    table.flags.writeable = False
    before = table.copy()
    moments(table, np.ones(500))
    np.testing.assert_array_equal(table, before)


@hypothesis.given(
    arrays_of.arrays(
        np.float64,
        st.tuples(st.integers(1, 3), st.integers(1, 12)),
        elements=st.floats(-1e300, 1e300, allow_subnormal=False),
    )
)
def test_any_numbers(table):
    mean, deviation, _ = moments(table, None)
    for row, values in enumerate(table):
        expected_mean, expected_deviation = exact(values)
        size = np.abs(values).max()
        assert abs(mean[row] - expected_mean) <= 1e-15 * size + 1e-307
        assert abs(deviation[row] - expected_deviation) <= (
            1e-14 * expected_deviation + 1e-15 * size + 1e-307
        )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_samples", [2**17, 2**17 + 1, 400_000])
def test_several_segments(n_samples, weighted):
    """With an offset and a trend, so that the means of segments differ by many deviations."""
    rng = np.random.default_rng(4)
    table = 1e6 + rng.normal(size=(2, n_samples)) + np.arange(n_samples) / 1e4
    weight = None
    if weighted:
        weight = rng.integers(0, 3, n_samples).astype(float)
        weight[:140_000] = 0.0 if n_samples > 140_000 else weight[:140_000]
    wide, w = table.astype(np.longdouble), np.ones(n_samples) if weight is None else weight
    mean = (wide * w).sum(axis=1) / w.sum()
    deviation = np.sqrt(((wide - mean[:, np.newaxis]) ** 2 * w).sum(axis=1) / w.sum())
    ours = moments(table, weight)
    np.testing.assert_allclose(ours[0], mean.astype(float), rtol=2e-16)
    np.testing.assert_allclose(ours[1], deviation.astype(float), rtol=2e-11)  # means are rounded
    np.testing.assert_array_equal(ours[2], table[:, np.flatnonzero(w)[0]])
