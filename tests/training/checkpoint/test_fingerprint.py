"""Data known by their fingerprints: the same in any memory order, another after a change."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.training.checkpoint import fingerprint
from batchprop.training.checkpoint.fingerprint import Fingerprint

CHECKSUMS = (3286462943, 2219111039, 1730624863, 4177938504)
RNG = np.random.default_rng(0)
TABLES = {
    shape: RNG.normal(size=shape) for shape in [(1, 1), (3, 50), (7, 5000), (4096, 1), (2, 4097)]
}


@pytest.mark.parametrize("shape", TABLES)
def test_how_an_array_lies_does_not_matter(shape):
    table = TABLES[shape]
    wide = np.repeat(table, 2, axis=1)
    frozen = table.copy()
    frozen.flags.writeable = False
    for same in (np.asfortranarray(table), wide[:, ::2], frozen, table[::-1][::-1]):
        assert fingerprint.of(same) == fingerprint.of(table)


def test_the_dtype_does_not_matter_where_the_values_are_the_same():
    numbers = np.arange(-40, 40).reshape(2, 40)
    for dtype in ("i1", "f4", ">f8", "f8"):
        assert fingerprint.of(numbers.astype(dtype)) == fingerprint.of(numbers)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (4096, 1)])
def test_each_entry_of_a_small_table_counts(shape):
    table = TABLES[shape]
    expected = fingerprint.of(table)
    for place in np.ndindex(shape):
        other = table.copy()
        other[place] = np.nextafter(other[place], 9.0)
        assert fingerprint.of(other) != expected


@pytest.mark.parametrize("shape", [(7, 5000), (2, 4097)])
def test_other_data_have_another_fingerprint(shape):
    table = TABLES[shape]
    others = [table[:, ::-1], table[::-1], np.roll(table, 1, axis=1), 2 * table, table[:, 1:]]
    made = {fingerprint.of(other).checksum for other in [table, *others]}
    assert len(made) == 1 + len(others)


def test_every_weight_counts():
    weight = np.ones(100_000)
    expected = fingerprint.of(weight)
    for place in (0, 1, 50_000, 99_998):
        other = weight.copy()
        other[place] = 2.0
        assert not fingerprint.of(other).agrees(expected)
    near = expected._replace(total=expected.total * (1 + 1e-13))
    assert near.agrees(expected)


def fingerprints(X, sample_weight):
    return fingerprint.of_arrays({"X": X, "sample_weight": sample_weight, "X_val": None})


def test_the_same_data_pass():
    samples = TABLES[3, 50], np.ones(50)
    assert fingerprints(*samples).keys() == {"X", "sample_weight"}
    fingerprint.check(fingerprints(*samples), fingerprints(*samples), {})


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ((TABLES[3, 50] + 1, np.ones(50)), "^X must be .* got other values"),
        ((TABLES[7, 5000], np.ones(50)), r"^X must be .* \(7, 5000\) where .* \(3, 50\)"),
        ((TABLES[3, 50], np.full(50, 2.0)), "^sample_weight must be .* other values"),
    ],
)
def test_other_data_are_refused(samples, told):
    expected = fingerprints(TABLES[3, 50], np.ones(50))
    with pytest.raises(ValueError, match=told):
        fingerprint.check(fingerprints(*samples), expected, {})


def test_checkpoints_of_version_1_recognise_arrays_in_memory():
    table, weight = TABLES[7, 5000], np.arange(50.0)
    arrays = {"X": table, "sample_weight": weight}
    expected = {
        "X": fingerprint.of(table, version=1),
        "sample_weight": Fingerprint((50,), fingerprint.of(weight, 1).checksum, 1225.0),
    }
    ours = fingerprint.of_arrays(arrays)
    assert not ours["X"].agrees(expected["X"])
    fingerprint.check(ours, expected, arrays)
    other = arrays | {"X": table[::-1]}
    with pytest.raises(ValueError, match="^X must be .* got other values"):
        fingerprint.check(fingerprint.of_arrays(other), expected, other)
    with pytest.raises(ValueError, match=r"^X must be in memory, .* got data in files"):
        fingerprint.check(ours, expected, {})


def test_the_checksums_of_version_1_stay_what_they_are():
    """Files that were written by version 0.2 hold them."""
    table = np.arange(12_000.0).reshape(3, 4000) / 7
    assert fingerprint.of(table[:, :5], 1) == Fingerprint((3, 5), CHECKSUMS[0], 0.0, 1)
    assert fingerprint.of(table, 1) == Fingerprint((3, 4000), CHECKSUMS[1], 0.0, 1)
    assert fingerprint.of(table[:, :5]) == Fingerprint((3, 5), CHECKSUMS[2], 0.0, 2)
    assert fingerprint.of(table) == Fingerprint((3, 4000), CHECKSUMS[3], 0.0, 2)


def test_what_is_missing_and_what_is_one_too_many():
    nothing, given = set(), {"sample_weight"}
    fingerprint.check_presence(nothing, {})
    expected = fingerprints(TABLES[3, 50], np.ones(50))
    fingerprint.check_presence(given, expected)
    with pytest.raises(ValueError, match="^sample_weight must be .* got None"):
        fingerprint.check_presence(nothing, expected)
    with pytest.raises(ValueError, match=r"got an array where it had none\. Pass the same data"):
        fingerprint.check_presence(given, {})
