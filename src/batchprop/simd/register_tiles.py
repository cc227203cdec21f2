"""Register tiles: a few rows of vectors that stay in registers while a loop runs over them.

A tile is a tuple of vectors.  A tuple of row numbers, such as ``FOUR`` or ``ONE``, says how many
rows it has, so that one function serves whole groups of rows and the remaining ones.  Matrices are
flat, contiguous arrays; ``start`` is the flat index of an element and ``stride`` the distance
from one row to the next.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.simd.load_store import load_from, row_address, store_to
from batchprop.simd.vectors import WIDE, Vec, Vector, splat, vec_type

SIX = (0, 1, 2, 3, 4, 5)
TILE_ROWS = len(SIX)  # of the tiles of all products: 6 × 2 sums fit 16 registers, 6 × 4 fit 32
FOUR = (0, 1, 2, 3)
TWO = (0, 1)
BROAD = FOUR if WIDE == 4 else TWO  # columns that fit in the registers beside six rows
WIDE_STRIPS = tuple(range(WIDE))  # as many strips as make a wide vector
ONE = (0,)


def _vectors(builder: Any, tile: Any) -> list[Vector]:
    return [Vector(builder, value) for value in cgutils.unpack_tuple(builder, tile)]


def _tile(context: Any, builder: Any, kind: Any, vectors: list[Vector]) -> Any:
    return context.make_tuple(builder, kind, [vector.value for vector in vectors])


@intrinsic(prefer_literal=True)
def load_rows(typing: Any, A: Any, start: Any, stride: Any, rows: Any, registers: Any) -> Any:
    """``load_rows(A, start, stride, rows, registers)``: one vector from each row.

    ``registers`` is a number of registers or a tuple of as many strips.
    """
    strips = isinstance(registers, types.BaseTuple)
    vec = vec_type(A.dtype, len(registers) if strips else registers.literal_value)
    tile = types.UniTuple(vec, len(rows))
    width = types.unliteral(registers) if strips else registers

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, align = context.get_value_type(tile.dtype), A.dtype.bitwidth // 8
        vectors = [
            load_from(builder, kind, row_address(context, builder, A, args, row), align)
            for row in range(len(rows))
        ]
        return context.make_tuple(builder, tile, vectors)

    return tile(A, types.intp, types.intp, types.unliteral(rows), width), codegen


@intrinsic
def store_rows(typing: Any, A: Any, start: Any, stride: Any, tile: Any) -> Any:
    """``store_rows(A, start, stride, tile)``: one vector to each row."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for row, vector in enumerate(cgutils.unpack_tuple(builder, args[3])):
            pointer = row_address(context, builder, A, args, row)
            store_to(builder, vector, pointer, A.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(A, types.intp, types.intp, tile), codegen


@intrinsic(prefer_literal=True)
def splat_rows(typing: Any, w: Any, start: Any, stride: Any, rows: Any, registers: Any) -> Any:
    """``splat_rows(w, start, stride, rows, registers)``: row r is w[start + r·stride], repeated."""
    tile = types.UniTuple(vec_type(w.dtype, registers.literal_value), len(rows))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(tile.dtype)
        vectors = [
            splat(builder, kind, builder.load(row_address(context, builder, w, args, row)))
            for row in range(len(rows))
        ]
        return _tile(context, builder, tile, vectors)

    return tile(w, types.intp, types.intp, types.unliteral(rows), registers), codegen


@intrinsic(prefer_literal=True)
def zero_tile(typing: Any, like: Any, rows: Any, columns: Any, registers: Any) -> Any:
    """``zero_tile(array, rows, columns, registers)``: rows × columns vectors of zeros."""
    tile = types.UniTuple(vec_type(like.dtype, registers.literal_value), len(rows) * len(columns))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(context.get_value_type(tile.dtype), None)
        return context.make_tuple(builder, tile, [zero] * tile.count)

    return tile(like, types.unliteral(rows), types.unliteral(columns), registers), codegen


@intrinsic
def fma_rows(typing: Any, tile: Any, w: Any, start: Any, stride: Any, x: Any) -> Any:
    """``fma_rows(tile, w, start, stride, x)``: row r plus w[start + r·stride] · x."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = args[4]
        vectors = []
        for row, value in enumerate(_vectors(builder, args[0])):
            scalar = builder.load(row_address(context, builder, w, args[1:], row))
            factor = splat(builder, vector.type, scalar)
            vectors.append(factor.fma(Vector(builder, vector), value))
        return _tile(context, builder, tile, vectors)

    return tile(tile, w, types.intp, types.intp, x), codegen


@intrinsic
def fma_outer(typing: Any, tile: Any, a: Any, b: Any) -> Any:
    """``fma_outer(tile, a, b)``: element (r, c) of a rows × columns tile plus a_r · b_c."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values, left, right = (_vectors(builder, arg) for arg in args)
        places = [(r, c) for r in range(len(left)) for c in range(len(right))]
        if len(right) > len(left):  # so that each vector of the longer side is needed once
            places.sort(key=lambda place: place[1])
        for r, c in places:
            at = r * len(right) + c
            values[at] = left[r].fma(right[c], values[at])
        return _tile(context, builder, tile, values)

    return tile(tile, a, b), codegen


def _fold(vectors: list[Vector]) -> Vector:
    """Sum the lanes of 2ᵏ vectors: lane i of the result is the sum of the lanes of vector i.

    Neighbours are interleaved and added, at twice the distance each round, until one vector is
    left; its upper half is then added to its lower half until 2ᵏ lanes are left.
    """
    count, distance, lanes = len(vectors), 1, vectors[0].lanes
    while len(vectors) > 1:
        low, high = (
            [(lane & ~distance) + part + (lanes if lane & distance else 0) for lane in range(lanes)]
            for part in (0, distance)
        )
        vectors = [
            even.pick(low, odd) + even.pick(high, odd)
            for even, odd in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        distance *= 2
    return vectors[0].halved(count)


@intrinsic
def add_sums(typing: Any, G: Any, start: Any, stride: Any, tile: Any, columns: Any) -> Any:
    """``add_sums(G, start, stride, tile, columns)``: the lane sums of a tile, added to a matrix.

    G[start + r·stride + c] += Σ_lanes of element (r, c); G is float64.
    """
    lanes, width = tile.dtype.size, len(columns)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _vectors(builder, args[3])
        first = 0
        while first < len(vectors):
            count = min(lanes, 1 << (len(vectors) - first).bit_length() - 1)
            sums = _fold(vectors[first : first + count]).widened()
            lane = 0
            while lane < count:
                r, c = divmod(first + lane, width)
                run = min(width - c, count - lane)  # sums that stand side by side in a row of G
                column = builder.add(args[1], ir.Constant(args[1].type, c))
                place = row_address(context, builder, G, (args[0], column, args[2]), r)
                part = sums.pick(list(range(lane, lane + run)))
                old = Vector(builder, load_from(builder, part.value.type, place, 8))
                store_to(builder, (old + part).value, place, 8)
                lane += run
            first += count
        return context.get_dummy_value()

    return types.void(G, types.intp, types.intp, tile, columns), codegen


def _elementwise(function: Any) -> Any:
    """Make ``function`` of single vectors work on tiles of the same form."""

    def typer(typing: Any, *tiles: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            rows = zip(*(_vectors(builder, arg) for arg in args), strict=True)
            return _tile(context, builder, tiles[0], [function(*row) for row in rows])

        return tiles[0](*tiles), codegen

    return typer


@intrinsic
def add_tiles(typing: Any, a: Any, b: Any) -> Any:
    """``add_tiles(a, b)``: element by element a + b."""
    return _elementwise(lambda x, y: x + y)(typing, a, b)


@intrinsic
def fma_tiles(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``fma_tiles(a, b, c)``: element by element a · b + c."""
    return _elementwise(lambda x, y, z: x.fma(y, z))(typing, a, b, c)


@intrinsic
def sum_rows(typing: Any, tile: Any) -> Any:
    """``sum_rows(tile)``: the sum of a tile's rows (1, 2 or 4), neighbours first, as one row."""
    row = types.UniTuple(tile.dtype, 1)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _vectors(builder, args[0])
        while len(vectors) > 1:
            vectors = [a + b for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
        return _tile(context, builder, row, vectors)

    return row(tile), codegen


@intrinsic
def at_least(typing: Any, tile: Any, bound: Any) -> Any:
    """``at_least(tile, bound)``: element by element the larger of the two; NaN stays NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(tile.dtype)
        scalar = context.cast(builder, args[1], types.float64, tile.dtype.dtype)
        limit = splat(builder, kind, scalar)
        vectors = [row.where_less(limit, limit, row) for row in _vectors(builder, args[0])]
        return _tile(context, builder, tile, vectors)

    return tile(tile, types.float64), codegen


@intrinsic(prefer_literal=True)
def repeat(typing: Any, vec: Any, rows: Any) -> Any:
    """``repeat(vec, rows)``: a tile whose rows are all the same vector."""
    tile = types.UniTuple(vec, len(rows))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_tuple(builder, tile, [args[0]] * len(rows))

    return tile(vec, types.unliteral(rows)), codegen


@intrinsic
def join(typing: Any, tile: Any) -> Any:
    """``join(tile)``: one long vector of all rows (1, 2 or 4), for what is done to each lane."""
    vec = Vec(tile.dtype.dtype, tile.dtype.size * tile.count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _vectors(builder, args[0])
        while len(vectors) > 1:
            lanes = list(range(2 * vectors[0].lanes))
            vectors = [
                low.pick(lanes, high) for low, high in zip(vectors[::2], vectors[1::2], strict=True)
            ]
        return vectors[0].value

    return vec(tile), codegen


@intrinsic
def split(typing: Any, vec: Any, like: Any) -> Any:
    """``split(vec, like)``: a long vector as rows again, as many as the tile ``like`` has."""
    lanes = like.dtype.size

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = Vector(builder, args[0])
        rows = [
            whole.pick(list(range(row * lanes, (row + 1) * lanes))) for row in range(like.count)
        ]
        return _tile(context, builder, like, rows)

    return like(vec, like), codegen
