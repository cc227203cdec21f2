"""From the options of a call to run specifications; all is checked before any work is done."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from batchprop import engines, scaling, validation
from batchprop.files import pytree
from batchprop.network import Network
from batchprop.solvers import registry
from batchprop.solvers.auto import NO_PENALTY, choose
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.settings import AUTO, SOLVERS
from batchprop.training.checkpoint import fingerprint
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.checkpoint.resume import checkpoint_arguments
from batchprop.training.checkpoint.writer import writer_of
from batchprop.training.combination import COMBINATIONS
from batchprop.training.dataset import DatasetBuilder
from batchprop.training.external_dataset import ExternalDatasetBuilder
from batchprop.training.initial_network import InitialNetwork
from batchprop.training.monitor import Monitor
from batchprop.training.option_checks import (
    check_memory,
    penalty_of_solver,
    solver_settings,
    stopping_rules,
    time_limit,
)
from batchprop.training.options import TrainOptions
from batchprop.training.progress_line import ProgressLine
from batchprop.training.progress_screen import Screen
from batchprop.training.run_specification import RunSpecification, SolverPlan
from batchprop.validation import memory_demand

AnyDatasetBuilder = DatasetBuilder | ExternalDatasetBuilder
UNCERTAINTIES = ("laplace",)
_RESULT_BYTES = 4096  # of a result at least, beside its arrays


def starts(
    builder: AnyDatasetBuilder,
    options: TrainOptions,
    resumed_from: Checkpoint | None,
    began: float,
    stacklevel: int,
    screen: Screen | None = None,
) -> tuple[RunSpecification, Monitor, int]:
    """Return the first specification of a call of ``train``, its monitor and ``n_init``."""
    n_init = validation.count("n_init", options.n_init)
    validation.choice("combine", options.combine, COMBINATIONS)
    if n_init > 1 and options.network is not None:
        raise ValueError(
            f"n_init must be 1 where a network is given; got n_init={n_init}. Leave out network, "
            f"so that the starts are drawn from seed, or leave out n_init."
        )
    if n_init > 1 and options.checkpoint is not None:
        raise ValueError(
            f"checkpoint must be None where n_init is more than 1; got n_init={n_init}. Train "
            f"the starts one by one, each with a seed and a file of its own."
        )
    monitor = monitor_of(options, resumed_from, began, n_init, screen)
    first = specify(builder, options, resumed_from, stacklevel=stacklevel + 1)
    if n_init > 1:
        memory_demand.starts(n_init, _result_bytes(first))
    return first, monitor, n_init


def specify(
    builder: AnyDatasetBuilder,
    options: TrainOptions,
    resumed_from: Checkpoint | None,
    stacklevel: int,
) -> RunSpecification:
    """Check the options of one training run; return what they specify.

    Parameters
    ----------
    builder : DatasetBuilder or ExternalDatasetBuilder
        Has the data.
    options : TrainOptions
        Those of the run: where it resumes another, as ``resumed`` returns them.
    resumed_from : Checkpoint or None
        Of the run that this one continues.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's call.

    Raises
    ------
    TypeError, ValueError
        An option or a table is wrong, or the data are not those of the checkpoint.
    """
    if resumed_from is not None:
        fingerprint.check_presence(builder.optional_data(options), resumed_from.samples)
    engine = validation.choice("engine", options.engine, engines.names())
    builder.check(options)
    engines.require_compiler("training", "; solvers are compiled for every engine")
    asked = validation.choice("solver", options.solver, (AUTO, *SOLVERS))
    alpha = validation.penalty_or_method(options.alpha)
    scaled = validation.flag("scale", options.scale) and resumed_from is None
    n_threads = validation.n_threads(options.n_threads)
    source = InitialNetwork.of(options)
    dataset = builder.build(options, source, scaled, stacklevel + 1)
    network = source.create(dataset.n_inputs, dataset.n_outputs, dataset.dtype)
    user_network = source.user_network
    if resumed_from is not None:
        fingerprint.check(dataset.fingerprints, resumed_from.samples, dataset.arrays)
        dataset = replace(dataset, scaling=resumed_from.scaling)
        network, user_network = resumed_from.network, resumed_from.start
    elif dataset.scaling is not None and user_network is not None:
        theta = scaling.unfold(network.theta, network.shape, dataset.scaling)
        theta = theta.astype(network.dtype)
        network = Network.from_theta(theta, network.shape, network.activation)
    penalty = NO_PENALTY if isinstance(alpha, str) else alpha
    solver = asked
    if asked == AUTO:
        form = network.shape, dataset.n_samples, network.dtype, network.activation
        solver = choose(*form, penalty)
    if asked == "lm":
        check_memory(network.shape, dataset.n_samples)
    settings = solver_settings(solver, options, network.shape)
    if isinstance(settings, LbfgsSettings):
        memory_demand.pairs(settings.history_size, network.shape)
    validating = dataset.validation is not None
    rules = stopping_rules(solver, options, options.max_epochs, validating)
    alpha = penalty_of_solver(alpha, solver, rules.max_epochs)
    when_penalised = None
    if asked == AUTO and solver == "lm" and isinstance(alpha, str):
        when_penalised = SolverPlan(
            "lbfgs",
            solver_settings("lbfgs", options, network.shape),
            stopping_rules("lbfgs", options, options.max_epochs, validating),
        )
    resolved = settings._asdict() | {
        "solver": solver,
        "hidden_size": network.shape.n_hidden,
        "activation": network.activation,
        "dtype": network.dtype.name,
        "alpha": alpha if isinstance(alpha, str) else list(alpha),
    }
    dataset.measure_targets()
    return RunSpecification(
        dataset=dataset,
        initial_network=network,
        user_network=user_network,
        engine=engine,
        solver=solver,
        settings=settings,
        rules=rules,
        alpha=alpha,
        n_threads=n_threads,
        arguments=checkpoint_arguments(options, resolved),
        resumed_from=resumed_from,
        when_penalised=when_penalised,
        uncertainty=_uncertainty(options.uncertainty),
    )


def _uncertainty(value: str | None) -> str | None:
    """Check how uncertainty is to be estimated; None for not at all."""
    return None if value is None else validation.choice("uncertainty", value, UNCERTAINTIES)


def monitor_of(
    options: TrainOptions,
    resumed_from: Checkpoint | None,
    began: float,
    n_networks: int,
    screen: Screen | None,
) -> Monitor:
    """Return the monitor of the first of several networks; ``screen`` is for its progress."""
    writer = writer_of(options.checkpoint, options.checkpoint_seconds)
    every = validation.count("callback_every", options.callback_every)
    validation.function("callback", options.callback)
    limit = time_limit(options.max_seconds)
    display = None
    if screen is not None:
        last_epoch = options.max_epochs if isinstance(options.max_epochs, int) else None
        if last_epoch is not None and resumed_from is not None:
            last_epoch += resumed_from.n_epochs
        display = ProgressLine(last_epoch, screen, n_networks, bool(options.progress), began)
    return Monitor(began, limit, options.callback, every, display, threading.Event(), writer=writer)


class Starts(Sequence[RunSpecification]):
    """The specifications of all starts.  Each is made when it is asked for.

    Parameters
    ----------
    first : RunSpecification
        That of the first start.
    seed : int or None
        The seed of the first start; start k has ``seed + k``.
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
        network = self._first.initial_network
        drawn = Network.initialize(
            *network.shape,
            activation=network.activation,
            seed=None if self._seed is None else self._seed + k,
            dtype=network.dtype,
        )
        return self._first._replace(initial_network=drawn)


def _result_bytes(first: RunSpecification) -> int:
    """Return about how many bytes the result of a start takes at least: its state and a network."""
    solver, theta = registry.load(first.solver), first.initial_network.theta
    state = initial_state(
        theta.astype(solver.training_dtype(theta.dtype)),
        solver.initial_memory(first.settings, theta.size),
    )
    state_bytes = sum(array.nbytes for array in pytree.flatten(state, "state").values())
    return state_bytes + theta.nbytes + _RESULT_BYTES
