"""`loss_and_gradient`: what it returns, in which units, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

import batchprop
from batchprop import loss_and_gradient
from batchprop.parameters import Blocks, Gradient, split
from tests.problems import problem, relative_errors


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_the_loss_is_a_sum_over_outputs_and_a_mean_over_samples(engine):
    for s in (1, 2, 3):
        net, X, T, weight = problem(s=s, weighted=True)
        R = net.predict(X, engine=engine) - T
        loss, _ = loss_and_gradient(net, X, T, engine=engine)
        assert loss == pytest.approx((R**2).sum() / X.shape[1], rel=1e-12)
        loss, _ = loss_and_gradient(net, X, T, engine=engine, sample_weight=weight)
        assert loss == pytest.approx((weight * R**2).sum() / weight.sum(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_what_is_returned(engine, dtype):
    net, X, T, _ = problem(dtype=dtype)
    loss, gradient = loss_and_gradient(net, X, T, engine=engine)
    assert type(loss) is float
    assert isinstance(gradient, Gradient)
    assert gradient.shape == net.shape
    assert gradient.theta.dtype == dtype
    assert gradient.theta.shape == net.theta.shape
    assert not np.shares_memory(gradient.theta, net.theta)
    for name, block in zip(Blocks._fields, split(gradient.theta, net.shape), strict=True):
        np.testing.assert_array_equal(getattr(gradient, name), block)
        assert getattr(gradient, name).shape == getattr(net, name).shape


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_a_gradient_is_not_overwritten_by_the_next(engine):
    net, X, T, _ = problem()
    _, first = loss_and_gradient(net, X, T, engine=engine)
    kept = first.theta.copy()
    loss_and_gradient(net, 2 * X, T, engine=engine)
    np.testing.assert_array_equal(first.theta, kept)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_a_small_step_down_the_gradient_lowers_the_loss_by_its_square(engine):
    net, X, T, _ = problem()
    loss, gradient = loss_and_gradient(net, X, T, engine=engine)
    step = 1e-7
    net.theta[:] -= step * gradient.theta
    lower, _ = loss_and_gradient(net, X, T, engine=engine)
    assert loss - lower == pytest.approx(step * (gradient.theta @ gradient.theta), rel=1e-4)


def test_the_default_engine_is_the_fused_one():
    net, X, T, _ = problem()
    fused = loss_and_gradient(net, X, T, engine="fused")
    default = loss_and_gradient(net, X, T)
    assert default[0] == fused[0]
    assert default[1].theta.tobytes() == fused[1].theta.tobytes()


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_units(engine):
    """Targets and predictions times 10: the loss times 100, the output layer's slope times 10."""
    net, X, T, _ = problem()
    loss, gradient = loss_and_gradient(net, X, T, engine=engine)
    scaled = batchprop.Network(net.W_h, net.b_h, 10 * net.W_y, 10 * net.b_y, net.activation)
    scaled_loss, scaled_gradient = loss_and_gradient(scaled, X, 10 * T, engine=engine)
    assert scaled_loss == pytest.approx(100 * loss, rel=1e-12)
    expected = np.concatenate(
        [
            100 * gradient.W_h.ravel(),
            100 * gradient.b_h,
            10 * gradient.W_y.ravel(),
            10 * gradient.b_y,
        ]
    )
    errors = relative_errors(scaled_gradient.theta, expected, net.shape)
    assert max(errors.values()) < 1e-12
