"""Which cells are numbers, which are missing, and which only look like numbers."""

from __future__ import annotations

import math

import pytest

from batchprop.cli import cell_values


@pytest.mark.parametrize("cell", ["1", "-1.5", "+2", "1e-3", " 3 ", ".5", "5."])
def test_numbers(cell):
    assert cell_values.number(cell) == float(cell)
    assert cell_values.numbers([cell, "0"]).tolist() == [float(cell), 0.0]
    assert cell_values.looks_like_number(cell) == ""


@pytest.mark.parametrize("cell", ["", "  ", "NA", "n/a", "NaN", "null", "None", "?", "#N/A", "."])
def test_missing_cells(cell):
    assert cell_values.is_missing(cell)
    assert math.isnan(cell_values.number(cell))
    assert cell_values.numbers(["1", cell]) is None


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("1,5", "decimal comma"),
        ("-0,25", "decimal comma"),
        ("1,234", "for decimals or for thousands"),
        ("1,234,567.8", "thousands"),
        ("1.234,5", "thousands"),
        ("1 234", "thousands"),
        ("1'234", "thousands"),
        ("1\u202f234", "thousands"),
        ("1_000", "thousands"),
        ("5 %", "unit"),
        ("$3", "unit"),
        ("inf", "infinite"),
        ("-Infinity", "infinite"),
        ("1e999", "infinite"),
    ],
)
def test_forms_that_are_not_read(cell, form):
    assert cell_values.number(cell) is None
    assert cell_values.numbers(["1", cell]) is None
    assert form in cell_values.looks_like_number(cell)


@pytest.mark.parametrize("cell", ["ford", "2020-01-01", "1-2", "a,b", "12:30"])
def test_text_does_not_look_like_a_number(cell):
    assert cell_values.number(cell) is None
    assert cell_values.looks_like_number(cell) == ""
