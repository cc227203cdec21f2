"""Which samples a checksum is of: the first ones, ever fewer of the later ones, the last one."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import segments
from batchprop.training.checkpoint import checksum

RNG = np.random.default_rng(0)


def samples_that_count(table):
    """Return the samples whose change changes the checksum."""
    expected, counting = checksum.of_array(table), []
    for sample in range(table.shape[1]):
        table[0, sample] += 1.0
        if checksum.of_array(table) != expected:
            counting.append(sample)
        table[0, sample] -= 1.0
    return counting


def test_all_of_the_first_samples_and_fewer_of_later_ones():
    table = np.zeros((256, 150))  # 4096 numbers are 16 samples
    expected = [*range(32), *range(32, 64, 2), *range(64, 128, 4), *range(128, 150, 8), 149]
    assert samples_that_count(table) == expected


def test_a_table_with_many_rows_is_read_in_16_samples_at_least():
    assert samples_that_count(np.zeros((5000, 40))) == [*range(32), *range(32, 40, 2), 39]


def test_one_sample_in_2048_is_read_however_many_there_are():
    table = np.zeros((4096, 40 * 2048 + 5), "f4")  # n₀ 2¹¹ is 16·2048
    expected = checksum.of_array(table)
    for sample, counts in ((36 * 2048, True), (37 * 2048, True), (37 * 2048 + 1024, False),
                           (37 * 2048 + 1, False), (40 * 2048 + 3, False),
                           (40 * 2048 + 4, True)):  # fmt: skip
        table[7, sample] = 1.0
        assert (checksum.of_array(table) != expected) == counts, sample
        table[7, sample] = 0.0


@pytest.mark.parametrize("n_samples", [1, 40, 700, 701, 2600])
@pytest.mark.parametrize("n_rows", [1, 3, 300])
def test_pieces_have_the_checksum_of_the_table(n_samples, n_rows, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 700)
    table = RNG.normal(size=(n_rows, n_samples))
    of_segments = []
    for _, start, stop in segments.ranges(0, n_samples):
        borders = np.unique([start, *RNG.integers(start, stop, 5), stop])
        value = 0
        for first, last in zip(borders[:-1], borders[1:], strict=True):
            value = checksum.continued(value, table[:, first:last], first)
        of_segments.append(checksum.ended(value, table[:, stop - 1]))
    assert checksum.combined(of_segments) == checksum.of_array(table)
    assert checksum.combined(reversed(of_segments)) != checksum.of_array(table) or n_samples <= 700


def test_the_order_of_segments_counts():
    assert checksum.combined([1, 2]) != checksum.combined([2, 1])
    assert checksum.combined([1]) != checksum.combined([1, 0])
