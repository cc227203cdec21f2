"""``train_many``: trains many networks on the same data: seeds, penalties, sizes, folds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from batchprop import validation
from batchprop.compiler import compile_notice
from batchprop.training import limits, setup
from batchprop.training.call import warn
from batchprop.training.checkpoint.resume import resumed
from batchprop.training.compilation import compiling
from batchprop.training.dataset import DatasetBuilder
from batchprop.training.monitor import Monitor
from batchprop.training.options import TRAIN_OPTIONS, TrainOptions
from batchprop.training.parallel import run_all
from batchprop.training.penalty_choice import chosen
from batchprop.training.progress_line import closed_at_end, screen_for
from batchprop.training.progress_screen import Screen
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.uncertainty.predictives import with_predictives
from batchprop.validation.error_text import described, message
from batchprop.vocabulary import COLUMNS

_OF_ALL = ("n_threads", "n_init", "combine")  # options that a single configuration cannot have


def train_many(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    configurations: Iterable[Mapping[str, Any]],
    *,
    n_threads: int | None = None,
    **common: Any,
) -> list[TrainResult]:
    """Train many networks on the same data, side by side if they are small.

    Each result is, to the last bit, that of ``train`` with the same arguments.

    Parameters
    ----------
    X : array_like, shape (e, N)
        Inputs, one sample a column.
    T : array_like, shape (s, N)
        Targets.
    configurations : iterable of dict
        For each network, the arguments of ``train`` in which it differs: ``seed``, ``alpha``,
        ``hidden_size``, ``activation``, ``solver``, ``sample_weight`` (0 for the samples that a
        fold leaves out), ``resume``, ``checkpoint`` (a different file for each network), … .
        ``max_seconds`` counts from the call, for all networks together.  A true answer of a
        ``callback`` ends its own network alone; ``start`` of its progress is the position of that
        network.
    n_threads : int or None
        Largest number of threads of all networks together; None takes the CPUs of the process.
    **common
        Arguments of ``train`` that all networks share.

    Returns
    -------
    list of TrainResult
        In the order of the configurations.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong.  This is raised before any network is trained, with the position of
        the configuration in a note.

    Warns
    -----
    UserWarning, RuntimeWarning
        As for ``train``, once for each network.

    Notes
    -----
    As many networks are trained at a time as there are threads, each with one thread.  If the
    number of networks is not a multiple of that, the remainder is trained first, with more threads
    for each network that is large enough to use them.  Networks of other engines than the fused one
    are trained one after another.  Callbacks are called from the threads of their networks, several
    at a time.  Ctrl-C ends all networks: each returns its best so far, or its start if it had not
    begun.  An exception of a callback also ends all of them, and is passed on.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import train_many
    >>> X = np.linspace(-3.0, 3.0, 200)[np.newaxis]
    >>> configurations = [{"hidden_size": m, "seed": seed} for m in (2, 5) for seed in (0, 1)]
    >>> results = train_many(X, np.sin(X), configurations, max_epochs=50)
    >>> [result.network.shape.n_hidden for result in results]
    [2, 2, 5, 5]
    >>> best = min(results, key=lambda result: result.loss)
    >>> best.loss < 1e-3
    True
    """
    began = time.perf_counter()
    threads = validation.n_threads(n_threads)
    specs: list[RunSpecification] = []
    monitors: list[Monitor] = []
    options_of: list[TrainOptions] = []
    files: dict[str, int] = {}
    builder = DatasetBuilder(X, T)
    screen: Screen | None = None
    _check_names(common, "train_many")
    listed = _listed(configurations)
    for k, configuration in enumerate(listed):
        where = f"configurations[{k}]"
        if not isinstance(configuration, Mapping):
            raise TypeError(
                f"{where} must be a dict of arguments of train; got {described(configuration)}. "
                f'Write, for example, {{"seed": {k}}}.'
            )
        _check_names(configuration, where)
        options = TrainOptions(**(common | dict(configuration)))
        try:
            _check_file(options.checkpoint, files, k)
            options, resumed_from = resumed(options)
            specs.append(setup.specify(builder, options, resumed_from, stacklevel=2))
            shown = screen_for(options.progress, options.callback is not None, True)
            screen = screen or shown  # one for all networks that show their progress
            monitor = setup.monitor_of(options, resumed_from, began, len(listed), shown and screen)
            monitors.append(monitor._replace(start=k))
            options_of.append(options)
        except (TypeError, ValueError) as error:
            error.add_note(f"in {where}")
            raise
    progress = {options.progress for options in options_of}
    displays = [monitor.display for monitor in monitors]
    notice = compile_notice.following(True in progress or (None if None in progress else False))
    with notice, closed_at_end(displays), compiling(specs):
        specs, monitors = chosen(specs, monitors, threads)
        results = run_all(specs, monitors, threads)
        for spec, options, result in zip(specs, options_of, results, strict=True):
            warn(spec, result, COLUMNS, stacklevel=2)
            limits.warn(options, result, stacklevel=2)
        return with_predictives(specs, results, monitors, threads, COLUMNS, stacklevel=2)


def _listed(configurations: object) -> list[Any]:
    """Return the configurations as a list, which has at least one."""
    try:
        candidates = None if isinstance(configurations, Mapping | str | bytes) else configurations
        iterator = iter(candidates)  # type: ignore[call-overload]
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


def _check_file(checkpoint: object, files: dict[str, int], k: int) -> None:
    """Refuse a file of checkpoints that another network writes; ``files`` has those so far."""
    if isinstance(checkpoint, str | os.PathLike):
        path = os.path.abspath(os.fsdecode(checkpoint))
        if files.setdefault(path, k) != k:
            raise ValueError(
                f"checkpoint must be a file of its own for each network; got {path!r}, that of "
                f"configurations[{files[path]}], too. Write one name into each configuration."
            )


def _check_names(arguments: Mapping[str, Any], where: str) -> None:
    """Refuse names that ``train`` does not know, and options of all networks together."""
    for name in arguments:
        if name not in TRAIN_OPTIONS:
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
                    if name == "n_init"
                    else "average the networks of the results with batchprop.average."
                )
            )
