"""Properties of the engines over drawn shapes and values, each within its rounding bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import batchprop
from batchprop import Network, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.gradient_check.complex_step import complex_step
from batchprop.gradient_check.problem import Problem
from batchprop.gradient_check.rounding import rounding
from batchprop.parameters import Shape

VALUES = st.one_of(
    st.floats(-8, 8, width=32),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-3, 1e-30, -1e-38, 300.0, -300.0]),
)


# Squares and products of the smallest values drawn are lost in float32, or cancel in float64.
UNDERFLOW = 100 * float(np.finfo(np.float32).tiny)


@st.composite
def cases(draw):
    """Return a network and data: any small shape, repeated and extreme values likely."""
    shape = Shape(draw(st.integers(1, 6)), draw(st.integers(1, 9)), draw(st.integers(1, 4)))
    n_samples = draw(st.integers(1, 70))
    dtype = draw(st.sampled_from(["float32", "float64"]))

    def drawn(*sizes):
        return draw(arrays.arrays(dtype, sizes, elements=VALUES, fill=VALUES))

    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    network = Network.from_theta(drawn(shape.n_parameters), shape, activation)
    weight = None
    if draw(st.booleans()):
        weight = draw(arrays.arrays("float64", n_samples, elements=st.floats(0, 4, width=16)))
        weight[0] = 1.0
    order = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray]))
    X, T = order(drawn(shape.n_inputs, n_samples)), order(drawn(shape.n_outputs, n_samples))
    return network, X, T, weight


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@settings(max_examples=80)
@given(cases())
def test_the_definition_within_rounding(engine, case):
    network, X, T, weight = case
    at = Problem(network.theta.astype(float), network.shape, network.activation, X, T, weight)
    expected, bound = complex_step(at), rounding(at, network.dtype, cancels=True)
    loss, gradient = loss_and_gradient(network, X, T, engine=engine, sample_weight=weight)
    assert abs(loss - expected.loss) <= bound.loss + 1e-5 * expected.loss + UNDERFLOW
    error = np.abs(gradient.theta - expected.gradient)
    assert (error <= bound.gradient + 1e-5 * np.abs(expected.gradient) + UNDERFLOW).all()


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@settings(max_examples=30)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(engine, case, random):
    network, X, T, weight = case
    order = list(range(X.shape[1]))
    random.shuffle(order)
    at = Problem(network.theta.astype(float), network.shape, network.activation, X, T, weight)
    bound = rounding(at, network.dtype, cancels=True)
    loss, gradient = loss_and_gradient(network, X, T, engine=engine, sample_weight=weight)
    shuffled_weight = None if weight is None else weight[order]
    shuffled_loss, shuffled = loss_and_gradient(
        network, X[:, order], T[:, order], engine=engine, sample_weight=shuffled_weight
    )
    assert abs(loss - shuffled_loss) <= 2 * bound.loss
    assert (np.abs(gradient.theta - shuffled.theta) <= 2 * bound.gradient).all()


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@settings(max_examples=30)
@given(cases())
def test_a_prediction_is_each_sample_on_its_own(engine, case):
    network, X, _, _ = case
    Y = network.predict(X, engine=engine)
    column = network.predict(X[:, :1], engine=engine)
    eps = np.finfo(network.dtype).eps
    size = np.abs(network.W_y).sum() * (1 + np.abs(X).sum() * np.abs(network.W_h).max() + 8) + 8
    assert Y.shape == (network.shape.n_outputs, X.shape[1])
    np.testing.assert_allclose(Y[:, :1], column, rtol=0, atol=8 * eps * size)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@settings(max_examples=30)
@given(cases())
def test_targets_that_are_met_leave_no_loss(engine, case):
    network, X, _, weight = case
    Y = network.predict(X, engine=engine)
    loss, _ = loss_and_gradient(network, X, Y, engine=engine, sample_weight=weight)
    at = Problem(network.theta.astype(float), network.shape, network.activation, X, Y, weight)
    assert 0 <= loss <= rounding(at, network.dtype, cancels=True).loss
