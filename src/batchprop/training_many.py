"""Many networks on the same data: seeds, penalties, sizes, folds."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from batchprop import non_finite, requests, resuming, validation
from batchprop.many import run_all
from batchprop.result import TrainResult
from batchprop.training import train

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
        from the call, for all networks together.
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
    RuntimeWarning
        As for ``train``, once for each network.

    Notes
    -----
    A network that keeps the processors busy by itself is trained with several threads, small ones
    with one each, as many at a time as there are processors.  Ctrl-C ends all of them; each keeps
    the best it has come to.
    """
    began = time.perf_counter()
    threads = validation.n_threads(n_threads)
    jobs, watches = [], []
    files: dict[str, int] = {}
    known: requests.Known = {}
    _known_arguments(common, "train_many")
    for k, own in enumerate(configurations):
        where = f"configurations[{k}]"
        if not isinstance(own, Mapping):
            raise TypeError(
                f"{where} must be a dict of arguments of train; got {own!r} of type "
                f'{type(own).__name__}. Write, for example, {{"seed": {k}}}.'
            )
        _known_arguments(own, where)
        given = _DEFAULTS | common | dict(own)
        try:
            _own_file(given["checkpoint"], files, k)
            given, before = resuming.resumed(given, _DEFAULTS)
            jobs.append(requests.job(X, T, given, before, stacklevel=2, known=known))
            watches.append(requests.watch_of(given, before, began, 1)._replace(start=k))
        except (TypeError, ValueError) as error:
            error.add_note(f"in {where}")
            raise
    results = run_all(jobs, watches, threads) if jobs else []
    for one, result in zip(jobs, results, strict=True):
        if result.stop_reason == "non_finite":
            non_finite.warn(one, result, stacklevel=2)
    return results


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
