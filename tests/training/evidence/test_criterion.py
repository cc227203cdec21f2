"""Which α a path chooses."""

from __future__ import annotations

import math

import pytest

from batchprop.training.evidence.criterion import (
    WEIGHT,
    chosen_exponent,
    criterion,
    tolerance,
)


def test_errors_on_samples_left_out_count_beside_the_evidence():
    assert criterion(-30.0, math.nan, 100.0) == -30.0
    assert criterion(-30.0, 1.0, 100.0) == -30.0
    expected = -30.0 + 0.5 * WEIGHT * 100.0 * math.log(0.25)
    assert criterion(-30.0, 0.25, 100.0) == pytest.approx(expected)
    assert math.isfinite(criterion(-30.0, 0.0, 100.0))


def test_the_minimum_of_a_parabola_for_few_targets():
    exponents = (1, 0, -1, -2)
    values = [7.0 + 20.0 * (exponent + 0.7) ** 2 for exponent in exponents]
    assert chosen_exponent(exponents, values, 100.0) == pytest.approx(-0.7)
    for n_targets in (900.0, 1500.0):  # below the minimum, where C is higher by the tolerance
        found = chosen_exponent(exponents, values, n_targets)
        assert found < -0.7
        expected = 7.0 + tolerance(n_targets)
        assert 7.0 + 20.0 * (found + 0.7) ** 2 == pytest.approx(expected)
    assert chosen_exponent(exponents, values, 1e9) == pytest.approx(-1.7)  # a decade at most


def test_the_tolerance_is_for_many_targets():
    assert tolerance(10.0) == tolerance(500.0) == 0.0
    assert tolerance(1500.0) == pytest.approx(10.0)
    assert tolerance(1e6) == 20.0


def test_a_barrier_is_passed():
    assert chosen_exponent((1, 0, -1, -2, -3), (-50.0, 60.0, 70.0, -200.0, 0.0), 10.0) < -1.5


def test_the_ends_of_a_path():
    assert chosen_exponent((1, 0, -1), (0.0, -50.0, -100.0), 50.0) == -1
    assert chosen_exponent((1, 0, -1), (-300.0, -50.0, -100.0), 50.0) == 1
    assert chosen_exponent((1,), (3.0,), 50.0) == 1
    assert chosen_exponent((1, 0), (3.0, math.inf), 50.0) == 1
    assert chosen_exponent((1, 0), (math.inf, 3.0), 50.0) == 0
    assert chosen_exponent((1, 0, -1), (4.0, 4.0, 4.0), 50.0) == 1
    assert chosen_exponent((1, 0, -1), (math.inf, 2.0, 4.0), 50.0) == 0
