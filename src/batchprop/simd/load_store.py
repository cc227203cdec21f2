"""Loads, stores and arithmetic of single vectors."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.compiler.jit import always_inlined
from batchprop.simd.vectors import WIDE, Vec, Vector, splat, vec_type


def element(context: Any, builder: Any, array: Any, value: Any, index: Any) -> Any:
    """Return the address of ``array.flat[index]`` of a contiguous array."""
    position = context.data_model_manager[array].get_field_position("data")
    return builder.gep(builder.extract_value(value, position), [index])


def row_address(context: Any, builder: Any, array: Any, args: Any, row: int) -> Any:
    """Return the address of ``array[start + row · stride]``, args = (array, start, stride, …)."""
    offset = builder.mul(args[2], ir.Constant(args[2].type, row))
    return element(context, builder, array, args[0], builder.add(args[1], offset))


def load_from(builder: Any, llvm_type: Any, pointer: Any, align: int) -> Any:
    """Load a value of an LLVM type from an address that is aligned to ``align`` bytes only."""
    value = builder.load(builder.bitcast(pointer, llvm_type.as_pointer()))
    value.align = align
    return value


def store_to(builder: Any, value: Any, pointer: Any, align: int) -> None:
    """Store a value to an address that is aligned to ``align`` bytes only."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=align)


@intrinsic(prefer_literal=True)
def lanes_of(typing: Any, array: Any, registers: Any) -> Any:
    """``lanes_of(array, registers)``: the elements of such a vector, as a constant."""
    size = vec_type(array.dtype, registers.literal_value).size

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_constant(types.intp, size)

    return types.intp(array, registers), codegen


@intrinsic
def lanes_in(typing: Any, vector: Any) -> Any:
    """``lanes_in(vector)``: how many elements it has, as a constant."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_constant(types.intp, vector.size)

    return types.intp(vector), codegen


def _loading(vec: Any, array: Any, place: int) -> Any:
    """Return the code of a load of ``vec``; argument ``place`` is the array, the next the index."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[place], args[place + 1])
        return load_from(builder, context.get_value_type(vec), pointer, array.dtype.bitwidth // 8)

    return codegen


@intrinsic(prefer_literal=True)
def load(typing: Any, array: Any, index: Any, registers: Any) -> Any:
    """``load(array, index, registers)``: the vector that starts at a flat index."""
    vec = vec_type(array.dtype, registers.literal_value)
    return vec(array, types.intp, registers), _loading(vec, array, 0)


@intrinsic
def load_like(typing: Any, tile: Any, array: Any, index: Any) -> Any:
    """``load_like(tile, array, index)``: a vector of the same length as a tile's."""
    vec = tile.dtype
    return vec(tile, array, types.intp), _loading(vec, array, 1)


@intrinsic
def load_beside(typing: Any, vector: Any, array: Any, index: Any) -> Any:
    """``load_beside(vector, array, index)``: as many numbers as a vector has, in array's dtype."""
    vec = Vec(array.dtype, vector.size)
    return vec(vector, array, types.intp), _loading(vec, array, 1)


@intrinsic(prefer_literal=True)
def copy_part(typing: Any, out: Any, to: Any, address: Any, parts: Any) -> Any:
    """``copy_part(out, to, address, parts)``: copy 1/parts of a wide vector, or one number."""
    size = max(1, vec_type(out.dtype, WIDE).size // parts.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        align = out.dtype.bitwidth // 8
        part = ir.VectorType(context.get_value_type(out.dtype), size)
        source = builder.inttoptr(args[2], part.as_pointer())
        value = load_from(builder, part, source, align)
        store_to(builder, value, element(context, builder, out, args[0], args[1]), align)
        return context.get_dummy_value()

    return types.void(out, types.intp, types.intp, parts), codegen


def _read(dtype: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], context.get_value_type(dtype).as_pointer()))

    return dtype(types.intp), codegen


@intrinsic
def read_float32(typing: Any, address: Any) -> Any:
    """``read_float32(address)``: the float32 at that address."""
    return _read(types.float32)


@intrinsic
def read_float64(typing: Any, address: Any) -> Any:
    """``read_float64(address)``: the float64 at that address."""
    return _read(types.float64)


@intrinsic
def store(typing: Any, array: Any, index: Any, vec: Any) -> Any:
    """``store(array, index, vec)``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        store_to(builder, args[2], pointer, array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vec), codegen


@intrinsic
def subtract(typing: Any, a: Any, b: Any) -> Any:
    """``subtract(a, b)`` = a − b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fsub(*args)

    return a(a, b), codegen


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """``multiply(a, b)`` = a · b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return a(a, b), codegen


@intrinsic
def standard(typing: Any, a: Any, mean: Any, factor: Any) -> Any:
    """``standard(a, mean, factor)`` = (a − mean) · factor, computed in float64 and rounded."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = args[0].type
        wide = ir.VectorType(ir.DoubleType(), vector.count)
        narrow = vector != wide
        value = builder.fpext(args[0], wide) if narrow else args[0]
        value = builder.fsub(value, splat(builder, wide, args[1]).value)
        value = builder.fmul(value, splat(builder, wide, args[2]).value)
        return builder.fptrunc(value, vector) if narrow else value

    return a(a, types.float64, types.float64), codegen


def _float64(vec: Any) -> Any:
    """Return the type of a vector of as many float64."""
    return Vec(types.float64, vec.size)


@intrinsic(prefer_literal=True)
def zero_sums(typing: Any, array: Any, registers: Any) -> Any:
    """``zero_sums(array, registers)``: as many zeros as such a vector has lanes, in float64."""
    sums = _float64(vec_type(array.dtype, registers.literal_value))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(sums), None)

    return sums(array, registers), codegen


@intrinsic
def add_lanes(typing: Any, sums: Any, a: Any) -> Any:
    """``add_lanes(sums, a)``: sums + a in float64, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return (Vector(builder, args[0]) + Vector(builder, args[1]).widened()).value

    return sums(sums, a), codegen


@intrinsic
def add_product(typing: Any, sums: Any, a: Any, b: Any) -> Any:
    """``add_product(sums, a, b)``: sums + a · b in float64, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        left, right = (Vector(builder, arg).widened() for arg in args[1:])
        return (Vector(builder, args[0]) + left * right).value

    return sums(sums, a, b), codegen


@intrinsic
def spread(typing: Any, like: Any, number: Any) -> Any:
    """``spread(like, number)``: a float64 in every lane of a vector of float64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return splat(builder, args[0].type, args[1]).value

    return like(like, types.float64), codegen


@intrinsic
def total(typing: Any, sums: Any) -> Any:
    """``total(sums)``: the sum of the lanes of a vector of float64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_element(Vector(builder, args[0]).halved().value, ir.IntType(32)(0))

    return types.float64(sums), codegen


def _prefetch(builder: Any, pointer: Any, locality: int) -> None:
    """Fetch the cache line of an address for reading: 3 to the first level, 2 to the second."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.bitcast(pointer, byte), number(0), number(locality), number(1)])


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """``prefetch(array, index)``: fetch the cache line of an element that is used soon."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _prefetch(builder, element(context, builder, array, args[0], args[1]), 3)
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def prefetch_address(typing: Any, address: Any) -> Any:
    """``prefetch_address(address)``: fetch the cache line at an address to the second level."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _prefetch(builder, builder.inttoptr(args[0], ir.IntType(8).as_pointer()), 2)
        return context.get_dummy_value()

    return types.void(types.intp), codegen


@always_inlined
def fill(out, start, stop, value):
    """Write a number to ``out[start:stop]``."""
    for i in range(start, stop):
        out[i] = value
