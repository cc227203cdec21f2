"""Operations on flat vectors: sums in float64, and norms that show what is not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers import vector_ops

# Lengths around multiples of the widest vector: 64 numbers.
LENGTHS = [0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 1001]


@kernel
def gradient_norm(gradient, theta):
    return vector_ops.gradient_norm(gradient, theta)


@kernel
def dot(a, b):
    return vector_ops.dot(a, b)


@kernel
def partial_dot(a, b, start, stop):
    return vector_ops.partial_dot(a, b, start, stop)


@kernel
def add_scaled_then_dot(factor, a, target, b):
    return vector_ops.add_scaled_then_dot(factor, a, target, b)


@kernel
def norm(vector):
    return vector_ops.norm(vector)


def vectors(n, *dtypes):
    rng = np.random.default_rng(n)
    return [rng.normal(size=n).astype(dtype) for dtype in dtypes]


@pytest.mark.parametrize("dtype_a", ["float32", "float64"])
@pytest.mark.parametrize("dtype_b", ["float32", "float64"])
@pytest.mark.parametrize("n", LENGTHS)
def test_dot(n, dtype_a, dtype_b):
    a, b = vectors(n, dtype_a, dtype_b)
    assert dot(a, b) == pytest.approx(math.fsum(a.astype(float) * b), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("start", [0, 1, 5, 64])
@pytest.mark.parametrize("n", LENGTHS)
def test_a_part_of_a_dot_product_leaves_out_the_rest(n, start, dtype):
    a, b = vectors(start + n + 3, dtype, dtype)
    expected = math.fsum(a[start : start + n].astype(float) * b[start : start + n])
    a[:start] = a[start + n :] = math.nan
    assert partial_dot(a, b, start, start + n) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("n", LENGTHS)
def test_a_scaled_vector_is_added_before_the_dot_product(n):
    a, target, b = np.random.default_rng(n).normal(size=(3, n))
    moved = target + 0.3 * a
    product = add_scaled_then_dot(0.3, a, target, b)
    np.testing.assert_array_equal(target, moved)
    assert product == pytest.approx(math.fsum(moved * b), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", LENGTHS)
def test_norms(n, dtype):
    gradient, theta = vectors(n, dtype, dtype)
    expected = math.sqrt(math.fsum(gradient.astype(float) ** 2))
    assert norm(gradient) == pytest.approx(expected, rel=1e-12)
    assert gradient_norm(gradient, 1e30 * theta) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [3, 64, 131])
def test_a_norm_shows_what_is_not_finite_wherever_it_is(n, dtype, bad):
    gradient, theta = vectors(n, dtype, dtype)
    for index in range(n):
        for vector in gradient, theta:
            kept = vector[index]
            vector[index] = bad
            assert not math.isfinite(gradient_norm(gradient, theta))
            vector[index] = kept
    assert math.isfinite(gradient_norm(gradient, theta))


@pytest.mark.parametrize("n", [2, 200])
def test_norms_are_summed_in_float64(n):
    vector = np.full(n, 3e30, "f4")
    assert norm(vector) == pytest.approx(3e30 * math.sqrt(n))
    assert gradient_norm(vector, np.zeros(n, "f4")) == pytest.approx(3e30 * math.sqrt(n))
