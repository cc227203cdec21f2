"""How the error of an exported file is measured: on which samples, and in which unit."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.export.rounding_error import largest_error, predictions, responsive_samples
from batchprop.parameters import Blocks, split
from tests.export.raw_units import ACTIVATIONS, raw_network


def blocks_of(network):
    return split(network.theta, network.shape)


@pytest.mark.parametrize("unit", [1e-290, 1e-9, 1.0, 1e9, 1e290])
@pytest.mark.parametrize("mean", [0.0, 1.0, 1e6])
def test_samples_are_where_the_hidden_units_respond(unit, mean):
    network = raw_network(unit=unit, mean=mean).network
    X = responsive_samples(blocks_of(network))
    assert X.shape == (3, 1000)
    Z = network.W_h @ X + network.b_h[:, np.newaxis]
    assert 1 < Z.std() < 4
    assert np.abs(Z.mean(axis=1)).max() < 4
    in_units = X / unit
    assert np.abs(in_units.mean(axis=1) - mean).max() < 3
    assert ((in_units.std(axis=1) > 0.1) & (in_units.std(axis=1) < 10)).all()


def test_an_input_without_weight_and_fewer_units_than_inputs():
    W_h = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, -1.0]])
    X = responsive_samples(Blocks(W_h, np.array([1e3, -2e3]), np.ones((1, 2)), np.zeros(1)))
    assert np.isfinite(X).all()
    assert np.abs((W_h @ X).mean(axis=1) - [-1e3, 2e3]).max() < 1
    nothing = Blocks(np.zeros((2, 3)), np.ones(2), np.ones((1, 2)), np.zeros(1))
    assert np.isfinite(responsive_samples(nothing)).all()


def test_samples_are_the_same_each_time():
    blocks = blocks_of(raw_network().network)
    np.testing.assert_array_equal(responsive_samples(blocks), responsive_samples(blocks))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predictions_are_in_float64(activation):
    network, X = raw_network(activation, "float32", n_outputs=2)
    Y = predictions(blocks_of(network), activation, X.astype(np.float64))
    assert Y.dtype == np.float64
    np.testing.assert_allclose(Y, network.predict(X, engine="naive"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1e-250, 1.0, 1e250])
def test_the_error_is_in_standard_deviations_of_its_output(size):
    reference = size * np.array([[9.0, 11.0, 9.0, 11.0], [0.0, 200.0, 0.0, 200.0]])  # 1 and 100
    Y = reference.copy()
    Y[0, 2] += 0.5 * size
    Y[1, 3] -= 20.0 * size
    assert largest_error(Y, reference) == pytest.approx(0.5)
    assert largest_error(reference, reference) == 0


def test_an_output_that_does_not_vary_is_its_own_unit():
    reference = np.full((1, 10), 0.1)
    assert largest_error(reference * 1.01, reference) == pytest.approx(0.01)
    assert largest_error(np.full((1, 3), 0.25), np.zeros((1, 3))) == 0.25


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_an_infinite_error(wrong):
    assert largest_error(np.array([[1.0, wrong]]), np.array([[1.0, 2.0]])) == np.inf
