"""``Predictive``: what its methods return, refuse and keep."""

from __future__ import annotations

import dataclasses
import pickle
from statistics import NormalDist

import numpy as np
import pytest

from batchprop import Network, Predictive
from batchprop.predictive.calibration import Calibration, calibrated, uncalibrated
from batchprop.predictive.posterior import claimed_variance
from batchprop.scaling import Scaling, fold
from tests.predictive.test_posterior import drawn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 30))
SCALING = Scaling.of(3 + X, np.array([[5.0], [0.01]]) * RNG.normal(size=(2, 30)))


def made(n_residuals=50, dtype="float64", K=1, **changes) -> Predictive:
    """Return a predictive of two outputs with crafted residuals."""
    posterior = drawn((2, 4, 2), K=K, scaling=SCALING)
    theta = fold(posterior.thetas[0], posterior.shape, SCALING, dtype)
    noise = np.array([0.3, 0.7])
    residuals = RNG.normal(size=(2, n_residuals))
    calibration = (
        calibrated(residuals, residuals**2 + 0.1, np.ones(n_residuals), noise, "folds")
        if n_residuals
        else uncalibrated(noise)
    )
    network = Network.from_theta(theta, posterior.shape)
    return dataclasses.replace(Predictive(network, posterior, calibration, noise, 7.5), **changes)


def equal(one, other):
    methods = [
        "laplace",
        *(["conformal", "conformal-normalised"] if one.calibration.weight.size else []),
    ]
    answers = [
        [p.predict(X, return_std=True), *(p.interval(X, 0.8, method) for method in methods)]
        for p in (one, other)
    ]
    np.testing.assert_array_equal(np.array(answers[0]), np.array(answers[1]))
    np.testing.assert_array_equal(one.noise_std, other.noise_std)
    assert repr(one) == repr(other)
    assert one.n_effective == other.n_effective or np.isnan(one.n_effective)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_standard_deviation_is_in_units_of_the_targets(dtype):
    known = made(dtype=dtype)
    Y, std = known.predict(X, return_std=True)
    assert Y.dtype == std.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(Y, known.network.predict(X))
    np.testing.assert_array_equal(known.predict(X), Y)
    u = claimed_variance(known.posterior, known.noise_variance, X)
    a, b = known.calibration.intercept, known.calibration.slope
    expected = SCALING.t_scale[:, None] * np.sqrt(a[:, None] + b[:, None] * u)
    np.testing.assert_allclose(std, expected, rtol=1e-5)
    np.testing.assert_allclose(known.noise_std, SCALING.t_scale * np.sqrt([0.3, 0.7]))


def test_intervals_by_their_definitions():
    known = made()
    Y, std = known.predict(X, return_std=True)
    units = SCALING.t_scale[:, None]
    for level in (0.5, 0.9):
        bounds = {
            method: known.interval(X, level, method)
            for method in ("laplace", "conformal", "conformal-normalised")
        }
        z = NormalDist().inv_cdf((1 + level) / 2)
        k = int(np.ceil(51 * level)) - 1
        sizes = np.sort(np.abs(known.calibration.residuals), axis=1)[:, k]
        deviations = np.sqrt(known.calibration.variance(known.calibration.claimed))
        ratios = np.sort(np.abs(known.calibration.residuals) / deviations, axis=1)[:, k]
        widths = {
            "laplace": z * std,
            "conformal": units * sizes[:, None] * np.ones_like(Y),
            "conformal-normalised": ratios[:, None] * std,
        }
        for method, (lower, upper) in bounds.items():
            np.testing.assert_allclose(lower, Y - widths[method], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(upper, Y + widths[method], rtol=1e-9, atol=1e-12)


def test_memory_order_and_threads_change_nothing():
    known = made(K=3)
    for other in (np.asfortranarray(X), X.tolist(), np.ascontiguousarray(X.T).T):
        for one, two in zip(
            known.predict(X, True), known.predict(other, True, n_threads=2), strict=True
        ):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pickles(K, dtype):
    known = made(K=K, dtype=dtype)
    equal(known, pickle.loads(pickle.dumps(known)))


def test_its_text_says_what_it_is():
    assert repr(made()).endswith("full, calibrated by folds)")
    assert repr(made(0)).endswith("full, not calibrated)")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda p: p.predict(X.T), ValueError, r"X must have shape \(2, N\)"),
        (lambda p: p.predict([[np.nan], [1.0]]), ValueError, "X must be finite"),
        (lambda p: p.predict(X, return_std=1), TypeError, "return_std must be True or False"),
        (lambda p: p.predict(X, n_threads=0), ValueError, "n_threads must be an integer"),
        (lambda p: p.interval(X, 0.0), ValueError, "level must be a finite real number"),
        (lambda p: p.interval(X, 1), ValueError, "level must be a finite real number"),
        (lambda p: p.interval(X, "90%"), TypeError, "level must be a finite real number"),
        (
            lambda p: p.interval(X, method="normal"),
            ValueError,
            "method must be one of laplace, con",
        ),
        (
            lambda p: p.interval(X, 0.99, "conformal"),
            ValueError,
            r"method='conformal' must come from at least 99 residuals .* level=0.99; got 50\. Use",
        ),
    ],
)
def test_what_it_refuses(call, error, text):
    with pytest.raises(error, match=text):
        call(made())


def test_weights_count_as_samples():
    known = made(10)
    assert np.isfinite(known.interval(X, 0.9, "conformal")).all()
    calibration = known.calibration
    halves = Calibration(*calibration[:4], np.full(10, 0.5), "folds")
    with pytest.raises(ValueError, match="at least 9 residuals of samples left out .* got 5"):
        dataclasses.replace(known, calibration=halves).interval(X, 0.9, "conformal")


def test_normalised_residuals_of_an_output_without_noise():
    calibration = Calibration(
        np.zeros(2), np.zeros(2), np.zeros((2, 20)), np.zeros((2, 20)), np.ones(20), "folds"
    )
    lower, upper = made(calibration=calibration).interval(X, 0.9, "conformal-normalised")
    np.testing.assert_array_equal(lower, upper)
