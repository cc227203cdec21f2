"""Whether what a call asks for fits into memory: asked before anything is allocated."""

from __future__ import annotations

from typing import Any

from batchprop.engines.fused.available_memory import available_memory
from batchprop.parameters import Shape
from batchprop.solvers.lbfgs.state import LbfgsSettings
from batchprop.validation.messages import message, written

_SMALL = 1 << 27  # bytes that need not be asked for
_ANY_MACHINE = float(1 << 47)  # what no machine has, where the system does not tell
_COPIES = 4  # of θ that a run has at least: now, before, at its best, and its gradient
_PAIR = 16  # bytes a parameter takes in a pair of L-BFGS
_RESULT = 4096  # bytes of a result besides its networks


def network(shape: Shape, name: str = "") -> None:
    """Refuse a network that does not fit; without a name, the largest of its sizes is named."""
    size = max(shape)
    name = name or Shape._fields[shape.index(size)]
    what = f"a network of {written(shape.n_parameters)} parameters"
    value = shape.n_hidden if name == "hidden_size" else size
    _demand(name, value, 8 * _COPIES * shape.n_parameters, what)


def starts(n_init: int, shape: Shape) -> None:
    """Refuse so many starts that their results do not fit."""
    size = n_init * (16 * shape.n_parameters + _RESULT)
    _demand(
        "n_init",
        n_init,
        size,
        f"results with two networks of {written(shape.n_parameters)} parameters each",
    )


def memory(settings: Any, shape: Shape) -> None:
    """Refuse pairs of L-BFGS that do not fit."""
    if isinstance(settings, LbfgsSettings):
        pairs = settings.history_size
        what = f"pairs of two vectors of {written(shape.n_parameters)} numbers"
        _demand("history_size", pairs, _PAIR * pairs * shape.n_parameters, what)


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
