"""Which α a path chooses."""

from __future__ import annotations

import math

import pytest

from batchprop.training.evidence.criterion import (
    WEIGHT,
    chosen_exponent,
    criterion,
)


def test_errors_on_samples_left_out_count_beside_the_evidence():
    assert criterion(-30.0, math.nan, 100.0) == -30.0
    assert criterion(-30.0, 1.0, 100.0) == -30.0
    expected = -30.0 + 0.5 * WEIGHT * 100.0 * math.log(0.25)
    assert criterion(-30.0, 0.25, 100.0) == pytest.approx(expected)
    assert math.isfinite(criterion(-30.0, 0.0, 100.0))


@pytest.mark.parametrize("curvature", [1e-3, 20.0, 1e6])
def test_the_minimum_of_a_parabola(curvature):
    exponents = (1, 0, -1, -2)
    values = [7.0 + curvature * (exponent + 0.7) ** 2 for exponent in exponents]
    assert chosen_exponent(exponents, values) == pytest.approx(-0.7)


def test_a_barrier_is_passed():
    assert chosen_exponent((1, 0, -1, -2, -3), (-50.0, 60.0, 70.0, -200.0, 0.0)) < -1.5


def test_the_ends_of_a_path():
    assert chosen_exponent((1, 0, -1), (0.0, -50.0, -100.0)) == -1
    assert chosen_exponent((1, 0, -1), (-300.0, -50.0, -100.0)) == 1
    assert chosen_exponent((1,), (3.0,)) == 1
    assert chosen_exponent((1, 0), (3.0, math.inf)) == 1
    assert chosen_exponent((1, 0), (math.inf, 3.0)) == 0
    assert chosen_exponent((1, 0, -1), (4.0, 4.0, 4.0)) == 1
    assert chosen_exponent((1, 0, -1), (math.inf, 2.0, 4.0)) == 0
