"""Squares of numbers, turned in registers: rows become columns."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from batchprop.simd.load_store import element, load_from, store_to
from batchprop.simd.vectors import Vector, vec_type


def _turned(rows: list[Vector]) -> list[Vector]:
    """Transpose a square: rows whose numbers differ in one bit swap the lanes that differ in it."""
    size, distance = len(rows), 1
    while distance < size:
        upper = [bool(lane & distance) for lane in range(size)]
        for low in (row for row in range(size) if not row & distance):
            a, b = rows[low], rows[low + distance]
            rows[low] = a.pick([size + n - distance if up else n for n, up in enumerate(upper)], b)
            rows[low + distance] = a.pick(
                [size + n if up else n + distance for n, up in enumerate(upper)], b
            )
        distance *= 2
    return rows


def _step(builder: Any, start: Any, stride: Any, row: int) -> Any:
    """Return ``start`` + ``row`` · ``stride``."""
    return builder.add(start, builder.mul(stride, ir.Constant(stride.type, row)))


def _load(builder: Any, size: int, dtype: Any, pointer: Any) -> Vector:
    """Return ``size`` adjacent numbers; ``dtype`` is their LLVM type."""
    align = 8 if isinstance(dtype, ir.DoubleType) else 4
    return Vector(builder, load_from(builder, ir.VectorType(dtype, size), pointer, align))


def _store_turned(
    context: Any, builder: Any, rows: list[Vector], B: Any, array: Any, to: Any, stride: Any
) -> None:
    """Write the columns of a square to the flat array ``array`` of type B, from ``to`` on."""
    for row, vector in enumerate(_turned(rows)):
        pointer = element(context, builder, B, array, _step(builder, to, stride, row))
        store_to(builder, vector.value, pointer, B.dtype.bitwidth // 8)


@intrinsic
def transpose(typing: Any, A: Any, start: Any, stride: Any, B: Any, to: Any, to_stride: Any) -> Any:
    """``transpose(A, start, stride, B, to, to_stride)``: a square of native vectors, turned.

    B[to + c·to_stride + r] = A[start + r·stride + c] for as many rows as a vector has lanes.
    """
    size = vec_type(A.dtype, 1).size

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        dtype = context.get_value_type(A.dtype)
        source, start, stride, *target = args
        places = [_step(builder, start, stride, row) for row in range(size)]
        pointers = [element(context, builder, A, source, place) for place in places]
        rows = [_load(builder, size, dtype, pointer) for pointer in pointers]
        _store_turned(context, builder, rows, B, *target)
        return context.get_dummy_value()

    return types.void(A, types.intp, types.intp, B, types.intp, types.intp), codegen


@intrinsic
def transpose_memory(
    typing: Any, address: Any, stride: Any, B: Any, to: Any, to_stride: Any, parts: Any
) -> Any:
    """``transpose_memory(address, stride, B, to, to_stride, parts)``: a square from an address.

    It is turned as ``transpose`` does.  The numbers have the dtype of B; ``stride`` is in bytes.
    ``parts`` is a tuple, such as ONE or TWO: its length says which part of a vector's lanes a side
    of the square has.
    """
    size = vec_type(B.dtype, 1).size // len(parts)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        dtype = context.get_value_type(B.dtype)
        start, row_stride, *target, _ = args
        places = [_step(builder, start, row_stride, row) for row in range(size)]
        pointers = [builder.inttoptr(place, dtype.as_pointer()) for place in places]
        rows = [_load(builder, size, dtype, pointer) for pointer in pointers]
        _store_turned(context, builder, rows, B, *target)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, B, types.intp, types.intp, parts), codegen
