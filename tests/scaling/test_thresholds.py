"""Numbers of the advice and of moments, both sides of each; rounding that is made up for."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop.parameters import Shape, split
from batchprop.scaling import Scaling, fold, unfold, warn
from batchprop.scaling.moments import extremes, moments

ROUNDING = {"float32": 2.0**-24, "float64": 2.0**-53}


def scaling(means, factors):
    """A scaling of the given inputs, and an ordinary target."""
    zero, one = np.zeros(1), np.ones(1)
    return Scaling(np.array(means), np.array(factors), zero, one, one)


def advice(found, dtype):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn(found, dtype, stacklevel=1)
    return " ".join(str(one.message) for one in caught)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("dtype", ROUNDING)
def test_a_mean_may_take_up_all_but_a_thousandth_of_the_digits(dtype, factor, sign):
    """Its rounding, half an ulp, may be up to 2⁻¹⁰ of the deviation."""
    ratio = 2.0**-10 / ROUNDING[dtype]
    fine = scaling([sign * ratio * 0.999 / factor], [factor])
    coarse = scaling([0.0, sign * ratio * 1.001 / factor], [1.0, factor])
    assert advice(fine, dtype) == ""
    text = advice(coarse, dtype)
    assert "The mean of row 1 of X" in text
    assert f"up to {ratio:.2g} times the deviation" in text
    assert ('Use dtype="float64", or subtract' in text) == (dtype == "float32")
    target = coarse._replace(t_mean=coarse.x_mean[1:], t_factor=coarse.x_factor[1:])
    assert "row 0 of T" in advice(target, dtype)


def test_the_worst_mean_is_told():
    found = scaling([1e6, -1e9, 1e8], [1.0, 1.0, 1.0])
    assert "The mean of rows 0, 1, 2 of X" in advice(found, "float32")
    assert "up to 1e+09 times" in advice(found, "float32")


@pytest.mark.parametrize(("count", "more"), [(1, ""), (8, ""), (9, " and 1 more"), (30, "22 more")])
def test_eight_rows_are_named(count, more):
    text = advice(scaling([1.0] * count, [0.0] * count), "float64")
    named = ", ".join(str(row) for row in range(min(count, 8)))
    assert f"row{'s' if count > 1 else ''} {named}" in text
    assert ("more" in text) == bool(more)
    assert more in text
    assert ("8" in text) == (count > 8 and "and 8" in more)


def ones_and_twos(n, offset):
    """Return a row of an offset and one more in turn: a mean that lies between two numbers."""
    return offset + (np.arange(n) % 2).astype(float)[np.newaxis]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [2, 256, 1000, 40_000])
def test_a_centre_that_is_rounded_is_made_up_for(n, weighted):
    """The mean ½ above 2⁵² is no number: what a centre beside it adds to squares is taken off."""
    weight = np.full(n, 0.25) if weighted else None
    _, deviation, _ = moments(ones_and_twos(n, 2.0**52), weight)
    assert deviation[0] == 0.5


@pytest.mark.parametrize("weighted", [False, True])
def test_a_mean_is_right_to_its_last_digit(weighted):
    """A sum of 30 000 large numbers is off by many of these digits."""
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 1000, (3, 30_000)).astype(float)
    weight = np.full(30_000, 0.75) if weighted else None
    mean, deviation, _ = moments(whole + 2.0**50, weight)
    assert np.abs((mean - 2.0**50) - whole.mean(axis=1)).max() <= np.spacing(2.0**50)
    np.testing.assert_allclose(deviation, whole.std(axis=1), rtol=1e-5)


@pytest.mark.parametrize("n", [32_769, 100_000])
def test_blocks_of_different_means_are_put_together(n):
    """More than one block, the last one shorter: means far apart, deviation nearly that alone."""
    row = np.where(np.arange(n) < 32_768, -1.0, 3.0) + 1e-3 * np.sin(np.arange(n))
    mean, deviation, first = moments(row[np.newaxis], None)
    assert mean[0] == pytest.approx(row.mean(), rel=1e-12)
    assert deviation[0] == pytest.approx(row.std(), rel=1e-12)
    assert first[0] == row[0]


@pytest.mark.parametrize("exponent", [-1000, -520, -460, -300, 440, 460, 505, 520, 1000])
def test_squares_beyond_the_digits_of_float64_are_scaled(exponent):
    table = np.random.default_rng(1).normal(size=(2, 500))
    mean, deviation, _ = moments(np.ldexp(table, exponent), None)
    np.testing.assert_allclose(np.ldexp(mean, -exponent), table.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(np.ldexp(deviation, -exponent), table.std(axis=1), rtol=1e-13)


def test_the_extremes_of_the_samples_that_count():
    table = np.array([[1.0, -5.0, 9.0], [0.0, 2.0, 100.0]])
    both, second = np.array([0, 1]), np.array([1])
    for centre, expected in (
        (np.zeros(2), ([-5.0, 0.0], [9.0, 100.0])),
        (np.array([3.0, 1.0]), ([-8.0, -1.0], [6.0, 99.0])),
    ):
        np.testing.assert_array_equal(extremes(table, None, both, centre), expected)
    weight = np.array([1.0, 1.0, 0.0])
    np.testing.assert_array_equal(extremes(table, weight, second, np.ones(1)), [[-1.0], [1.0]])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("block", ["W_h", "b_h", "W_y", "b_y"])
def test_each_block_that_float32_cannot_hold_becomes_its_largest_number(block, sign):
    shape, large = Shape(1, 2, 1), np.full(1, 1e30)
    theta = np.zeros(shape.n_parameters)
    getattr(split(theta, shape), block)[:] = sign * 1e20
    by = Scaling(np.zeros(1), large, np.zeros(1), 1 / large, large)
    if block == "b_h":  # which nothing is multiplied by
        theta *= 1e30
    folded = fold(theta, shape, by, "float32")
    assert folded.dtype == "float32"
    largest = sign * np.finfo("f4").max
    for name, values in split(folded, shape)._asdict().items():
        np.testing.assert_array_equal(values, largest if name == block else 0.0)


def test_a_constant_input_of_a_start_goes_to_the_bias():
    shape = Shape(2, 1, 1)
    theta = np.array([3.0, 5.0, 0.5, 2.0, 7.0])  # W_h, b_h, W_y, b_y
    by = Scaling(np.array([10.0, 4.0]), np.array([0.5, 0.0]), np.array([1.0]), np.array([0.25]),
                 np.array([4.0]))  # fmt: skip
    np.testing.assert_allclose(unfold(theta, shape, by), [6.0, 0.0, 50.5, 0.5, 1.5])


@pytest.mark.parametrize("exponent", [-1000, -600, -450, 0, 450, 511, 512, 600, 1000])
def test_the_deviation_of_two_numbers_around_zero(exponent):
    size = np.ldexp(1.0, exponent)
    mean, deviation, _ = moments(np.tile([size, -size], 40)[np.newaxis], None)
    assert (mean[0], deviation[0]) == (0.0, size)
