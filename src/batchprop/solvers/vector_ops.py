"""Operations on flat vectors, as helpers of kernels: θ, gradients and steps."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from batchprop.compiler.jit import helper, returning


@helper
def copy(source, target):
    """Copy a vector; a slice assignment compiles to more code, measurable for tiny networks."""
    for i in range(source.size):
        target[i] = source[i]


@helper
def add_scaled(factor, a, target):
    """Add factor·a to target."""
    for i in range(target.size):
        target[i] += factor * a[i]


@returning(types.float64)
def dot(a, b):
    """Return aᵀb in float64, summed in eight lanes so that additions do not wait for each other."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    n_in_lanes = a.size - a.size % 8
    for i in range(0, n_in_lanes, 8):
        s0 += np.float64(a[i]) * b[i]
        s1 += np.float64(a[i + 1]) * b[i + 1]
        s2 += np.float64(a[i + 2]) * b[i + 2]
        s3 += np.float64(a[i + 3]) * b[i + 3]
        s4 += np.float64(a[i + 4]) * b[i + 4]
        s5 += np.float64(a[i + 5]) * b[i + 5]
        s6 += np.float64(a[i + 6]) * b[i + 6]
        s7 += np.float64(a[i + 7]) * b[i + 7]
    total = ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))
    for i in range(n_in_lanes, a.size):
        total += np.float64(a[i]) * b[i]
    return total


@returning(types.float64)
def norm(vector):
    """Return ‖vector‖ of a float64 vector, summed in order."""
    total = 0.0
    for i in range(vector.size):
        total += vector[i] * vector[i]
    return math.sqrt(total)


@returning(types.float64)
def distance(a, b):
    """Return ‖a − b‖ of float64 vectors, summed in order."""
    total = 0.0
    for i in range(a.size):
        total += (a[i] - b[i]) ** 2
    return math.sqrt(total)


@returning(types.float64)
def gradient_norm(gradient, theta):
    """Return ‖gradient‖; it is NaN or inf if any element of the gradient or of θ is."""
    total = 0.0
    for i in range(gradient.size):
        g = np.float64(gradient[i])
        # 0·θ is 0 unless θ is not finite; the loss need not show that, as tanh(inf) is 1
        total += g * g + 0.0 * theta[i]
    return math.sqrt(total)
