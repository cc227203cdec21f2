"""What the gradient check rests on: the definition, the complex step, differences, rounding."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import batchprop
from batchprop import Network, check_gradient, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.gradient_check.complex_step import SIGMA, STEP, complex_step, sigma_and_slope
from batchprop.gradient_check.finite_differences import central_differences, directions
from batchprop.gradient_check.problem import BLOCKS, Problem
from batchprop.gradient_check.rounding import rounding
from batchprop.parameters import split
from tests.problems import problem, relative_errors

DOUBLE = np.dtype(np.float64)
EXACT = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": lambda z: max(z, mpmath.mpf(0)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "softsign": lambda z: z / (1 + abs(z)),
}


def as_problem(data):
    net, X, T, weight = data
    return Problem(net.theta.astype(float), net.shape, net.activation, X, T, weight)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_sigma_and_its_slope_are_right_to_the_last_digits(activation):
    Z = np.array([-600, -40, -19.5, -2, -0.5, -1e-9, 1e-9, 1e-3, 0.7, 3, 18, 36.5, 500])
    H, slopes = sigma_and_slope(activation, Z)
    with mpmath.workdps(700):
        z = [mpmath.mpf(float(value)) for value in Z]
        exact = [EXACT[activation](value) for value in z]
        step = mpmath.mpf(10) ** -350  # so small that kinks are never crossed
        differences = [(EXACT[activation](value + step) - h) / step for value, h in
                       zip(z, exact, strict=True)]  # fmt: skip
        np.testing.assert_allclose(H, [float(value) for value in exact], rtol=1e-14)
        np.testing.assert_allclose(slopes, [float(value) for value in differences], rtol=1e-14)


def test_the_slope_at_a_kink_is_that_of_the_left_piece():
    zero = np.zeros(1)
    slopes = {name: float(sigma_and_slope(name, zero)[1][0]) for name in SIGMA}
    assert slopes == {"identity": 1, "logistic": 0.25, "tanh": 1, "relu": 0, "softplus": 0.5,
                      "elu": 1, "softsign": 1}  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_moving_z_and_y_is_moving_each_parameter(activation, weighted):
    """The short cut of `complex_step` against the complex step applied to θ, entry by entry."""
    at = as_problem(problem(2, 3, 2, 9, activation, weighted=weighted))
    weight = np.ones(9) if at.weight is None else at.weight
    gradient = np.empty_like(at.theta)
    for p in range(at.theta.size):
        theta = at.theta.astype(complex)
        theta[p] += 1j * STEP
        W_h, b_h, W_y, b_y = split(theta, at.shape)
        H = SIGMA[activation](W_h @ at.X + b_h[:, np.newaxis])
        R = W_y @ H + b_y[:, np.newaxis] - at.T
        loss = np.sum(weight * np.sum(R * R, axis=0)) / weight.sum()
        gradient[p] = loss.imag / STEP
    defined = complex_step(at)
    assert max(relative_errors(defined.gradient, gradient, at.shape).values()) < 1e-14
    assert defined.loss == pytest.approx(loss.real, rel=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_differences_are_within_their_own_bound(activation):
    at = as_problem(problem(2, 4, 2, 60, activation))
    expected, error = complex_step(at), rounding(at, DOUBLE, cancels=False)
    for name in BLOCKS:
        part = at.section(name)
        for towards in (
            np.eye(part.stop - part.start),
            directions(part.stop - part.start, 1, np.random.default_rng(0)),
        ):
            found = central_differences(
                lambda theta: complex_step(at._replace(theta=theta)).loss,
                at, name, towards, expected.gradient, error.loss,
            )  # fmt: skip
            difference = np.abs(found.derivative - towards @ expected.gradient[part])
            assert (difference <= found.error).all()
            assert np.linalg.norm(found.error) < 1e-5 * np.linalg.norm(found.derivative)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_rounding_stays_within_its_bound(engine, dtype):
    """Also where large terms cancel and where a rounding error decides on the side of a kink."""
    for activation in ACTIVATIONS:
        net, X, T, weight = problem(4, 5, 2, 30, activation, dtype, weighted=True)
        net.b_h[:] = -(net.W_h @ X[:, 0])  # the first sample lies on every kink
        T = net.predict(X, engine="naive") + (T - 1.5) * np.where(np.arange(30) % 2, 1, -1)
        at = as_problem((net, X, T.astype(dtype), weight))
        loss, gradient = loss_and_gradient(net, at.X, at.T, engine=engine, sample_weight=weight)
        expected = complex_step(at)
        bound = rounding(at, np.dtype(dtype), cancels=True)
        assert abs(loss - expected.loss) <= bound.loss
        assert (np.abs(gradient.theta - expected.gradient) <= bound.gradient).all()


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_at_a_minimum_nothing_can_be_told(engine):
    """What is left of the gradient is rounding: times 1.01 would look the same."""
    net, X, _, _ = problem()
    report = check_gradient(net, X, net.predict(X, engine=engine), engine=engine)
    assert not report.passed
    assert {report.verdict(name) for name in BLOCKS} == {"inconclusive"}
    assert "rounding and kinks can hide" in str(report)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_a_gradient_that_cancels_is_not_called_wrong(engine):
    """Every sample twice, with residuals ±1: the gradient is zero, its terms are not."""
    net, X, _, _ = problem()
    Y = net.predict(X, engine="naive")
    report = check_gradient(
        net, np.hstack([X, X]), np.hstack([Y + 1, Y - 1]), engine=engine
    )  # fmt: skip
    assert not report.passed
    assert report.verdict("loss") == "ok"
    assert {report.verdict(name) for name in BLOCKS} == {"inconclusive"}


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_near_a_minimum_the_gradient_can_still_be_told(engine):
    net, X, T, _ = problem()
    near = net.predict(X, engine="naive") + 1e-7 * T
    report = check_gradient(net, X, near, engine=engine)
    assert report.passed, str(report)
    assert max(report.relative_errors_by_method["complex step"].values()) < 1e-7


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_dead_units_have_an_exact_zero(engine):
    net, X, T, _ = problem(activation="relu")
    net.b_h[:] = -100
    report = check_gradient(net, X, T, engine=engine)
    assert report.passed, str(report)
    assert report.floors["W_h"] == report.tolerances["W_h"] == 0


def test_a_dead_unit_that_moves_is_wrong():
    net, X, T, _ = problem(activation="relu")
    net.b_h[:] = -100

    def wrong(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        gradient.W_h[1, 1] = 1e-30
        return loss, gradient

    report = check_gradient(net, X, T, engine=wrong)
    assert report.verdict("W_h") == "WRONG"
    assert "W_h[1, 1] is 1e-30, expected 0" in str(report)


@pytest.mark.parametrize("activation", ["relu", "elu", "softsign"])
@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-9, 1e-7, 1e-5])
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_samples_near_a_kink_raise_the_floor_of_differences(engine, distance, activation):
    """A fifth of the samples has z = ±distance in every unit."""
    net, X, T, _ = problem(activation=activation)
    net.b_h[:] = distance * np.array([1, -1, 1, -1, 1])
    X[:, ::5] = 0
    report = check_gradient(net, X, T, engine=engine)
    assert report.passed, str(report)
    for one in report.of("b_h"):
        assert one.verdict != "WRONG"
        assert one.relative_error <= one.floor + 1e-9
    if activation == "relu" and distance == 0:  # σ′(0) = 0 is a convention, half is what they see
        assert report.relative_errors_by_method["finite differences"]["b_h"] > 1e-3
        assert "inconclusive" in {one.verdict for one in report.of("b_h")}


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("activation", ["identity", "relu", "softplus"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_unscaled_columns(dtype, activation, scale):
    net, X, T, _ = problem(activation=activation, dtype=dtype)
    X[0] *= scale
    T = T * scale
    report = check_gradient(net, X, T, engine="vectorized")
    assert report.passed, str(report)


def test_values_beyond_the_range_are_not_passed():
    net, X, T, _ = problem(activation="identity")
    report = check_gradient(net, X * 1e160, T, engine="vectorized")
    assert not report.passed
    assert "WRONG" not in {one.verdict for one in report.comparisons}
    assert "not finite here" in str(report)


def test_a_float32_function_is_judged_as_one():
    """It insists on float32 for a float64 network too; its loss is too coarse to difference."""
    net, X, T, _ = problem()

    def single(network, X, T, weight):
        loss, gradient = loss_and_gradient(network.astype("float32"), X, T, engine="vectorized")
        return np.float32(loss), gradient

    report = check_gradient(net, X, T, engine=single)
    assert report.passed, str(report)
    assert {one.verdict for one in report.comparisons if "complex" in one.method} == {"ok"}
    assert isinstance(net, Network)
