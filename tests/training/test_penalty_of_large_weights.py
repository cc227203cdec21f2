"""A penalty of rate 0 is none, also where the squares of weights are beyond all numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop import Network, loss_and_gradient, penalty, train
from batchprop.parameters import Shape, offsets, split
from batchprop.solvers.penalty_kernel import Penalty, penalise

SHAPE = Shape(2, 3, 2)
LARGE = 1e200  # its square is infinite


def parameters(large, dtype="float64"):
    """Ones, but for one block."""
    theta = np.ones(SHAPE.n_parameters, dtype)
    getattr(split(theta, SHAPE), large)[:] = LARGE
    return theta


@pytest.mark.parametrize(("large", "rates"), [("W_h", (0.0, 0.5)), ("W_y", (0.5, 0.0))])
def test_only_the_other_block_counts(large, rates):
    theta = parameters(large)
    other = split(theta, SHAPE).W_y if large == "W_h" else split(theta, SHAPE).W_h
    for added in (
        lambda gradient: penalise(Penalty(*rates, *offsets(SHAPE)), theta, gradient, True),
        lambda gradient: penalty.add_penalty(rates, theta, SHAPE, gradient),
    ):
        gradient = np.zeros_like(theta)
        assert added(gradient) == 0.5 * other.size
        assert not getattr(split(gradient, SHAPE), large).any()
        blocks = split(gradient, SHAPE)
        assert (blocks.W_y if large == "W_h" else blocks.W_h).ravel() == pytest.approx(1.0)
        assert not blocks.b_h.any()
        assert not blocks.b_y.any()


def test_without_a_penalty_large_weights_are_as_good_as_others():
    """tanh is flat far out: all that is computed there is finite."""
    network = Network(np.full((2, 1), LARGE), [0.5, 0.5], [[0.3, -0.1]], [0.1])
    X, T = np.array([[1.0, -1.0, 2.0]]), np.array([[0.5, 0.1, 0.2]])
    loss, gradient = loss_and_gradient(network, X, T)
    assert math.isfinite(loss)
    assert np.isfinite(gradient.theta).all()
    result = train(X, T, network=network, scale=False, solver="gd", max_epochs=3, alpha=0.0)
    assert result.stop_reason == "max_epochs"
    assert result.loss_curve[0] == pytest.approx(loss, rel=1e-12)
    with pytest.warns(RuntimeWarning, match="NaN or infinite"):
        train(X, T, network=network, scale=False, solver="gd", max_epochs=3, alpha=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_squares_are_summed_in_float64(dtype):
    theta = np.zeros(SHAPE.n_parameters, dtype)
    split(theta, SHAPE).W_h[:] = 1e30  # its square is beyond float32
    expected = 1e-60 * 6e60
    gradient = np.zeros_like(theta)
    assert penalise(Penalty(1e-60, 0.0, *offsets(SHAPE)), theta, gradient, True) == pytest.approx(
        expected, rel=1e-6
    )
    assert penalty.add_penalty((1e-60, 0.0), theta, SHAPE) == pytest.approx(expected, rel=1e-6)
