"""Checks that the results of a call fit into memory, before anything is allocated."""

from __future__ import annotations

from batchprop.machine.available_memory import available_memory
from batchprop.parameters import Shape
from batchprop.validation.error_text import message, written

NEGLIGIBLE = 1 << 27  # demands up to this many bytes are not checked
_ADDRESS_SPACE = float(1 << 47)  # upper limit where the system does not report its memory
_COPIES = 4  # vectors of length P in every run: θ, the previous θ, the best θ, the gradient
_PAIR_BYTES = 16  # per parameter and pair of L-BFGS


def network(shape: Shape, name: str = "") -> None:
    """Reject a network that does not fit; ``name`` is the argument to blame, if not the largest."""
    size = max(shape)
    name = name or Shape._fields[shape.index(size)]
    content = f"a network of {written(shape.n_parameters)} parameters"
    value = shape.n_hidden if name == "hidden_size" else size
    _demand(name, value, 8 * _COPIES * shape.n_parameters, content)


def starts(n_init: int, n_bytes: int) -> None:
    """Reject ``n_init`` if the results of so many starts, ``n_bytes`` each, do not fit."""
    _demand("n_init", n_init, n_init * n_bytes, "a result of each start")


def pairs(history_size: int, shape: Shape) -> None:
    """Reject ``history_size`` if so many pairs of L-BFGS do not fit."""
    content = f"pairs of two vectors of {written(shape.n_parameters)} numbers"
    _demand("history_size", history_size, _PAIR_BYTES * history_size * shape.n_parameters, content)


def jacobian(shape: Shape, n_samples: int, itemsize: int) -> None:
    """Reject X if ∂Y/∂X (s, e, N) does not fit."""
    n_values = shape.n_outputs * shape.n_inputs * n_samples
    content = f"samples have a Jacobian of {written(n_values)} numbers"
    remedy = "Pass fewer samples at a time."
    _demand("X", n_samples, itemsize * n_values, content, remedy)


def _demand(
    name: str, value: int, n_bytes: int, content: str, remedy: str = "Choose a smaller one."
) -> None:
    if n_bytes <= NEGLIGIBLE:
        return
    available = min(available_memory(), _ADDRESS_SPACE)
    if n_bytes > available:
        gigabytes = f"{n_bytes / 2**30:.1f}" if n_bytes < 2**80 else written(n_bytes >> 30)
        raise ValueError(
            message(
                name,
                "leave room in memory",
                f"{written(value)}: {content}, {gigabytes} GiB where "
                f"{max(0.0, available) / 2**30:.1f} GiB are left",
                remedy,
            )
        )
