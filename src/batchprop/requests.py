"""From the arguments of a call to jobs: everything is checked here, before any work is done."""

from __future__ import annotations

import threading
from typing import Any

import numpy.typing as npt

from batchprop import engines, options, scaling, validation
from batchprop.bursts import Watch
from batchprop.jobs import Job
from batchprop.network import Network
from batchprop.progress import ProgressLine
from batchprop.solvers.names import SOLVERS

Arguments = dict[str, Any]
Known = dict[tuple[Any, ...], tuple[options.Data, scaling.Scaling | None]]


def starts(
    X: npt.ArrayLike, T: npt.ArrayLike, given: Arguments, began: float, stacklevel: int
) -> tuple[list[Job], list[Watch]]:
    """Return the jobs of a call of ``train``, one for each start, and who looks on."""
    n_init = validation.count("n_init", given["n_init"])
    if n_init > 1 and given["network"] is not None:
        raise ValueError(
            f"n_init must be 1 where a network is given; got n_init={n_init}. Leave out network, "
            f"so that the starts are drawn from seed, or leave out n_init."
        )
    watch = watch_of(given, began, n_init)
    first = job(X, T, given, stacklevel=stacklevel + 1)
    return [_restarted(first, given["seed"], k) for k in range(n_init)], [
        watch._replace(start=k) for k in range(n_init)
    ]


def job(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    given: Arguments,
    stacklevel: int,
    known: Known | None = None,
) -> Job:
    """Check the arguments of one training run.

    ``known`` keeps what was found out about the data for the next of many runs on them.
    """
    engine = validation.choice("engine", given["engine"], engines.ENGINES)
    solver = validation.choice("solver", given["solver"], tuple(SOLVERS))
    validating = given["X_val"] is not None
    rules = options.rules(solver, given, validating)
    alpha = validation.number("alpha", given["alpha"], least=0)
    scaled = validation.flag("scale", given["scale"])
    n_threads = validation.n_threads(given["n_threads"])
    wanted = options.start(
        *(given[name] for name in ("network", "hidden_size", "activation", "seed", "dtype"))
    )
    weight, X_val, T_val = (given[name] for name in ("sample_weight", "X_val", "T_val"))
    known = {} if known is None else known
    sizes = None if wanted.network is None else wanted.network.shape[::2]
    same = (id(weight), id(X_val), id(T_val), wanted.dtype, sizes, scaled)
    if same not in known:
        data = options.data(X, T, weight, X_val, T_val, wanted)
        by = scaling.Scaling.of(data.X, data.T, data.sample_weight) if scaled else None
        if by is not None:
            scaling.warn(by, wanted.dtype or data.X.dtype, stacklevel=stacklevel + 1)
        known[same] = data, by
    data, by = known[same]
    first = options.start_network(wanted, data)
    settings = options.settings(solver, given, first.shape)
    if by is not None and wanted.network is not None:
        theta = scaling.unfold(first.theta, first.shape, by).astype(first.dtype)
        first = Network.from_theta(theta, first.shape, first.activation)
    return Job(
        data, by, first, wanted.network, engine, solver, settings, rules, alpha, n_threads
    )  # fmt: skip


def watch_of(given: Arguments, began: float, n_starts: int) -> Watch:
    """Return who looks on, of the first of several starts."""
    every = validation.count("callback_every", given["callback_every"])
    validation.function("callback", given["callback"])
    limit = options.seconds(given["max_seconds"])
    most = given["max_epochs"]
    line = None
    if validation.flag("progress", given["progress"]):
        line = ProgressLine(most if isinstance(most, int) else None, n_starts=n_starts)
    return Watch(began, limit, given["callback"], every, line, threading.Event())


def _restarted(first: Job, seed: int | None, k: int) -> Job:
    """Return the job of start k."""
    if k == 0:
        return first
    network = first.first
    drawn = Network.initialize(
        *network.shape,
        activation=network.activation,
        seed=None if seed is None else seed + k,
        dtype=network.dtype,
    )
    return first._replace(first=drawn)
