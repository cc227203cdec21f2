"""Residuals and claims of networks about samples that they have not seen."""

from __future__ import annotations

import numpy as np

from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling
from batchprop.training.uncertainty.laplace import laplace
from batchprop.training.uncertainty.left_out import LeftOut, joined, left_out, some
from tests.problems import problem

DATA = problem(2, 4, 2, n_samples=50, weighted=True)


def of(indices, scaling, network_scaling=None):
    samples = Samples(DATA.X, DATA.T, DATA.weight, network_scaling)
    net = DATA.network
    approximation = laplace(samples, [net.theta], net.shape, "tanh", (0.1, 0.4), 0, 1)
    return approximation, left_out(net, approximation, samples, indices, scaling, 1)


def test_they_are_in_units_of_the_result():
    indices = np.arange(3, 40, 4)
    plain, scaled = Scaling.identity(2, 2), Scaling.of(DATA.X, DATA.T * [[2.0], [5.0]])
    approximation, raw = of(indices, plain)
    _, standardised = of(indices, scaled)
    residuals = (DATA.network.predict(DATA.X) - DATA.T)[:, indices]
    np.testing.assert_allclose(raw.residuals, residuals)
    np.testing.assert_allclose(standardised.residuals, residuals * scaled.t_factor[:, None])
    np.testing.assert_array_equal(raw.weight, DATA.weight[indices])
    nothing = np.zeros(2)
    v = approximation.posterior.uncertainty(DATA.X[:, indices]).v
    expected = approximation.noise_variance[:, None] * v
    np.testing.assert_allclose(raw.claimed(nothing), expected)
    squared = scaled.t_factor[:, None] ** 2
    np.testing.assert_allclose(standardised.claimed(nothing), expected * squared)


def test_networks_have_units_of_their_own():
    indices, of_fold = np.arange(10), Scaling.of(DATA.X, DATA.T)
    approximation, known = of(indices, Scaling.identity(2, 2), of_fold)
    v = approximation.posterior.uncertainty(DATA.X[:, indices]).v
    expected = (of_fold.t_scale**2 * approximation.noise_variance)[:, None] * v
    np.testing.assert_allclose(known.claimed(np.zeros(2)), expected)


def test_an_unknown_noise_is_that_of_the_residuals():
    _, known = of(np.arange(50), Scaling.identity(2, 2))
    unknown = known._replace(noise_variance=np.full_like(known.v, np.nan))
    expected = np.average(known.residuals**2, axis=1, weights=DATA.weight)
    np.testing.assert_allclose(unknown.mean_squares, expected)
    np.testing.assert_allclose(unknown.claimed(unknown.mean_squares), expected[:, None] * known.v)


def test_folds_are_joined_in_their_order():
    _, whole = of(np.arange(20), Scaling.identity(2, 2))
    parts = [of(part, Scaling.identity(2, 2))[1] for part in (np.arange(8), np.arange(8, 20))]
    for one, other in zip(joined(parts), whole, strict=True):
        np.testing.assert_allclose(one, other)


def test_some_of_many():
    indices = np.arange(100) * 3
    assert some(indices, 100, 0) is indices
    chosen = some(indices, 10, 0)
    assert chosen.size == 10
    assert (np.diff(chosen) > 0).all()
    assert set(chosen) <= set(indices)
    np.testing.assert_array_equal(chosen, some(indices, 10, 0))


def test_residuals_of_two_become_those_of_a_mean_of_five():
    """Members err by a common part and by parts of their own, which a mean divides."""
    rng = np.random.default_rng(0)
    n = 200_000
    common = np.array([[1.0], [3.0]]) * rng.normal(size=(2, n))
    own = np.array([[2.0], [0.5]]) * rng.normal(size=(5, 2, n))
    two = own[:2].mean(axis=0) + common
    spread = own[:2].var(axis=0, ddof=1)
    ones = np.ones((2, n))
    part = LeftOut(two, ones, spread, ones, rng.integers(3, size=n).astype(float))
    five = (own.mean(axis=0) + common) ** 2
    expected = (part.weight * five).sum(axis=1) / part.weight.sum()
    np.testing.assert_allclose(part.as_of_mean(2, 5).mean_squares, expected, rtol=0.02)
    np.testing.assert_array_equal(part.as_of_mean(2, 2).residuals, two)
    far_apart = part._replace(spread=100.0 * spread).as_of_mean(2, 5)
    np.testing.assert_allclose(far_apart.mean_squares, 0.5 * part.mean_squares)
    exact = part._replace(residuals=0.0 * two).as_of_mean(2, 5)
    np.testing.assert_array_equal(exact.residuals, 0.0 * two)
