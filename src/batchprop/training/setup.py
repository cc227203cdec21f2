"""From the arguments of a call to specs: everything is checked here, before any work is done."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, overload

import numpy.typing as npt

from batchprop import engines, scaling, validation
from batchprop.files import pytree
from batchprop.network import Network
from batchprop.solvers import registry, stopping
from batchprop.solvers.auto import choose
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.settings import AUTO, SOLVERS
from batchprop.training import options
from batchprop.training.checkpoint import fingerprint, resume
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.checkpoint.writer import writer_of
from batchprop.training.dataset import Known
from batchprop.training.loop import Monitor
from batchprop.training.progress_line import ProgressLine
from batchprop.training.run_specification import RunSpecification
from batchprop.validation import memory_demand
from batchprop.vocabulary import Words

Arguments = dict[str, Any]

_RESULT_BYTES = 4096  # of a result at least, beside its arrays


def starts(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    given: Arguments,
    before: Checkpoint | None,
    began: float,
    stacklevel: int,
    words: Words,
) -> tuple[RunSpecification, Monitor, int]:
    """Return the first spec of a call of ``train``, who looks on, and how many starts there are."""
    n_init = validation.count("n_init", given["n_init"])
    if n_init > 1 and given["network"] is not None:
        raise ValueError(
            f"n_init must be 1 where a network is given; got n_init={n_init}. Leave out network, "
            f"so that the starts are drawn from seed, or leave out n_init."
        )
    if n_init > 1 and given["checkpoint"] is not None:
        raise ValueError(
            f"checkpoint must be None where n_init is more than 1; got n_init={n_init}. Train "
            f"the starts one by one, each with a seed and a file of its own."
        )
    monitor = monitor_of(given, before, began, n_init)
    first = specify(Known(X, T, words), given, before, stacklevel=stacklevel + 1)
    if n_init > 1:
        memory_demand.starts(n_init, _result_bytes(first))
    return first, monitor, n_init


def specify(
    known: Known, given: Arguments, before: Checkpoint | None, stacklevel: int
) -> RunSpecification:
    """Check the arguments of one training run; one that goes on has a checkpoint ``before``."""
    if before is not None:
        fingerprint.check_presence(given, before.samples)
    engine = validation.choice("engine", given["engine"], engines.names())
    engines.require_compiler("training", "; solvers are compiled for every engine")
    asked = validation.choice("solver", given["solver"], (AUTO, *SOLVERS))
    alpha = given["alpha"]
    alpha = None if validation.is_auto(alpha) else validation.penalty(alpha, auto=True)
    scaled = validation.flag("scale", given["scale"]) and before is None
    n_threads = validation.n_threads(given["n_threads"])
    wanted = options.start(
        *(given[name] for name in ("network", "hidden_size", "activation", "seed", "dtype"))
    )
    data, by, samples = known.of(given, wanted, scaled, stacklevel + 1)
    first, user = options.start_network(wanted, data), wanted.network
    if before is not None:
        fingerprint.check(samples, before.samples)
        by, first, user = before.scaling, before.network, before.start
    elif by is not None and user is not None:
        theta = scaling.unfold(first.theta, first.shape, by).astype(first.dtype)
        first = Network.from_theta(theta, first.shape, first.activation)
    n_samples = data.X.shape[1]
    best = choose(first.shape, n_samples, first.dtype, first.activation)
    solver = best if asked == AUTO else asked
    if asked == "lm":
        options.check_memory(first.shape, n_samples)
    settings = options.settings(solver, given, first.shape)
    if isinstance(settings, LbfgsSettings):
        memory_demand.pairs(settings.history_size, first.shape)
    rules = options.rules(solver, given, given["X_val"] is not None)
    found = settings._asdict() | {
        "solver": solver,
        "hidden_size": first.shape.n_hidden,
        "activation": first.activation,
        "dtype": first.dtype.name,
        "alpha": AUTO if alpha is None else list(alpha),
    }
    return RunSpecification(
        data=data,
        scaling=by,
        first=first,
        given=user,
        engine=engine,
        solver=solver,
        settings=settings,
        rules=rules,
        alpha=alpha,
        n_threads=n_threads,
        arguments=resume.arguments_of(given, found),
        samples=samples,
        resumed=before,
    )


def monitor_of(
    given: Arguments, before: Checkpoint | None, began: float, n_networks: int
) -> Monitor:
    """Return who looks on, of the first of several networks."""
    keeper = writer_of(given["checkpoint"], given["checkpoint_seconds"])
    every = validation.count("callback_every", given["callback_every"])
    validation.function("callback", given["callback"])
    limit = options.seconds(given["max_seconds"])
    most = given["max_epochs"]
    line = None
    if validation.flag("progress", given["progress"]):
        done = 0 if before is None else before.n_epochs
        line = ProgressLine(done + most if isinstance(most, int) else None, n_networks=n_networks)
    return Monitor(began, limit, given["callback"], every, line, threading.Event(), writer=keeper)


class Starts(Sequence[RunSpecification]):
    """The specs of all starts, each made when it is asked for.

    Parameters
    ----------
    first : RunSpecification
        That of the first start.
    seed : int or None
        What that is drawn from; start k from ``seed + k``.
    n_init : int
        How many starts.
    """

    def __init__(self, first: RunSpecification, seed: int | None, n_init: int) -> None:
        self._first, self._seed, self._n_init = first, seed, n_init

    def __len__(self) -> int:
        return self._n_init

    @overload
    def __getitem__(self, k: int) -> RunSpecification: ...

    @overload
    def __getitem__(self, k: slice) -> Sequence[RunSpecification]: ...

    def __getitem__(self, k: int | slice) -> RunSpecification | Sequence[RunSpecification]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not 0 <= k < self._n_init:
            raise IndexError(k)
        if k == 0:
            return self._first
        network = self._first.first
        drawn = Network.initialize(
            *network.shape,
            activation=network.activation,
            seed=None if self._seed is None else self._seed + k,
            dtype=network.dtype,
        )
        return self._first._replace(first=drawn)


def _result_bytes(first: RunSpecification) -> int:
    """Return about how many bytes a start leaves behind: its state and two networks."""
    solver, theta = registry.load(first.solver), first.first.theta
    state = stopping.start(
        theta.astype(solver.training_dtype(theta.dtype)),
        solver.initial_memory(first.settings, theta.size),
    )
    own = sum(array.nbytes for array in pytree.flatten(state, "state").values())
    return own + 2 * theta.nbytes + _RESULT_BYTES
