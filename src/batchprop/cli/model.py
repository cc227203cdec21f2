"""A model: a network, the columns of its table, its measured errors; and its file.

The file is that of a network (``files/network_file.py``) with a description of the table as one
more member, so that ``Network.load`` reads it, too.  If the model says how sure it is, the members
of a ``Predictive`` are there as well.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from batchprop.files import network_file, npz_reader
from batchprop.parameters import split

if TYPE_CHECKING:
    from batchprop.network import Network
    from batchprop.predictive.predictive import Predictive

MEMBER = "table"  # of the file: the description as JSON
_MAX_CHARACTERS = 4_000_000  # of the description


@dataclass(frozen=True)
class InputColumn:
    """An input column of the table.

    Attributes
    ----------
    name : str
        Its name.
    levels : tuple of str, or None
        Its categories, each of which is one input of the network; None for a column of numbers.
    minimum, maximum : float
        Smallest and largest value in training; 0 for categories.
    """

    name: str
    levels: tuple[str, ...] | None = None
    minimum: float = 0.0
    maximum: float = 0.0

    @property
    def network_inputs(self) -> list[str]:
        """The names of the network's inputs that this column becomes."""
        return [self.name] if self.levels is None else [f"{self.name}={x}" for x in self.levels]


@dataclass(frozen=True)
class TableDescription:
    """The table that a model was trained on.

    Attributes
    ----------
    inputs : tuple of InputColumn
        In the order of the network's inputs.
    targets : list of str
        In the order of the network's outputs.
    header : bool
        Whether columns have names; otherwise their names are their numbers.
    n_columns : int
        Number of all columns of the table.
    n_rows : int
        Number of rows that the network was trained on.
    target_means : list of float
        Means of the targets on these rows.
    measures : dict
        What is known of the network's errors, as ``train --json`` shows it.
    """

    inputs: tuple[InputColumn, ...]
    targets: list[str]
    header: bool
    n_columns: int
    n_rows: int
    target_means: list[float]
    measures: dict[str, Any] = field(default_factory=dict)

    @property
    def network_inputs(self) -> list[str]:
        """The names of the network's inputs."""
        return [name for column in self.inputs for name in column.network_inputs]


@dataclass(frozen=True, eq=False)
class Model:
    """A network and the table that it belongs to.

    Attributes
    ----------
    network : Network
        Predicts.
    table : TableDescription
        The columns of the table.
    predictive : Predictive or None
        How sure the network is, if it was trained to tell.
    """

    network: Network
    table: TableDescription
    predictive: Predictive | None = None


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Write a model to a file, atomically."""
    from batchprop.predictive import predictive_file

    network = model.network
    members: dict[str, Any] = {MEMBER: np.array(json.dumps(asdict(model.table), allow_nan=True))}
    if model.predictive is not None:
        known = model.predictive
        members |= predictive_file.members(
            predictive_file.Content(
                network, known.posterior, known.calibration, known.noise_variance, known.n_effective
            )
        )
    network_file.write(path, split(network.theta, network.shape), network.activation, members)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model.

    Raises
    ------
    OSError
        The file cannot be opened.
    ValueError
        It is no model, or is damaged.
    """
    from batchprop.network import Network
    from batchprop.predictive.predictive import Predictive

    expected = "name a model made by batchprop train"
    with npz_reader.opened(path, expected, "Train it again, or look for another file.") as archive:
        if archive.format_of(network_file.KIND) == network_file.PLAIN:
            raise npz_reader.Damaged("a network without the columns of its table")
        blocks, activation = network_file.parameters(archive)
        table = _description(archive.text(MEMBER, _MAX_CHARACTERS))
        network = Network(*blocks, activation=activation)
        if (len(table.network_inputs), len(table.targets)) != network.shape[::2]:
            raise npz_reader.Damaged(f"{MEMBER}: not the columns of a {network.shape} network")
        has_predictive = "thetas" in archive
    return Model(network, table, Predictive.load(path) if has_predictive else None)


def _description(text: str) -> TableDescription:
    """Return the description of a table from a file, checked."""
    try:
        content = json.loads(text)
        inputs = tuple(_input_column(**entry) for entry in content.pop("inputs"))
        table: Any = TableDescription(inputs=inputs, **content)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise npz_reader.Damaged(f"{MEMBER}: no description of a table") from None
    numbers = [*table.target_means, *(x for c in inputs for x in (c.minimum, c.maximum))]
    sizes = [table.n_columns, table.n_rows]
    if not (
        _are(str, table.targets)
        and _are(str, [column.name for column in inputs])
        and _are(float, numbers)
        and _are(int, sizes)
        and isinstance(table.header, bool)
        and isinstance(table.measures, dict)
        and len(table.target_means) == len(table.targets)
    ):
        raise npz_reader.Damaged(f"{MEMBER}: no description of a table")
    return TableDescription(inputs=inputs, **content)


def _input_column(
    name: str, levels: list[str] | None, minimum: float, maximum: float
) -> InputColumn:
    if levels is not None and not (levels and _are(str, levels)):
        raise TypeError
    return InputColumn(name, None if levels is None else tuple(levels), minimum, maximum)


def _are(kind: type, values: Any) -> bool:
    """Return whether a list holds values of one type only."""
    return isinstance(values, list) and all(type(value) is kind for value in values)
