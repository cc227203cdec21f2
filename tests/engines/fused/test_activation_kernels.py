"""σ and σ′ on vectors: within the bounds that docs/accuracy.md states, over the whole range."""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np
import pytest

from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused import activation_kernels
from batchprop.parameters import Shape
from tests.engines.fused import kernels
from tests.project import ROOT
from tools import sigma_accuracy, sigma_coefficients
from tools.sigma_accuracy import BOUNDS, evaluate, points, reference, slope_error, worst

DTYPES = (np.float32, np.float64)
MP = mpmath.mp.clone()
MP.dps = 60
ODD = ("identity", "tanh", "softsign")


def exact(name, z):
    """Return σ(z) and σ′(z) with 60 digits."""
    z, one = MP.mpf(float(z)), MP.mpf(1)
    t, positive = MP.exp(-abs(z)), z > 0
    logistic = (one if positive else t) / (one + t)
    return {
        "identity": lambda: (z, one),
        "logistic": lambda: (logistic, t / (one + t) ** 2),
        "tanh": lambda: (MP.tanh(z), (2 * t / (one + t * t)) ** 2),
        "relu": lambda: (max(z, MP.zero), one if positive else MP.zero),
        "softplus": lambda: (max(z, MP.zero) + MP.log1p(t), logistic),
        "elu": lambda: (z, one) if positive else (MP.expm1(z), t),
        "softsign": lambda: (z / (one + abs(z)), one / (one + abs(z)) ** 2),
    }[name]()


def ulps(value, result, limits):
    """Return the error in ulp; below the smallest normal number 0 is as right as any."""
    if value == 0 and abs(result) < float(limits.smallest_normal):
        return 0.0
    exponent = limits.minexp if result == 0 else max(MP.frexp(result)[1] - 1, limits.minexp)
    return float(abs(MP.mpf(float(value)) - result) / MP.ldexp(1, int(exponent) - limits.nmant))


def test_every_activation_has_a_bound():
    assert list(BOUNDS) == list(ACTIVATIONS) == list(activation_kernels.FORMULAS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_against_float64(name):
    seen, bound = worst(name, np.float32, 100_000), BOUNDS[name]
    assert seen.sigma <= bound.sigma
    assert seen.slope <= bound.slope


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_against_mpmath(name, dtype):
    limits = np.finfo(dtype)
    z = points(dtype, 400, seed=1)
    for value, derivative, argument in zip(*evaluate(name, z), z, strict=True):
        h, slope = exact(name, argument)
        assert ulps(value, h, limits) <= BOUNDS[name].sigma, argument
        error = abs(MP.mpf(float(derivative)) - slope) / MP.mpf(float(limits.eps))
        assert error <= BOUNDS[name].slope, argument


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_wide_reference_against_mpmath(name):
    """Of float32: what the dense scan is compared with is right to far less than an ulp."""
    z = points(np.float32, 50, seed=2)
    for value, derivative, argument in zip(*reference(name, z, np.float64), z, strict=True):
        h, slope = exact(name, argument)
        assert ulps(value, h, np.finfo(np.float64)) < 8, argument
        assert abs(derivative - float(slope)) < 1e-14, argument


# σ(−∞), σ(+∞), σ′(−∞), σ′(+∞)
ENDS = {
    "identity": (-np.inf, np.inf, 1, 1),
    "logistic": (0, 1, 0, 0),
    "tanh": (-1, 1, 0, 0),
    "relu": (0, np.inf, 0, 1),
    "softplus": (0, np.inf, 0, 1),
    "elu": (-1, np.inf, 0, 1),
    "softsign": (-1, 1, 0, 0),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_infinities_and_the_largest_numbers(name, dtype):
    largest = np.finfo(dtype).max
    h, slope = evaluate(name, np.array([-np.inf, np.inf, -largest, largest], dtype))
    low, high, slope_low, slope_high = ENDS[name]
    np.testing.assert_array_equal(h[:2], [low, high])
    np.testing.assert_array_equal(slope, [slope_low, slope_high] * 2)
    np.testing.assert_array_equal(h[2:], np.clip([low, high], -largest, largest))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_stays_nan(name, dtype):
    h, _ = evaluate(name, np.array([np.nan, 1, -np.nan, np.nan, 0], dtype))
    np.testing.assert_array_equal(np.isnan(h), [True, False, True, True, False])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["identity", "tanh", "relu", "elu", "softsign"])
def test_through_the_origin(name, dtype):
    """±0 keep their signs; subnormal and tiny numbers are not flushed."""
    limits = np.finfo(dtype)
    tiny = limits.smallest_subnormal * np.array([1, 3, 2**20], dtype)
    small = np.concatenate([tiny, limits.smallest_normal * np.array([0.5, 1, 2], dtype)])
    z = np.concatenate([[0.0], small, [-0.0], -small]).astype(dtype)
    h, _ = evaluate(name, z)
    expected = np.where(z < 0, 0, z) if name == "relu" else z
    np.testing.assert_array_equal(h, expected)
    np.testing.assert_array_equal(np.signbit(h), np.signbit(expected))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_delta_is_the_slope_times_the_derivative_by_h(name, dtype):
    z = points(dtype, 512, seed=4)
    z = z[: z.size // 64 * 64]  # whole vectors
    h, slope = evaluate(name, z)
    dh = np.random.default_rng(5).normal(size=z.size).astype(dtype)
    found = np.empty_like(h)
    kernels.call_delta(ACTIVATIONS[name].code, h, dh, found)
    expected = slope * dh
    assert (np.abs(found - expected) <= 2 * np.spacing(np.abs(expected))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_delta_of_relu_is_zero_where_relu_is(dtype):
    """Also where the derivative by h is not finite; where relu is not zero it is dh itself."""
    dh = np.array([1.5, np.inf, -np.inf, np.nan] * 16, dtype)
    h = np.repeat(np.array([-0.0, 0.0, 1.0, 2.0], dtype), 16)
    found = np.empty_like(h)
    kernels.call_delta(ACTIVATIONS["relu"].code, h, dh, found)
    np.testing.assert_array_equal(found, np.where(h > 0, dh, 0))


def test_the_kink_of_relu_is_flat():
    np.testing.assert_array_equal(evaluate("relu", np.array([-0.0, 0.0]))[1], [0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_symmetry_and_range(name, dtype):
    z = points(dtype, 20_000, seed=3)
    (h, slope), (mirrored, same) = evaluate(name, z), evaluate(name, -z)
    assert np.isfinite(h).all()
    assert (slope >= 0).all()
    assert (slope <= 1).all()
    low, high = ENDS[name][:2]
    assert (h >= low).all()
    assert (h <= high).all()
    if name in ODD:
        np.testing.assert_array_equal(mirrored, -h)
        np.testing.assert_array_equal(same, slope)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_engine_computes_the_same(name, dtype):
    """A net that returns h itself, through the public call, has the bits that were measured."""
    z = points(dtype, 500, seed=4)
    z = z[z != 0]
    for count in (1, 7, z.size):  # vectors that are part of a tile, and whole tiles
        net = Network.from_theta(np.array([1, 0, 1, 0], dtype), Shape(1, 1, 1), name)
        np.testing.assert_array_equal(net.predict(z[None, :count])[0], evaluate(name, z[:count])[0])


@pytest.mark.parametrize("name", ["tanh", "logistic", "softplus", "elu"])
def test_float64_is_as_accurate_as_numpy_to_a_few_ulp(name):
    z = points(np.float64, 20_000, seed=5)
    expected = reference(name, z, np.float64)[0]
    h, derivative = evaluate(name, z)
    assert sigma_accuracy.sigma_error(h, expected).max() <= BOUNDS[name].sigma + 3
    assert slope_error(derivative, reference(name, z, np.float64)[1]).max() <= 4


@cache
def coefficients():
    return sigma_coefficients.coefficients()


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("expm1", activation_kernels.EXPM1_TAIL),
        ("tanh", activation_kernels.TANH_TAIL),
        ("log1p", activation_kernels.LOG1P_TAIL),
    ],
)
@pytest.mark.parametrize("bits", [32, 64])
def test_the_tool_computes_the_coefficients(name, used, bits):
    assert used[bits] == tuple(coefficients()[name][bits == 64])


@pytest.mark.parametrize(("bits", "dtype"), [(32, np.float32), (64, np.float64)])
def test_what_ln2_is_split_into(bits, dtype):
    high, low = activation_kernels.LN2_HIGH[bits], activation_kernels.LN2_LOW[bits]
    assert abs(MP.mpf(high) + MP.mpf(low) - MP.log(2)) < MP.mpf(2) ** (-45 if bits == 32 else -80)
    for n in range(np.finfo(dtype).maxexp):
        assert n * high == dtype(n) * dtype(high), "exact without an fma"


def test_the_documented_bounds_are_the_asserted_ones():
    text = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    stated = {row[0]: (float(row[1]), float(row[4])) for row in rows if row[0] in BOUNDS}
    assert stated == {name: tuple(bound) for name, bound in BOUNDS.items()}
    for row in rows:
        if row[0] in BOUNDS:
            assert max(map(float, row[2:4])) <= float(row[1])
            assert max(map(float, row[5:7])) <= float(row[4])
