"""Nested NamedTuples of arrays: copied, taken apart by the names of their fields, put together.

A solver's state is one; what fields it has is the solver's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
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


def restored(like: Tree, arrays: Mapping[str, Array], name: str) -> Tree:
    """Return what ``flatten`` took apart.

    Parameters
    ----------
    like : array or NamedTuple
        Of the same fields, shapes and dtypes.
    arrays : mapping of str to ndarray
        What ``flatten`` gave, perhaps among others.
    name : str
        As it was given to ``flatten``.

    Raises
    ------
    KeyError, ValueError
        An array is missing, or has another shape or dtype.
    """

    def found(expected: Array, where: str) -> Array:
        array = arrays[where]
        if array.shape != expected.shape or array.dtype != expected.dtype:
            raise ValueError(
                f"{where} must have shape {expected.shape} and dtype {expected.dtype}; "
                f"got {array.shape} and {array.dtype}."
            )
        return np.array(array)

    return cast(Tree, _build(like, name, found))


def _build(tree: Any, name: str, leaf: Callable[[Array, str], Array]) -> Any:
    """Return the same nest with ``leaf(array, dotted name)`` in the place of each array."""
    if isinstance(tree, np.ndarray):
        return leaf(tree, name)
    parts = zip(tree._fields, tree, strict=True)
    return type(tree)(*(_build(part, f"{name}.{field}", leaf) for field, part in parts))
