"""Whether what a call asks for fits into memory: asked before anything is allocated."""

from __future__ import annotations

from batchprop.machine.available_memory import available_memory
from batchprop.parameters import Shape
from batchprop.validation.error_text import message, written

_SMALL = 1 << 27  # bytes that need not be asked for
_ANY_MACHINE = float(1 << 47)  # what no machine has, where the system does not tell
_COPIES = 4  # of θ that a run has at least: now, before, at its best, and its gradient
_PAIR = 16  # bytes a parameter takes in a pair of L-BFGS


def network(shape: Shape, name: str = "") -> None:
    """Refuse a network that does not fit; without a name, the largest of its sizes is named."""
    size = max(shape)
    name = name or Shape._fields[shape.index(size)]
    what = f"a network of {written(shape.n_parameters)} parameters"
    value = shape.n_hidden if name == "hidden_size" else size
    _demand(name, value, 8 * _COPIES * shape.n_parameters, what)


def starts(n_init: int, n_bytes: int) -> None:
    """Refuse so many starts that their results, of ``n_bytes`` each, do not fit."""
    _demand("n_init", n_init, n_init * n_bytes, "a result of each start")


def pairs(history_size: int, shape: Shape) -> None:
    """Refuse so many pairs of L-BFGS that they do not fit."""
    what = f"pairs of two vectors of {written(shape.n_parameters)} numbers"
    _demand("history_size", history_size, _PAIR * history_size * shape.n_parameters, what)


def _demand(name: str, value: int, n_bytes: int, what: str) -> None:
    if n_bytes <= _SMALL:
        return
    left = min(available_memory(), _ANY_MACHINE)
    if n_bytes > left:
        gigabytes = f"{n_bytes / 2**30:.1f}" if n_bytes < 2**80 else written(n_bytes >> 30)
        raise ValueError(
            message(
                name,
                "leave room in memory",
                f"{written(value)}: {what}, {gigabytes} GiB where "
                f"{max(0.0, left) / 2**30:.1f} GiB are left",
                "Choose a smaller one.",
            )
        )
