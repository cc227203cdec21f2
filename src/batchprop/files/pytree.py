"""Nested NamedTuples of arrays: copy them, flatten them to dotted names, rebuild them.

The state of a solver is such a tree; its fields are known to the solver alone.
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
    """Return the same tree with a copy of each array."""
    return cast(Tree, _build(tree, "", lambda array, _: array.copy()))


def flatten(tree: Any, name: str) -> dict[str, Array]:
    """Return the arrays by dotted name, such as ``state.memory.history`` for nested fields."""
    if isinstance(tree, np.ndarray):
        return {name: tree}
    parts: dict[str, Array] = {}
    for field, part in zip(tree._fields, tree, strict=True):
        parts |= flatten(part, f"{name}.{field}")
    return parts


def hollow(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> Array:
    """Return an array with a shape and dtype that takes no memory, as a template."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def zeros(tree: Tree) -> Tree:
    """Return the same tree with each array replaced by zeros of its shape and dtype."""
    return cast(Tree, _build(tree, "", lambda array, _: np.zeros(array.shape, array.dtype)))


def restored(template: Tree, name: str, read: Read) -> Tree:
    """Rebuild a tree that ``flatten`` took apart.

    Parameters
    ----------
    template : array or NamedTuple
        A tree with the same fields, shapes and dtypes.
    name : str
        The name that was passed to ``flatten``.
    read : callable
        ``read(dotted name, shape, dtype)`` returns an array of that shape and dtype, or raises.
    """
    return cast(Tree, _build(template, name, lambda array, at: read(at, array.shape, array.dtype)))


def _build(tree: Any, name: str, leaf: Callable[[Array, str], Array]) -> Any:
    """Return the same tree with each array replaced by ``leaf(array, dotted name)``."""
    if isinstance(tree, np.ndarray):
        return leaf(tree, name)
    parts = zip(tree._fields, tree, strict=True)
    return type(tree)(*(_build(part, f"{name}.{field}", leaf) for field, part in parts))
