"""Vectors in registers: a numba type, and formulas on it that are written in plain Python.

A *native* vector fills one register of the processor; a *wide* one is ``WIDE`` of them side by
side, which LLVM keeps in as many registers: it is how a kernel says "for a whole tile of samples",
and how independent operations overlap.

A formula is a Python function of ``Vector`` values.  It runs once, while a kernel is compiled, and
writes down the instructions; nothing is reordered or contracted, what is written is computed.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from batchprop.compiler.target import TARGET

Number = float


REGISTER_BITS = TARGET.register_bits
# Without the instruction LLVM calls the C library for each element: a step took 15 times as long.
HAS_FMA = TARGET.fma
NATIVE = 1
# Registers in a wide vector: 32 registers (AVX-512, NEON) hold a tile of 6 × 4, 16 (AVX2) of 6 × 2.
WIDE = 2 if TARGET.x86 and REGISTER_BITS < 512 else 4


def lanes(bits: int, registers: int = 1) -> int:
    """Return how many elements of ``bits`` bits fill so many registers."""
    return registers * REGISTER_BITS // bits


class Vec(types.Type):  # type: ignore[misc]
    """numba's type of a vector of floats."""

    def __init__(self, dtype: types.Float, size: int) -> None:
        self.dtype, self.size = dtype, size
        super().__init__(name=f"Vec({dtype}, {size})")


@register_model(Vec)
class _VecModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vec: Vec) -> None:
        element = manager.lookup(vec.dtype).get_value_type()
        super().__init__(manager, vec, ir.VectorType(element, vec.size))


def vec_type(dtype: types.Float, registers: int) -> Vec:
    """Return the type of a vector that fills so many registers."""
    return Vec(dtype, lanes(dtype.bitwidth, registers))


class Vector:
    """A vector while a kernel is being compiled: operators write LLVM instructions.

    Numbers that stand beside it are put into every lane.
    """

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    @property
    def lanes(self) -> int:
        """How many elements it has."""
        return int(self.value.type.count)

    @property
    def bits(self) -> int:
        """32 or 64."""
        return 32 if isinstance(self.value.type.element, ir.FloatType) else 64

    def _new(self, value: Any) -> Vector:
        return Vector(self.builder, value)

    def of(self, other: Vector | Number) -> Any:
        """Return the LLVM value of a vector, or of a number in every lane."""
        if isinstance(other, Vector):
            return other.value
        return ir.Constant(self.value.type, [float(other)] * self.lanes)

    def __add__(self, other: Vector | Number) -> Vector:
        return self._new(self.builder.fadd(self.value, self.of(other)))

    def __sub__(self, other: Vector | Number) -> Vector:
        return self._new(self.builder.fsub(self.value, self.of(other)))

    def __rsub__(self, other: Number) -> Vector:
        return self._new(self.builder.fsub(self.of(other), self.value))

    def __mul__(self, other: Vector | Number) -> Vector:
        return self._new(self.builder.fmul(self.value, self.of(other)))

    def __truediv__(self, other: Vector | Number) -> Vector:
        return self._new(self.builder.fdiv(self.value, self.of(other)))

    def __neg__(self) -> Vector:
        return self._new(self.builder.fneg(self.value))

    __radd__ = __add__
    __rmul__ = __mul__

    def call(self, name: str, *others: Vector | Number) -> Vector:
        """Call LLVM's intrinsic of that name on this vector and others like it."""
        kind = self.value.type
        function = ir.FunctionType(kind, [kind] * (1 + len(others)))
        symbol = f"llvm.{name}.v{self.lanes}f{self.bits}"
        declared = cgutils.get_or_insert_function(self.builder.module, function, symbol)
        return self._new(self.builder.call(declared, [self.value, *map(self.of, others)]))

    def _bits(self) -> Any:
        """Return the bits as LLVM integers."""
        return self.builder.bitcast(self.value, ir.VectorType(ir.IntType(self.bits), self.lanes))

    def _of_bits(self, bits: Any) -> Vector:
        return self._new(self.builder.bitcast(bits, self.value.type))

    def fma(self, factor: Vector | Number, term: Vector | Number) -> Vector:
        """Return self · factor + term, rounded once where the processor can do that."""
        if not HAS_FMA:
            return self * factor + term
        return self.call("fma", factor, term)

    def __abs__(self) -> Vector:
        return self.call("fabs")

    def sign(self) -> Vector:
        """Return −0 where the sign bit is set, else +0."""
        bits = self._bits()
        mask = ir.Constant(bits.type, [1 << (self.bits - 1)] * self.lanes)
        return self._of_bits(self.builder.and_(bits, mask))

    def __xor__(self, sign: Vector) -> Vector:
        """Return self, negated where ``sign`` is −0 and not +0."""
        return self._of_bits(self.builder.xor(self._bits(), sign._bits()))

    def where_less(self, bound: Vector | Number, yes: Vector | Number, no: Vector) -> Vector:
        """Return, lane by lane, ``yes if self < bound else no`` (``no`` for NaN)."""
        less = self.builder.fcmp_ordered("<", self.value, self.of(bound))
        return self._new(self.builder.select(less, self.of(yes), no.value))

    def at_most(self, bound: Number) -> Vector:
        """Return the smaller of self and a number; NaN stays NaN."""
        limit = self._new(self.of(bound))
        return limit.where_less(self, limit, self)

    def at_least(self, bound: Number) -> Vector:
        """Return the larger of self and a number; NaN stays NaN."""
        return self.where_less(bound, bound, self)

    def rounded(self, factor: Number) -> tuple[Vector, Vector]:
        """Return the whole number n nearest to self · factor, and 2ⁿ.

        −bias ≤ n ≤ bias + 1 is required; at these ends 2ⁿ is returned as 0 and inf.  Adding
        1.5 · 2^mantissa rounds to a whole number.  The exponent's bias is added too, so that the
        low bits hold n + bias; a left shift moves them to the exponent of a float.
        """
        mantissa, bias = (23, 127) if self.bits == 32 else (52, 1023)
        shift = 1.5 * 2.0**mantissa + bias
        shifted = self.fma(factor, shift)
        bits = shifted._bits()
        power = self.builder.shl(bits, ir.Constant(bits.type, [mantissa] * self.lanes))
        return shifted - shift, self._of_bits(power)

    def widened(self) -> Vector:
        """Return the same numbers in float64."""
        if self.bits == 64:
            return self
        return self._new(self.builder.fpext(self.value, ir.VectorType(ir.DoubleType(), self.lanes)))

    def pick(self, lanes: list[int], other: Vector | None = None) -> Vector:
        """Return the lanes with these numbers; those of ``other`` count on from this one's."""
        second = ir.Constant(self.value.type, ir.Undefined) if other is None else other.value
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
        return self._new(self.builder.shuffle_vector(self.value, second, mask))

    def halved(self, left: int = 1) -> Vector:
        """Add the upper half to the lower half until ``left`` lanes are left."""
        vector = self
        while vector.lanes > left:
            half = vector.lanes // 2
            vector = vector.pick(list(range(half))) + vector.pick(list(range(half, 2 * half)))
        return vector


def splat(builder: ir.IRBuilder, kind: ir.VectorType, scalar: Any) -> Vector:
    """Return a scalar in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.IntType(32)(0))
    return Vector(builder, first).pick([0] * kind.count)
