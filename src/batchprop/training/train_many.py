"""Many networks on the same data: seeds, penalties, sizes, folds."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from batchprop import validation
from batchprop.training import setup
from batchprop.training.alpha_search import chosen
from batchprop.training.checkpoint import resume
from batchprop.training.dataset import Known
from batchprop.training.loop import Monitor
from batchprop.training.parallel import run_all
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.train import say, train
from batchprop.validation.error_text import described, message
from batchprop.vocabulary import COLUMNS

_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(train).parameters.items()
    if name not in ("X", "T")
}
_OF_ALL = ("n_threads", "n_init")  # what a single configuration cannot choose


def train_many(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    configurations: Iterable[Mapping[str, Any]],
    *,
    n_threads: int | None = None,
    **common: Any,
) -> list[TrainResult]:
    """Train many networks on the same data, side by side where they are small.

    Each result is, to the last bit, the one that ``train`` gives for the same arguments alone.

    Parameters
    ----------
    X : array_like, shape (e, N)
        Inputs, one sample a column.
    T : array_like, shape (s, N)
        Targets.
    configurations : iterable of dict
        For each network the arguments of ``train`` that are its own: ``seed``, ``alpha``,
        ``hidden_size``, ``activation``, ``solver``, ``sample_weight`` (0 for what a fold leaves
        out), ``resume``, ``checkpoint`` (a file of its own), … .  ``max_seconds`` counts
        from the call, for all networks together.  A true answer of a ``callback`` ends its own
        network alone; its progress says in ``start`` which that is.
    n_threads : int or None
        At most so many threads for all networks together; None takes the process's processors.
    **common
        Arguments of ``train`` that all of them share.

    Returns
    -------
    list of TrainResult
        In the order of the configurations.

    Raises
    ------
    TypeError, ValueError
        An argument does not fit; raised before any network is trained, with the position of the
        configuration.

    Warns
    -----
    UserWarning, RuntimeWarning
        As for ``train``, once for each network.

    Notes
    -----
    As many networks are trained at a time as there are threads, one thread each; what the number
    of networks leaves over goes first, with more threads each where they are large enough to use
    them.  Networks of other engines than the fused one are trained one after another.  Callbacks
    are called from the threads of their networks, several at a time.  Ctrl-C ends all networks;
    each keeps the best it has come to, those that had not begun their start.  What a callback
    raises ends all of them, too, and is passed on.
    """
    began = time.perf_counter()
    threads = validation.n_threads(n_threads)
    specs: list[RunSpecification] = []
    monitors: list[Monitor] = []
    files: dict[str, int] = {}
    known = Known(X, T)
    _known_arguments(common, "train_many")
    listed = _listed(configurations)
    for k, own in enumerate(listed):
        where = f"configurations[{k}]"
        if not isinstance(own, Mapping):
            raise TypeError(
                f"{where} must be a dict of arguments of train; got {described(own)}. "
                f'Write, for example, {{"seed": {k}}}.'
            )
        _known_arguments(own, where)
        given = _DEFAULTS | common | dict(own)
        try:
            _own_file(given["checkpoint"], files, k)
            given, before = resume.resumed(given, _DEFAULTS)
            specs.append(setup.specify(known, given, before, stacklevel=2))
            monitors.append(setup.monitor_of(given, before, began, len(listed))._replace(start=k))
        except (TypeError, ValueError) as error:
            error.add_note(f"in {where}")
            raise
    specs, monitors = chosen(specs, monitors, threads)
    results = run_all(specs, monitors, threads)
    for one, result in zip(specs, results, strict=True):
        say(one, result, COLUMNS, stacklevel=2)
    return results


def _listed(configurations: object) -> list[Any]:
    """Return the configurations as a list, which has at least one."""
    try:
        given = None if isinstance(configurations, Mapping | str | bytes) else configurations
        iterator = iter(given)  # type: ignore[call-overload]
    except TypeError:
        raise TypeError(
            message(
                "configurations",
                "be a list of dicts, one for each network",
                described(configurations),
                'Write, for example, [{"seed": 0}, {"seed": 1}].',
            )
        ) from None
    listed = list(iterator)
    if not listed:
        expected, remedy = "hold at least one dict", "Pass [{}] for one network of the defaults."
        raise ValueError(message("configurations", expected, "none", remedy))
    return listed


def _own_file(checkpoint: object, files: dict[str, int], k: int) -> None:
    """Refuse a file of checkpoints that another network has."""
    if isinstance(checkpoint, str | os.PathLike):
        path = os.path.abspath(os.fsdecode(checkpoint))
        if files.setdefault(path, k) != k:
            raise ValueError(
                f"checkpoint must be a file of its own for each network; got {path!r}, that of "
                f"configurations[{files[path]}], too. Write one name into each configuration."
            )


def _known_arguments(given: Mapping[str, Any], where: str) -> None:
    """Refuse what ``train`` has no argument for, or a single network no say in."""
    for name in given:
        if name not in _DEFAULTS:
            raise TypeError(
                f"{where} must hold arguments of train; got {name!r}. "
                f"See help(batchprop.train) for their names."
            )
        if name in _OF_ALL:
            raise TypeError(
                f"{where} must not hold {name!r}: "
                + (
                    "it is an argument of train_many, for all networks together."
                    if name == "n_threads"
                    else "write one configuration for each seed."
                )
            )
