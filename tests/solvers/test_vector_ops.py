"""Operations on flat vectors: sums in float64, and norms that show what is not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers import vector_ops


@kernel
def gradient_norm(gradient, theta):
    return vector_ops.gradient_norm(gradient, theta)


@kernel
def dot(a, b):
    return vector_ops.dot(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1001])
def test_dot(n, dtype):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n), rng.normal(size=n).astype(dtype)
    assert dot(a, b) == pytest.approx(a @ b.astype(float), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_size_shows_parameters_that_are_not_finite(bad, dtype):
    gradient, theta = np.array([3.0, 4.0, 0.0], dtype), np.array([1.0, -1e30, 2.0], dtype)
    assert gradient_norm(gradient, theta) == 5.0
    for index in range(3):
        spoilt = theta.copy()
        spoilt[index] = bad
        assert not math.isfinite(gradient_norm(gradient, spoilt))


def test_a_size_is_summed_in_float64():
    assert gradient_norm(np.full(2, 3e30, "f4"), np.zeros(2, "f4")) == pytest.approx(
        3e30 * math.sqrt(2)
    )
