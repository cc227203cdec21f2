"""The scalar activations of the naive engine against mpmath, and where numbers end."""

from __future__ import annotations

import math
import random
import sys

import mpmath
import pytest

from batchprop.engines.naive.activation_formulas import ACTIVATIONS, lookup

ULP = sys.float_info.epsilon
INF = math.inf

# the textbook formulas, in hundreds of digits, where nothing overflows or cancels
REFERENCE = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": lambda z: (mpmath.exp(z) - mpmath.exp(-z)) / (mpmath.exp(z) + mpmath.exp(-z)),
    "relu": lambda z: z if z > 0 else mpmath.mpf(0),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "elu": lambda z: z if z > 0 else mpmath.exp(z) - 1,
    "softsign": lambda z: z / (1 + abs(z)),
}


def points():
    """Both signs and every size from 1e-30 to 300, without the corner 0."""
    draw = random.Random(11)
    sizes = [10.0 ** draw.uniform(-30, 2.4) for _ in range(40)]
    sizes += [draw.uniform(0.1, 40.0) for _ in range(20)] + [0.5, 1.0, 20.0, 300.0]
    return [sign * size for size in sizes for sign in (1.0, -1.0)]


def relative_distance(value, reference):
    return float(abs(value - reference) / abs(reference)) if reference != 0 else abs(value)


def test_table_and_reference_name_the_same_activations():
    assert set(ACTIVATIONS) == set(REFERENCE)


@pytest.mark.parametrize("name", REFERENCE)
def test_sigma_is_exact_to_a_few_ulp(name):
    with mpmath.workdps(400):
        for z in points():
            reference = REFERENCE[name](mpmath.mpf(z))
            assert relative_distance(lookup(name).sigma(z), reference) <= 3 * ULP, z


@pytest.mark.parametrize("name", REFERENCE)
def test_sigma_prime_is_the_derivative_of_sigma(name):
    step = mpmath.mpf(10) ** -150
    with mpmath.workdps(500):
        for z in points():
            f = REFERENCE[name]
            above, below = f(mpmath.mpf(z) + step), f(mpmath.mpf(z) - step)
            assert (
                relative_distance(lookup(name).sigma_prime(z), (above - below) / (2 * step))
                <= 5 * ULP
            ), z


LIMITS = {  # sigma(-inf), sigma(inf), sigma'(-inf), sigma'(inf)
    "identity": (-INF, INF, 1.0, 1.0),
    "logistic": (0.0, 1.0, 0.0, 0.0),
    "tanh": (-1.0, 1.0, 0.0, 0.0),
    "relu": (0.0, INF, 0.0, 1.0),
    "softplus": (0.0, INF, 0.0, 1.0),
    "elu": (-1.0, INF, 0.0, 1.0),
    "softsign": (-1.0, 1.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_infinite_arguments_give_the_limits(name):
    sigma, sigma_prime = lookup(name)
    assert (sigma(-INF), sigma(INF), sigma_prime(-INF), sigma_prime(INF)) == LIMITS[name]


@pytest.mark.parametrize("size", [1e4, 1e160, sys.float_info.max])
@pytest.mark.parametrize("name", REFERENCE)
def test_huge_arguments_do_not_overflow(name, size):
    sigma, sigma_prime = lookup(name)
    for z, limit, slope in ((-size, *LIMITS[name][::2]), (size, *LIMITS[name][1::2])):
        # a branch without a limit grows like z itself; softsign nears its limit like 1/|z|
        expected = limit if math.isfinite(limit) else z
        assert sigma(z) == pytest.approx(expected, rel=2 / size + ULP, abs=0)
        assert math.isclose(sigma_prime(z), slope, rel_tol=ULP, abs_tol=1 / size)


def test_softsign_prime_survives_where_the_square_of_z_does_not():
    assert lookup("softsign").sigma_prime(1e160) == pytest.approx(1e-320, rel=1e-3, abs=0)


@pytest.mark.parametrize("z", [5e-324, -5e-324, 1e-310, -1e-310, 2.3e-308, -2.3e-308, 0.0, -0.0])
def test_subnormal_arguments_lose_nothing(z):
    for name in ("identity", "tanh", "softsign"):
        assert lookup(name).sigma(z) == z
        assert lookup(name).sigma_prime(z) == 1.0
    assert lookup("elu").sigma(z) == z
    assert lookup("elu").sigma_prime(z) == 1.0
    assert lookup("relu").sigma(z) == max(z, 0.0)
    assert lookup("relu").sigma_prime(z) == (1.0 if z > 0 else 0.0)
    assert lookup("logistic").sigma(z) == 0.5
    assert lookup("logistic").sigma_prime(z) == 0.25
    assert lookup("softplus").sigma(z) == pytest.approx(math.log(2.0), rel=ULP, abs=0)
    assert lookup("softplus").sigma_prime(z) == 0.5


@pytest.mark.parametrize("name", REFERENCE)
def test_nan_stays_nan(name):
    assert math.isnan(lookup(name).sigma(math.nan))


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown activation 'sigmoid'.*logistic"):
        lookup("sigmoid")
