"""Operations on flat vectors, as helpers of kernels: θ, gradients and steps."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from batchprop.compiler.jit import helper, returning, updating
from batchprop.simd.load_store import (
    add_lanes,
    add_product,
    lanes_in,
    lanes_of,
    load_beside,
    spread,
    store,
    subtract,
    total,
    zero_sums,
)
from batchprop.simd.vectors import NATIVE, WIDE


@helper
def copy(source, target):
    """Copy a vector; a slice assignment compiles to more code, measurable for tiny networks."""
    for i in range(source.size):
        target[i] = source[i]


@returning(types.float64)
def dot(a, b):
    """Return aᵀb of contiguous vectors in float64, see ``partial_dot``."""
    return partial_dot(a, b, 0, a.size)


@returning(types.float64)
def partial_dot(a, b, start, stop):
    """Return Σ aᵢ bᵢ over ``start`` ≤ i < ``stop`` in float64; both vectors are contiguous.

    The lanes of vectors are summed side by side, so that additions do not wait for each other:
    first of wide vectors, then of native ones; the rest is summed in order.
    """
    wide_stop = stop - (stop - start) % lanes_of(a, WIDE)
    native_stop = stop - (stop - start) % lanes_of(a, NATIVE)
    result = 0.0
    if wide_stop > start:
        result = total(_add_products(zero_sums(a, WIDE), a, b, start, wide_stop))
    if native_stop > wide_stop:
        result += total(_add_products(zero_sums(a, NATIVE), a, b, wide_stop, native_stop))
    for i in range(native_stop, stop):
        result += np.float64(a[i]) * b[i]
    return result


@updating
def _add_products(sums, a, b, start, stop):
    """Return ``sums`` plus the products of a and b over a range, lane by lane.

    The range is a multiple of the lanes in ``sums``.
    """
    for i in range(start, stop, lanes_in(sums)):
        sums = add_product(sums, load_beside(sums, a, i), load_beside(sums, b, i))
    return sums


@returning(types.float64)
def add_scaled_then_dot(factor, a, target, b):
    """Add factor·a to target; return targetᵀb, summed like ``partial_dot``.  All are float64.

    Both are done in one pass over ``target``.
    """
    stop = target.size
    wide_stop, native_stop = stop - stop % lanes_of(a, WIDE), stop - stop % lanes_of(a, NATIVE)
    result = 0.0
    if wide_stop > 0:
        result = total(_move_and_add(zero_sums(a, WIDE), factor, a, target, b, 0, wide_stop))
    if native_stop > wide_stop:
        result += total(
            _move_and_add(zero_sums(a, NATIVE), factor, a, target, b, wide_stop, native_stop)
        )
    for i in range(native_stop, stop):
        target[i] += factor * a[i]
        result += target[i] * b[i]
    return result


@updating
def _move_and_add(sums, factor, a, target, b, start, stop):
    """Add factor·a to a range of target; return ``sums`` plus its products with b, lane by lane.

    The range is a multiple of the lanes in ``sums``.
    """
    factors = spread(sums, factor)
    for i in range(start, stop, lanes_in(sums)):
        moved = add_product(load_beside(sums, target, i), load_beside(sums, a, i), factors)
        store(target, i, moved)
        sums = add_product(sums, moved, load_beside(sums, b, i))
    return sums


@returning(types.float64)
def norm(vector):
    """Return ‖vector‖ of a contiguous vector, summed like ``dot``."""
    return math.sqrt(dot(vector, vector))


@returning(types.float64)
def distance(a, b):
    """Return ‖a − b‖ of float64 vectors, summed in order."""
    total = 0.0
    for i in range(a.size):
        total += (a[i] - b[i]) ** 2
    return math.sqrt(total)


@returning(types.float64)
def gradient_norm(gradient, theta):
    """Return ‖gradient‖; it is NaN or inf if any element of the gradient or of θ is.

    Both are contiguous.  The lanes of wide vectors are summed side by side, the rest in order.
    """
    stop = gradient.size
    wide_stop = stop - stop % lanes_of(gradient, WIDE)
    squares = zeros = zero_sums(gradient, WIDE)
    for i in range(0, wide_stop, lanes_in(squares)):
        g, t = load_beside(squares, gradient, i), load_beside(squares, theta, i)
        # θ − θ is 0 unless θ is not finite; the loss need not show that, as tanh(inf) is 1
        squares, zeros = add_product(squares, g, g), add_lanes(zeros, subtract(t, t))
    result = total(add_lanes(squares, zeros))
    for i in range(wide_stop, stop):
        result += np.float64(gradient[i]) * gradient[i] + (theta[i] - theta[i])
    return math.sqrt(result)
