"""Checks of networks: sizes, parameters as a vector and as blocks, the object itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape
from batchprop.validation.arrays import finite, real_array
from batchprop.validation.error_text import described, message
from batchprop.validation.values import count

Array = npt.NDArray[Any]

_CORRECT = "Correct that parameter, or train the network again."
_BLOCKS = "The blocks are W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."


def shape(value: object) -> Shape:
    """Return the sizes (e, m, s) as a ``Shape``."""
    if not isinstance(value, tuple | list) or len(value) != 3:
        remedy = "Pass (e, m, s), for example network.shape."
        raise TypeError(message("shape", "be three integers", described(value), remedy))
    return Shape(*map(count, Shape._fields, value))


def theta(value: npt.ArrayLike, n_parameters: int) -> Array:
    """Return a finite flat vector of parameters of the right length."""
    array = real_array("theta", value)
    if array.shape != (n_parameters,):
        remedy = "Its order is W_h, b_h, W_y, b_y, each row-major: m·e + m + s·m + s numbers."
        got = f"shape {array.shape}"
        raise ValueError(message("theta", f"have shape ({n_parameters},)", got, remedy))
    finite("theta", array, _CORRECT)
    return np.ascontiguousarray(array)


def parameter_blocks(
    W_h: npt.ArrayLike, b_h: npt.ArrayLike, W_y: npt.ArrayLike, b_y: npt.ArrayLike
) -> list[Array]:
    """Return the four blocks in one common dtype, with shapes that fit together."""
    arguments = {"W_h": W_h, "b_h": b_h, "W_y": W_y, "b_y": b_y}
    blocks = {name: real_array(name, value) for name, value in arguments.items()}
    symbols = {"W_h": "(m, e)", "b_h": "(m,)", "W_y": "(s, m)", "b_y": "(s,)"}
    for name, block in blocks.items():
        if block.ndim != (2 if name.startswith("W") else 1) or block.size == 0:
            expected = f"have shape {symbols[name]} and not be empty"
            raise ValueError(message(name, expected, f"shape {block.shape}", _BLOCKS))
    m, s = blocks["W_h"].shape[0], blocks["W_y"].shape[0]
    for name, sizes in (("b_h", (m,)), ("W_y", (s, m)), ("b_y", (s,))):
        if blocks[name].shape != sizes:
            context = f"W_h {blocks['W_h'].shape} and W_y {blocks['W_y'].shape}"
            got = f"shape {blocks[name].shape}"
            raise ValueError(message(name, f"have shape {sizes} to fit {context}", got, _BLOCKS))
    for name, block in blocks.items():
        finite(name, block, _CORRECT)
    dtype = np.result_type(*blocks.values())
    return [block.astype(dtype, copy=False) for block in blocks.values()]


def network(value: object, network_class: type) -> None:
    """Check that ``value`` is an instance of ``network_class``."""
    if not isinstance(value, network_class):
        name = f"batchprop.{network_class.__name__}"
        remedy = f"Make one with {name}(W_h, b_h, W_y, b_y) or {name}.initialize(e, m, s)."
        raise TypeError(message("network", f"be a {name}", described(value), remedy))
