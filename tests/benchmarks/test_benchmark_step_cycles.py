"""Cycles of a step: plausible figures for a small case, and the rows of the table."""

from __future__ import annotations

import numpy as np

from benchmarks import step_cycles
from benchmarks.cases import case
from benchmarks.step_cycles import Cycles


def test_a_small_case():
    cycles = step_cycles.measure(case(3, 7, 2, 500, "tanh", "float64"), seconds=0.0)
    assert 0 < cycles.sigma
    assert 0 < cycles.forward
    assert np.isfinite(cycles.backward)


def test_the_floor_of_a_row():
    one = case(8, 50, 1, 9568, "tanh", "float32")
    cells = step_cycles.row(one, Cycles(forward=20.0, backward=10.0, sigma=9.0))
    assert cells[4:] == ["20.0 of 13.5", "10.0 of 5.0", "62 %"]
