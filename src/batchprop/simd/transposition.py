"""Rows that become columns in registers: squares of numbers, and rows side by side."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.simd.load_store import load_from, row_address, store_to
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


def _turn(context: Any, builder: Any, pointers: list[Any], B: Any, args: Any) -> None:
    """Read a row of a square from each address; write its columns, args = (array of B, to, stride).

    The rows have the dtype of B.
    """
    kind = ir.VectorType(context.get_value_type(B.dtype), len(pointers))
    align = B.dtype.bitwidth // 8
    rows = [Vector(builder, load_from(builder, kind, pointer, align)) for pointer in pointers]
    for row, vector in enumerate(_turned(rows)):
        store_to(builder, vector.value, row_address(context, builder, B, args, row), align)


@intrinsic
def transpose(typing: Any, A: Any, start: Any, stride: Any, B: Any, to: Any, to_stride: Any) -> Any:
    """``transpose(A, start, stride, B, to, to_stride)``: a square of native vectors, turned.

    B[to + c·to_stride + r] = A[start + r·stride + c] for as many rows as a vector has lanes.
    """
    size = vec_type(A.dtype, 1).size

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = [row_address(context, builder, A, args, row) for row in range(size)]
        _turn(context, builder, pointers, B, args[3:])
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
        start, row_stride, *target, _ = args
        offsets = [
            builder.mul(row_stride, ir.Constant(row_stride.type, row)) for row in range(size)
        ]
        kind = context.get_value_type(B.dtype).as_pointer()
        pointers = [builder.inttoptr(builder.add(start, offset), kind) for offset in offsets]
        _turn(context, builder, pointers, B, target)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, B, types.intp, types.intp, parts), codegen


def _side_by_side(rows: list[Vector]) -> list[Vector]:
    """Return lane 0 of each row, then lane 1 of each, and so on; there is an even number of rows.

    Rows are interleaved in pairs first: a vector of the result is then put together from as many
    vectors as there are pairs.
    """
    lanes, n_pairs, result = rows[0].lanes, len(rows) // 2, []
    for half in range(0, lanes, lanes // 2):
        order = [lane for c in range(half, half + lanes // 2) for lane in (c, c + lanes)]
        pairs = [a.pick(order, b) for a, b in zip(rows[::2], rows[1::2], strict=True)]
        for first in range(0, n_pairs * lanes, lanes):
            numbers = [divmod(n, 2 * n_pairs) for n in range(first, first + lanes)]
            places = [(r // 2, 2 * c + r % 2) for c, r in numbers]  # the pair, and the lane there
            vector = pairs[0].pick([lane for _, lane in places])
            for k in range(1, n_pairs):
                taken = [lanes + at if pair == k else n for n, (pair, at) in enumerate(places)]
                vector = vector.pick(taken, pairs[k])
            result.append(vector)
    return result


@intrinsic
def interleave(typing: Any, tile: Any) -> Any:
    """``interleave(tile)``: lane 0 of each row of a tile, then lane 1 of each, and so on.

    The result is a tile as large; the number of rows is even.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = [Vector(builder, value) for value in cgutils.unpack_tuple(builder, args[0])]
        vectors = [vector.value for vector in _side_by_side(rows)]
        return context.make_tuple(builder, tile, vectors)

    return tile(tile), codegen
