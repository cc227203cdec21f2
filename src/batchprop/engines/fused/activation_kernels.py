"""σ(z) and σ′(z) dh on vectors, side by side; dh is the derivative by h = σ(z).

The exponential functions rest on x = n ln(2) + r with |r| ≤ ln(2)/2, so exp(x) = 2ⁿ exp(r):

- elu adds 2ⁿ − 1 and 2ⁿ expm1(r), expm1(r) = r + r² q(r): it needs no division.
- The others divide anyway.  With t = tanh(r/2), exp(r) = (1 + t)/(1 − t), and the quotient becomes
  part of that division.  tanh is odd, so t = x + x³ p(x²) with x = r/2 needs half as many
  coefficients as q.

``tools/sigma_coefficients.py`` computes the polynomials; tests assert the error bounds of
https://batchprop.readthedocs.io/en/latest/accuracy.html.  Arguments are clamped to a range in
which n fits in the exponent of a float; at its ends σ equals its limits.
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

IDENTITY, LOGISTIC, RELU, TANH = (
    ACTIVATIONS[name].code for name in ("identity", "logistic", "relu", "tanh")
)
LN2 = {32: float(np.float32(math.log(2))), 64: math.log(2)}
# ln(2) in two parts: n times the first, of 16 and 32 bits, is exact also without an fma
LN2_HIGH = {32: 45426 / 2**16, 64: 2977044471 / 2**32}
LN2_LOW = {32: 1.4286068203094173e-06, 64: 1.9082149292705877e-10}
# where ``Vector.rounded`` returns inf and 0 for 2ⁿ
EXP_IS_INF = {32: 128 * math.log(2), 64: 1024 * math.log(2)}
EXP_IS_0 = {32: -127 * math.log(2), 64: -1023 * math.log(2)}
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
TANH_TAIL = {
    32: (-0.33333331340172373, 0.1333217423590512, -0.05296634277779856),
    64: (-0.3333333333333327, 0.13333333333192762, -0.05396825343829746,
         0.02186941539844212, -0.008858665404482144, 0.003459973587416057),
}  # fmt: skip
# 1.5 tanh(r/2) = r q(r²)
TANH_HALF = {
    bits: tuple(0.75 * c / 4.0**k for k, c in enumerate((1.0, *tail)))
    for bits, tail in TANH_TAIL.items()
}
LOG1P_TAIL = {
    32: (0.3333333366026371, 0.1999985316596486, 0.14296178997151418, 0.10853287900440187,
         0.11612164612011674),
    64: (0.3333333333333333, 0.20000000000000007, 0.1428571428571097, 0.11111111111665993,
         0.09090909043002827, 0.07692310126902081, 0.06666588474569089, 0.05883998883620518,
         0.05240199617182637, 0.04971012448277368, 0.03167055425885123, 0.07615631309714492),
}  # fmt: skip
# log1p(t) = v + v³ p(v²), v = 2u
LOG1P_DOUBLED = {
    bits: tuple(c / 4.0 ** (k + 1) for k, c in enumerate(tail)) for bits, tail in LOG1P_TAIL.items()
}


def polynomial(x: Vector, coefficients: tuple[float, ...]) -> Vector:
    """Return c₀ + c₁ x + c₂ x² + … by Horner's rule."""
    value: Vector | float = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = x.fma(value, coefficient)
    assert isinstance(value, Vector)
    return value


def reduced(x: Vector, sign: int) -> tuple[Vector, Vector]:
    """Return 2ⁿ and r, where x = sign · n ln(2) + r and |r| ≤ ln(2)/2."""
    n, power = x.rounded(sign * math.log2(math.e))
    high, low = LN2_HIGH[x.bits], LN2_LOW[x.bits]
    return power, n.fma(-sign * low, n.fma(-sign * high, x))


def exp_parts(x: Vector) -> tuple[Vector, Vector, Vector]:
    """Return 2ⁿ, a and b, where exp(−x) = 2ⁿ b / a.

    exp(−r) = (1 − t)/(1 + t), so a = 1.5 + 1.5 t and b = 1.5 − 1.5 t.  The factor 1.5 keeps both
    between 1 and 2, where their rounding errors are smaller than on both sides of 1.
    """
    power, r = reduced(x, -1)
    q = polynomial(r * r, TANH_HALF[x.bits])
    return power, r.fma(q, 1.5), (-r).fma(q, 1.5)


def expm1_negative(x: Vector) -> Vector:
    """Return exp(x) − 1 for x ≤ 0, without cancellation near 0."""
    power, r = reduced(x.at_least(EXPM1_IS_MINUS_1[x.bits]), 1)
    expm1_r = (r * r).fma(polynomial(r, EXPM1_TAIL[x.bits]), r)
    return power.fma(expm1_r, power - 1.0)


def identity(z: Vector) -> Vector:
    """h = z."""
    return z


def identity_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = 1."""
    return dh


def logistic(z: Vector) -> Vector:
    """h = 1 / (1 + exp(−z)) = a / (a + 2ⁿ b) with exp(−z) = 2ⁿ b / a."""
    power, a, b = exp_parts(z.at_least(-EXP_IS_INF[z.bits]).at_most(-EXP_IS_0[z.bits]))
    return a / power.fma(b, a)


def logistic_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = h (1 − h)."""
    return h * (1.0 - h) * dh


def tanh(z: Vector) -> Vector:
    """h = (1 − S + t (1 + S)) / (1 + S + t (1 − S)), and the sign of z.

    |z| = n ln(2)/2 + x with |x| ≤ ln(2)/4, S = 2⁻ⁿ and t = tanh(x).  This is the addition theorem:
    tanh(n ln(2)/2) = (1 − S)/(1 + S).  For n = 0 it is t itself.  What one float of ln(2) lacks
    is n times as much in x, but tanh is flat where n is large.
    """
    bits = z.bits
    size = abs(z).at_most(-EXPM1_IS_MINUS_1[bits] / 2)
    n, power = size.rounded(-2.0 * math.log2(math.e))  # −n and S
    x = n.fma(LN2[bits] / 2, size)
    square = x * x
    t = (square * polynomial(square, TANH_TAIL[bits])).fma(x, x)
    minus, plus = power - 1.0, power + 1.0
    return (t.fma(plus, -minus) / (-t).fma(minus, plus)) ^ z.sign()


def tanh_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = 1 − h²."""
    return (-h).fma(h, 1.0) * dh


def relu(z: Vector) -> Vector:
    """h = max(z, 0)."""
    return z.where_less(0.0, 0.0, z)


def relu_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = 1 where z > 0, else 0: also where dh is infinite or NaN."""
    zero = Vector(h.builder, h.of(0.0))
    return zero.where_less(h, dh, zero)


def softplus(z: Vector) -> Vector:
    """h = max(z, 0) + log1p(E), E = exp(−|z|) = 2ⁿ b / a.

    log1p(E) = 2 atanh(E / (2 + E)) = v + v³ p(v²), where v = 2E / (2 + E) = 2ⁿ b / (a + 2ⁿ b/2).
    """
    power, a, b = exp_parts(abs(z).at_most(-EXP_IS_0[z.bits]))
    b = power * b
    v = b / b.fma(0.5, a)
    square = v * v
    return relu(z) + (v * square).fma(polynomial(square, LOG1P_DOUBLED[z.bits]), v)


def softplus_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = 1 − exp(−h)."""
    return -expm1_negative(-h) * dh


def elu(z: Vector) -> Vector:
    """h = z where z > 0, else expm1(z)."""
    return z.where_less(0.0, expm1_negative(z), z)


def elu_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = 1 where z > 0, else exp(z) = h + 1."""
    return h.where_less(0.0, h + 1.0, Vector(h.builder, h.of(1.0))) * dh


def softsign(z: Vector) -> Vector:
    """h = z / (1 + |z|)."""
    limit = SOFTSIGN_IS_1[z.bits]
    z = z.at_least(-limit).at_most(limit)
    return z / (1.0 + abs(z))


def softsign_delta(h: Vector, dh: Vector) -> Vector:
    """σ′(z) dh, with σ′ = (1 − |h|)²."""
    root = 1.0 - abs(h)
    return root * root * dh


# σ(z), and σ′(z) dh given h: relu selects dh or 0, which takes less than a factor of 1 or 0
FORMULAS: dict[str, tuple[Callable[..., Vector], Callable[..., Vector]]] = {
    "identity": (identity, identity_delta),
    "logistic": (logistic, logistic_delta),
    "tanh": (tanh, tanh_delta),
    "relu": (relu, relu_delta),
    "softplus": (softplus, softplus_delta),
    "elu": (elu, elu_delta),
    "softsign": (softsign, softsign_delta),
}


def _by_code(builder: Any, code: Any, which: int, *values: Any) -> Any:
    """Write a switch over the activations' codes: one kernel serves them all.

    The branch is the same for a whole run, is taken once for a wide vector, and costs nothing
    that could be measured beside σ.  For σ′ see ``hidden_layer._delta``.
    """
    after = builder.append_basic_block("sigma.after")
    unknown = builder.append_basic_block("sigma.unknown")
    switch = builder.switch(code, unknown)
    results = []
    for activation in ACTIVATIONS.values():
        block = builder.append_basic_block(f"sigma.{activation.name}")
        switch.add_case(ir.Constant(code.type, activation.code), block)
        builder.position_at_end(block)
        vectors = [Vector(builder, value) for value in values]
        result = FORMULAS[activation.name][which](*vectors).value
        results.append((result, builder.block))
        builder.branch(after)
    builder.position_at_end(unknown)
    builder.unreachable()
    builder.position_at_end(after)
    phi = builder.phi(values[0].type)
    for result, block in results:
        phi.add_incoming(result, block)
    return phi


@intrinsic
def sigma(typing: Any, code: Any, z: Any) -> Any:
    """``sigma(code, z)``: h = σ(z)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _by_code(builder, args[0], 0, args[1])

    return z(types.intp, z), codegen


@intrinsic
def sigma_prime(typing: Any, code: Any, h: Any) -> Any:
    """``sigma_prime(code, h)``: σ′(z), given h = σ(z)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one = Vector(builder, args[1]).of(1.0)
        return _by_code(builder, args[0], 1, args[1], one)

    return h(types.intp, h), codegen


@intrinsic
def delta(typing: Any, code: Any, h: Any, dh: Any) -> Any:
    """``delta(code, h, dh)``: δ = σ′(z) dh, given h = σ(z)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _by_code(builder, args[0], 1, args[1], args[2])

    return h(types.intp, h, dh), codegen
