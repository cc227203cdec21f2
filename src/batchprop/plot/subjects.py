"""What is drawn: the network behind an argument, names of inputs and outputs, chosen outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchprop import validation
from batchprop.network import Network
from batchprop.plot.canvas import plain
from batchprop.predictive.predictive import Predictive
from batchprop.training.result import TrainResult
from batchprop.validation.error_text import described, message

INPUT, OUTPUT = "x", "y"
MAX_PANELS = 9  # outputs that a figure shows by default


def network_of(model: object) -> Network:
    """Return the network of a network, a result or a ``Predictive``."""
    if isinstance(model, Network):
        return model
    if isinstance(model, TrainResult | Predictive):
        return model.network
    remedy = "Pass what train returns, or its network."
    if hasattr(model, "network_"):
        remedy = "Pass model.network_, and tables with samples as columns: X.T and y[np.newaxis]."
    expected = "be a batchprop.Network or a batchprop.TrainResult"
    raise TypeError(message("network", expected, described(model), remedy))


def names_of(
    names: object, count: int, letter: str, table: object = None, argument: str = "names"
) -> list[str]:
    """Return the names of all inputs or outputs as texts for matplotlib.

    Parameters
    ----------
    names : sequence of str, or None
        As the user passed them.  None takes the row names of ``table`` if it is a data frame, or
        else the letter with the index.
    count : int
        How many there are.
    letter : {"x", "y"}
        The symbol of the inputs or the outputs.
    table : array_like or None
        The table that the user passed.
    argument : str
        What the user calls ``names``.
    """
    if names is None:
        names = _row_names(table, count)
    if names is None:
        return [f"${letter}_{{{j}}}$" for j in range(count)]
    if isinstance(names, str) and count == 1:
        names = [names]
    listed = None if isinstance(names, str) else _listed(names)
    noun = "input" if letter == INPUT else "output"
    if listed is None or len(listed) != count:
        got = described(names) if listed is None else f"{len(listed)} names"
        raise ValueError(
            message(
                argument,
                f"have {count} names, one for each {noun}",
                got,
                f"Pass a list of {count} texts, or leave it out.",
            )
        )
    return [plain(str(name)) for name in listed]


def chosen_outputs(outputs: object, n_outputs: int, most: int = MAX_PANELS) -> list[int]:
    """Return the indices of the outputs to draw; None takes the first ``most``."""
    if outputs is None:
        return list(range(min(n_outputs, most)))
    return _indices("outputs", outputs, n_outputs)


def chosen_inputs(inputs: object, n_inputs: int) -> list[int]:
    """Return the indices of the inputs to draw."""
    return _indices("inputs", inputs, n_inputs)


def shown_of(n_shown: int, count: int, noun: str) -> str:
    """Say that only some are shown; an empty text if all are."""
    return "" if n_shown == count else f"{n_shown} of {count} {noun}"


def _indices(name: str, value: object, count: int) -> list[int]:
    """Return an index or a sequence of indices as a list."""
    listed = _listed(value)
    values = [value] if listed is None else listed
    remedy = f"Count from 0 to {count - 1}."
    if not values:
        raise ValueError(message(name, "name at least one index", "none", remedy))
    indices = [validation.count(name, each, least=0) for each in values]
    for index in indices:
        if index >= count:
            raise ValueError(message(name, f"be below {count}", str(index), remedy))
    return indices


def _listed(value: object) -> list[Any] | None:
    try:
        return list(value)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        return None


def _row_names(table: object, count: int) -> Sequence[str] | None:
    """Return the names of the rows of a data frame, if all are texts."""
    index = getattr(table, "index", None)
    listed = None if index is None or callable(index) else _listed(index)
    if listed is None or len(listed) != count or not all(isinstance(n, str) for n in listed):
        return None
    return listed
