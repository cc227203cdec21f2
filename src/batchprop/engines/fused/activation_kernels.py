"""σ and σ′ on vectors, side by side.

All transcendental activations rest on one reduction, exp(x) = 2ⁿ (1 + expm1(r)) with |r| ≤ ln(2)/2,
and one polynomial, expm1(r) = r + r² q(r).  The polynomials' coefficients come from
``tools/sigma_coefficients.py``; the error bounds that ``docs/accuracy.md`` states are tested.
Where exp(−|z|) is below the smallest normal number it counts as 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from batchprop.activations import ACTIVATIONS
from batchprop.simd.vectors import Vector

IDENTITY, RELU, TANH = (ACTIVATIONS[name].code for name in ("identity", "relu", "tanh"))
MANTISSA = {32: 23, 64: 52}
BIAS = {32: 127, 64: 1023}
LN2 = {32: float(np.float32(math.log(2))), 64: math.log(2)}
# ln(2) in two parts: n times the first, of 16 and 32 bits, is exact also without an fma
LN2_HIGH = {32: 45426 / 2**16, 64: 2977044471 / 2**32}
LN2_LOW = {32: 1.4286068203094173e-06, 64: 1.9082149292705877e-10}
EXP_IS_NORMAL = {32: -126 * math.log(2), 64: -1022 * math.log(2)}  # else exp(x) counts as 0
EXPM1_IS_MINUS_1 = {32: -20.0, 64: -40.0}  # expm1(x) rounds to −1 below
SOFTSIGN_IS_1 = {32: 1e30, 64: 1e300}  # softsign rounds to 1 above
EXPM1_TAIL = {
    32: (0.5, 0.16666571284083234, 0.041666547489714705, 0.008364114469332593,
         0.0013927352066487003),
    64: (0.5, 0.1666666666666667, 0.04166666666666667, 0.00833333333332519,
         0.0013888888888883074, 0.00019841269878071076, 2.4801587327868914e-05,
         2.7557251341096777e-06, 2.755727074447653e-07, 2.510688037652902e-08,
         2.0915874788882545e-09),
}  # fmt: skip
# the same for expm1(2r) = 2r + r² q(r)
HALF_EXPM1_TAIL = {
    bits: tuple(c * 2.0 ** (k + 2) for k, c in enumerate(tail)) for bits, tail in EXPM1_TAIL.items()
}
LOG1P_TAIL = {
    32: (0.3333333366026371, 0.1999985316596486, 0.14296178997151418, 0.10853287900440187,
         0.11612164612011674),
    64: (0.3333333333333333, 0.20000000000000007, 0.1428571428571097, 0.11111111111665993,
         0.09090909043002827, 0.07692310126902081, 0.06666588474569089, 0.05883998883620518,
         0.05240199617182637, 0.04971012448277368, 0.03167055425885123, 0.07615631309714492),
}  # fmt: skip


def polynomial(x: Vector, coefficients: tuple[float, ...]) -> Vector:
    """Return c₀ + c₁ x + c₂ x² + … by Horner's rule."""
    value: Vector | float = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = x.fma(value, coefficient)
    assert isinstance(value, Vector)
    return value


def exp_parts(x: Vector) -> tuple[Vector, Vector]:
    """Return 2ⁿ and expm1(r), exp(x) = 2ⁿ (1 + expm1(r)), where exp(x) is a normal number."""
    bits = x.bits
    rounder = 1.5 * 2.0 ** MANTISSA[bits]  # adding it rounds to whole numbers
    shifted = x.fma(math.log2(math.e), rounder)
    n = shifted - rounder
    r = n.fma(-LN2_LOW[bits], n.fma(-LN2_HIGH[bits], x))
    return shifted.exponent(MANTISSA[bits], BIAS[bits]), (r * r).fma(
        polynomial(r, EXPM1_TAIL[bits]), r
    )


def exp_negative(x: Vector) -> Vector:
    """Return exp(x) for x ≤ 0."""
    scale, tail = exp_parts(x)
    return x.where_less(EXP_IS_NORMAL[x.bits], 0.0, scale.fma(tail, scale))


def expm1_negative(x: Vector) -> Vector:
    """Return exp(x) − 1 for x ≤ 0, without cancellation near 0."""
    scale, tail = exp_parts(x)
    return x.where_less(EXPM1_IS_MINUS_1[x.bits], -1.0, scale.fma(tail, scale - 1.0))


def identity(z: Vector) -> Vector:
    """h = z."""
    return z


def identity_prime(h: Vector) -> Vector:
    """σ′ = 1."""
    return Vector(h.builder, h.of(1.0))


def logistic(z: Vector) -> Vector:
    """h = 1 / (1 + exp(−z)), as exp(z) / (1 + exp(z)) where z < 0."""
    t = exp_negative(-abs(z))
    one = Vector(z.builder, z.of(1.0))
    return z.where_less(0.0, t, one) / (1.0 + t)


def logistic_prime(h: Vector) -> Vector:
    """σ′ = h (1 − h)."""
    return h * (1.0 - h)


def tanh(z: Vector) -> Vector:
    """h = −d / (2 + d) with d = expm1(−2|z|), and the sign of z.

    The reduction is written out for half the argument, r = −|z| − n ln(2)/2, which saves two
    operations; what ln(2) lacks in the last digits only matters where exp(−2|z|) no longer does.
    """
    bits = z.bits
    size = abs(z).at_most(-EXPM1_IS_MINUS_1[bits] / 2)
    rounder = 1.5 * 2.0 ** MANTISSA[bits]
    shifted = size.fma(-2.0 * math.log2(math.e), rounder)
    half = (shifted - rounder).fma(-LN2[bits] / 2, -size)
    scale = shifted.exponent(MANTISSA[bits], BIAS[bits])
    tail = half * half.fma(polynomial(half, HALF_EXPM1_TAIL[bits]), 2.0)
    d = scale.fma(tail, scale - 1.0)
    return (d / (2.0 + d)).copysign(z)


def tanh_prime(h: Vector) -> Vector:
    """σ′ = 1 − h²."""
    return (-h).fma(h, 1.0)


def relu(z: Vector) -> Vector:
    """h = max(z, 0)."""
    return z.where_less(0.0, 0.0, z)


def relu_prime(h: Vector) -> Vector:
    """σ′ = 1 where z > 0, else 0."""
    zero = Vector(h.builder, h.of(0.0))
    return zero.where_less(h, 1.0, zero)


def softplus(z: Vector) -> Vector:
    """h = max(z, 0) + log1p(exp(−|z|)), log1p(t) = 2u + 2u³ p(u²), u = t / (2 + t)."""
    t = exp_negative(-abs(z))
    u = t / (2.0 + t)
    square, twice = u * u, u + u
    return relu(z) + (twice * square).fma(polynomial(square, LOG1P_TAIL[z.bits]), twice)


def softplus_prime(h: Vector) -> Vector:
    """σ′ = 1 − exp(−h)."""
    return -expm1_negative(-h)


def elu(z: Vector) -> Vector:
    """h = z where z > 0, else expm1(z)."""
    return z.where_less(0.0, expm1_negative(z), z)


def elu_prime(h: Vector) -> Vector:
    """σ′ = 1 where z > 0, else exp(z) = h + 1."""
    return h.where_less(0.0, h + 1.0, Vector(h.builder, h.of(1.0)))


def softsign(z: Vector) -> Vector:
    """h = z / (1 + |z|)."""
    largest = Vector(z.builder, z.of(SOFTSIGN_IS_1[z.bits]))
    size = largest.where_less(abs(z), largest, abs(z))
    return (size / (1.0 + size)).copysign(z)


def softsign_prime(h: Vector) -> Vector:
    """σ′ = (1 − |h|)²."""
    root = 1.0 - abs(h)
    return root * root


Formula = Callable[[Vector], Vector]
FORMULAS: dict[str, tuple[Formula, Formula]] = {
    "identity": (identity, identity_prime),
    "logistic": (logistic, logistic_prime),
    "tanh": (tanh, tanh_prime),
    "relu": (relu, relu_prime),
    "softplus": (softplus, softplus_prime),
    "elu": (elu, elu_prime),
    "softsign": (softsign, softsign_prime),
}


def _by_code(builder: Any, code: Any, value: Any, which: int) -> Any:
    """Write a switch over the activations' codes: one kernel serves them all.

    The branch is the same for a whole run, is taken once for a wide vector, and costs nothing
    that could be measured beside a kernel of its own for each activation.
    """
    after = builder.append_basic_block("sigma.after")
    unknown = builder.append_basic_block("sigma.unknown")
    switch = builder.switch(code, unknown)
    results = []
    for activation in ACTIVATIONS.values():
        block = builder.append_basic_block(f"sigma.{activation.name}")
        switch.add_case(ir.Constant(code.type, activation.code), block)
        builder.position_at_end(block)
        result = FORMULAS[activation.name][which](Vector(builder, value)).value
        results.append((result, builder.block))
        builder.branch(after)
    builder.position_at_end(unknown)
    builder.unreachable()
    builder.position_at_end(after)
    phi = builder.phi(value.type)
    for result, block in results:
        phi.add_incoming(result, block)
    return phi


@intrinsic
def sigma(typing: Any, code: Any, z: Any) -> Any:
    """``sigma(code, z)``: h = σ(z)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _by_code(builder, args[0], args[1], 0)

    return z(types.intp, z), codegen


@intrinsic
def sigma_prime(typing: Any, code: Any, h: Any) -> Any:
    """``sigma_prime(code, h)``: σ′(z), given h = σ(z)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _by_code(builder, args[0], args[1], 1)

    return h(types.intp, h), codegen
