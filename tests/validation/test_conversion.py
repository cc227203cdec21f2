"""Tables that do not hold numbers: what is said can be done, and then the table is taken."""

from __future__ import annotations

import datetime
import decimal
import fractions
import re

import numpy as np
import pytest

from batchprop import train
from batchprop.validation import real_array
from tests.bad_input import FORM

DAY = datetime.date(2020, 1, 1)
ARRAYS = np.empty((1, 1), object)
ARRAYS[0, 0] = np.arange(3)


class NA:
    """Like pandas.NA: neither equal nor unequal, and no number."""

    def __eq__(self, other):
        return self

    __hash__ = None

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")


class Frame:
    """Like a DataFrame with columns of pandas' own dtypes."""

    def __init__(self, rows):
        self.rows = rows

    def __array__(self, dtype=None, copy=None):
        return np.array(self.rows, dtype=object)

    def to_numpy(self, dtype, na_value=None):
        filled = [[na_value if isinstance(x, NA) else x for x in row] for row in self.rows]
        return np.array(filled, dtype)


# what is given, and what the remedy has to give
FOLLOWED = {
    "a list with None": ([[1.0, None, 2.0]], [[1.0, np.nan, 2.0]]),
    "a tuple with None": (((None, 3),), [[np.nan, 3.0]]),
    "objects": (np.array([[1, 2.5]], dtype=object), [[1.0, 2.5]]),
    "objects with None": (np.array([[1, None]], dtype=object), [[1.0, np.nan]]),
    "numbers as text": ([["1", "2.5"]], [[1.0, 2.5]]),
    "numbers as bytes": (np.array([[b"1", b"2"]]), [[1.0, 2.0]]),
    "decimals": ([[decimal.Decimal("1.5"), 2]], [[1.5, 2.0]]),
    "fractions": ([[fractions.Fraction(1, 2)]], [[0.5]]),
    "a generator": ((row for row in np.ones((2, 3))), np.ones((2, 3))),
    "map": (map(list, np.ones((2, 3))), np.ones((2, 3))),
    "a dict": ({"a": [1, 2], "b": [3, 4]}, [[1, 2], [3, 4]]),
    "a frame": (Frame([[1, 2.5]]), [[1.0, 2.5]]),
    "a frame with holes": (Frame([[1, NA()], [2.0, 3]]), [[1.0, np.nan], [2.0, 3.0]]),
    "dates": (np.array([["2000-01-03", "2000-01-01"]], "M8[ns]"), [[2.0, 0.0]]),
    "durations": (np.array([[24, 36]], "m8[h]"), [[1.0, 1.5]]),
}
CODE = re.compile(r".*(?:Convert it with|for example|days:|Pass) (.+?)(?:, (?:then|with) .+)?\.$")


def told(call):
    with pytest.raises(TypeError) as raised:
        call()
    text = str(raised.value)
    assert FORM.match(text), text
    assert len(text) < 400
    return text


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_remedy_can_be_followed(name):
    X, expected = FOLLOWED[name]
    text = told(lambda: train(X, [[1.0, 2.0, 3.0]], hidden_size=2, alpha=0.0))
    remedy = CODE.search(text.split("; got ", 1)[1])
    assert remedy, text
    made = eval(remedy[1], {"np": np, "X": X})
    np.testing.assert_array_equal(real_array("X", made), expected)


@pytest.mark.parametrize(
    ("X", "got", "remedy"),
    [
        ([[1.0, DAY]], "at X[0, 1]", "a number of days"),
        ([[1.0], [datetime.timedelta(1)]], "at X[1, 0]", "a number of days"),
        ([[datetime.datetime(2020, 1, 1)]], "at X[0, 0]", "a number of days"),
        ([["red", "blue"]], "'red' of type str at X[0, 0]", "Encode categories"),
        ([[1.0, NA()]], "at X[0, 1]", "Replace what is missing"),
        (np.array([[np.nan, "red"]], object), "'red' of type str at X[0, 1]", "Encode categories"),
        (ARRAYS, "an array of shape (3,) and dtype", "Replace it by a real number"),
        ([[10**400]], "at X[0, 0]", "Replace it by a real number"),
        (None, "got None", "a table of numbers"),
        ("table.csv", "'table.csv' of type str", "np.loadtxt"),
        (len, "built-in function", "a table of numbers"),
        (np.zeros(3, "f8,f8"), "dtype [(", "structured_to_unstructured"),
    ],
)
@pytest.mark.parametrize("name", ["X", "T", "sample_weight"])
def test_what_stands_in_the_way_is_named(name, X, got, remedy):
    text = told(lambda: real_array(name, X))
    assert got.replace("X[", f"{name}[") in text
    assert remedy in text


def test_the_remedy_of_dates_among_numbers_works():
    second = DAY + datetime.timedelta(days=3)
    assert (second - DAY) / datetime.timedelta(days=1) == 3.0


def test_an_object_that_cannot_be_read():
    class Locked:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("detach me first")

    assert "detach me first" in told(lambda: real_array("X", Locked()))
