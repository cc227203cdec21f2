"""Conversion of flat θ to four nested lists and back: W_h, b_h, W_y, b_y, each row by row.

This repeats the layout in `batchprop.parameters` on purpose, so that a wrong layout there shows as
a disagreement between the engines.
"""

from __future__ import annotations

from collections.abc import Iterator

from batchprop.engines.naive.matrix import Blocks
from batchprop.parameters import Shape


def unflatten(theta: list[float], shape: Shape) -> Blocks:
    """Split θ (m e + m + s m + s,) into W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."""
    e, m, s = shape.n_inputs, shape.n_hidden, shape.n_outputs
    values = iter(theta)
    return Blocks(
        W_h=[_take(values, e) for _ in range(m)],
        b_h=_take(values, m),
        W_y=[_take(values, m) for _ in range(s)],
        b_y=_take(values, s),
    )


def flatten(blocks: Blocks) -> list[float]:
    """Join the four blocks into one list (m e + m + s m + s,)."""
    theta = [value for row in blocks.W_h for value in row]
    theta += blocks.b_h
    theta += [value for row in blocks.W_y for value in row]
    theta += blocks.b_y
    return theta


def _take(values: Iterator[float], count: int) -> list[float]:
    return [next(values) for _ in range(count)]
