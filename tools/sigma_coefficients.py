"""Print the polynomials of ``engines/fused/activation_kernels.py``, computed with 40 digits.

Each interpolates a smooth function at Chebyshev nodes, which comes within a few per cent of the
best polynomial of its degree.

    expm1(r) = r + r² q(r)              |r| ≤ ln(2)/2 (1 + 2⁻⁶)
    tanh(x) = x + x³ p(x²)              |x| ≤ ln(2)/4 (1 + 2⁻⁶)
    log1p(t) = 2u + 2u³ p(u²)           u = t / (2 + t), 0 ≤ t ≤ 1, so u² ≤ 1/9
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath

mpmath.mp.dps = 40

# number of coefficients for float32 and for float64
DEGREES = {"expm1": (5, 11), "tanh": (3, 6), "log1p": (5, 12)}


def interpolate(
    function: Callable[[mpmath.mpf], mpmath.mpf], low: mpmath.mpf, high: mpmath.mpf, count: int
) -> list[float]:
    """Return the coefficients, constant first, of the interpolating polynomial."""
    nodes = [
        (low + high) / 2 + (high - low) / 2 * mpmath.cos(mpmath.pi * (k + 0.5) / count)
        for k in range(count)
    ]
    matrix = mpmath.matrix(count, count)
    values = mpmath.matrix(count, 1)
    for row, node in enumerate(nodes):
        values[row] = function(node)
        for power in range(count):
            matrix[row, power] = node**power
    return [float(c) for c in mpmath.lu_solve(matrix, values)]


def expm1_tail(r: mpmath.mpf) -> mpmath.mpf:
    """Return q(r) of expm1(r) = r + r² q(r)."""
    if abs(r) < mpmath.mpf(10) ** -20:  # at the middle node the difference below would cancel
        return mpmath.mpf(1) / 2
    return (mpmath.expm1(r) - r) / r**2


def tanh_tail(square: mpmath.mpf) -> mpmath.mpf:
    """Return p(x²) of tanh(x) = x + x³ p(x²)."""
    x = mpmath.sqrt(square)
    return (mpmath.tanh(x) - x) / x**3


def log1p_tail(square: mpmath.mpf) -> mpmath.mpf:
    """Return p(u²) of log1p(t) = 2u + 2u³ p(u²), u = t / (2 + t)."""
    u = mpmath.sqrt(square)
    return (mpmath.atanh(u) - u) / u**3


def coefficients() -> dict[str, tuple[list[float], list[float]]]:
    """Return {function: (float32 coefficients, float64 coefficients)}."""
    half = mpmath.log(2) / 2 * (1 + mpmath.mpf(2) ** -6)
    ranges = {
        "expm1": (expm1_tail, -half, half),
        "tanh": (tanh_tail, mpmath.mpf(0), (half / 2) ** 2),
        "log1p": (log1p_tail, mpmath.mpf(0), mpmath.mpf(1) / 9),
    }
    return {
        name: tuple(interpolate(*ranges[name], count) for count in DEGREES[name])
        for name in DEGREES
    }


if __name__ == "__main__":
    for name, pair in coefficients().items():
        for bits, values in zip((32, 64), pair, strict=True):
            print(name, bits, values)
