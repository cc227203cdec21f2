"""Loss and gradient beside two products of NumPy: real times, and rows that say what they are."""

from __future__ import annotations

import numpy as np

from benchmarks import large_products
from benchmarks.cases import case
from benchmarks.large_products import Seconds


def test_each_round_is_measured():
    seconds = large_products.measure(case(5, 7, 2, 300, "relu", "float64"), rounds=3)
    assert seconds.ours.shape == seconds.products.shape == (3,)
    assert min(seconds.ours.min(), seconds.products.min()) > 0


def test_a_row():
    """5000 · 300 · (2 · 200 + 3 · 2) multiply-adds; the two products have 2 · 5000 · 300 · 200."""
    one = case(200, 300, 2, 5_000, "relu", "float32")
    seconds = Seconds(np.array([0.02, 0.03, 0.06]), np.array([0.03, 0.02, 0.03]))
    cells = large_products.row(one, seconds)
    assert cells[:3] == ["200-300-2", "5,000", "float32"]
    assert cells[3:7] == ["20.0 ms", "30.0 ms", "20.0 ms", "30.0 ms"]
    assert cells[7:] == ["1.00", "1.50", "60.9", "60.0"]
