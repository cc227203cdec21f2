"""Flat θ and its named views."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.parameters import Blocks, Gradient, Parameters, Shape, offsets, split

SHAPES = [Shape(1, 1, 1), Shape(3, 5, 2), Shape(1, 4, 1), Shape(7, 1, 3), Shape(2, 3, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_blocks_fill_theta_in_order(shape):
    e, m, s = shape
    theta = np.arange(shape.n_parameters, dtype=float)
    blocks = split(theta, shape)
    assert [block.shape for block in blocks] == [(m, e), (m,), (s, m), (s,)]
    np.testing.assert_array_equal(np.concatenate([block.ravel() for block in blocks]), theta)
    # row-major: one hidden unit's weights lie side by side
    assert blocks.W_h[0].tolist() == list(range(e))
    assert blocks.b_h[0] == m * e
    assert blocks.W_y[0].tolist() == list(range(m * e + m, m * e + 2 * m))
    assert blocks.b_y[-1] == shape.n_parameters - 1


def test_the_offsets_of_the_blocks():
    assert offsets(Shape(3, 5, 2)) == (15, 20, 30)
    assert offsets(Shape(1, 1, 1)) == (1, 2, 3)


def test_the_number_of_parameters():
    assert Shape(8, 50, 1).n_parameters == 8 * 50 + 50 + 50 + 1
    assert str(Shape(8, 50, 1)) == "8-50-1"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_blocks_are_views(dtype):
    theta = np.zeros(32, dtype)
    parameters = Parameters(theta, Shape(3, 5, 2))
    for value, name in enumerate(Blocks._fields, 1):
        block = getattr(parameters, name)
        assert block.base is not None
        assert block.dtype == dtype
        assert block.flags.c_contiguous
        block[...] = value
    assert np.bincount(theta.astype(int)).tolist() == [0, 15, 5, 10, 2]
    theta[-1] = 9
    assert parameters.b_y[1] == 9
    assert parameters.theta is theta
    assert parameters.dtype == dtype


def test_a_gradient_says_its_shape_and_norm():
    gradient = Gradient(np.array([3.0, 0.0, 4.0, 0.0]), Shape(1, 1, 1))
    assert repr(gradient) == "Gradient(1-1-1, norm=5)"
