"""Nested NamedTuples of arrays: copied, taken apart by the names of their fields, put together.

A solver's state is one; what fields it has is the solver's own affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Read = Callable[[str, tuple[int, ...], np.dtype[Any]], Array]
Tree = TypeVar("Tree")  # an array, or a NamedTuple of arrays and of NamedTuples


def copied(tree: Tree) -> Tree:
    """Return the same with a copy of each array."""
    return cast(Tree, _build(tree, "", lambda array, _: array.copy()))


def flatten(tree: Any, name: str) -> dict[str, Array]:
    """Return dotted name -> array: ``state.memory.history`` for a field of a field."""
    if isinstance(tree, np.ndarray):
        return {name: tree}
    parts: dict[str, Array] = {}
    for field, part in zip(tree._fields, tree, strict=True):
        parts |= flatten(part, f"{name}.{field}")
    return parts


def hollow(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> Array:
    """Return an array that has a shape and a dtype and takes no memory: for ``restored``."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def zeros(tree: Tree) -> Tree:
    """Return the same with an array of zeros, of the same shape and dtype, for each array."""
    return cast(Tree, _build(tree, "", lambda array, _: np.zeros(array.shape, array.dtype)))


def restored(like: Tree, name: str, read: Read) -> Tree:
    """Return what ``flatten`` took apart.

    Parameters
    ----------
    like : array or NamedTuple
        Of the same fields, shapes and dtypes.
    name : str
        As it was given to ``flatten``.
    read : callable
        ``read(dotted name, shape, dtype)`` returns an array of this form, or raises.
    """
    return cast(Tree, _build(like, name, lambda array, at: read(at, array.shape, array.dtype)))


def _build(tree: Any, name: str, leaf: Callable[[Array, str], Array]) -> Any:
    """Return the same nest with ``leaf(array, dotted name)`` in the place of each array."""
    if isinstance(tree, np.ndarray):
        return leaf(tree, name)
    parts = zip(tree._fields, tree, strict=True)
    return type(tree)(*(_build(part, f"{name}.{field}", leaf) for field, part in parts))
