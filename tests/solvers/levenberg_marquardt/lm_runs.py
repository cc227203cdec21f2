"""Runs of Levenberg–Marquardt on any engine, without what train() adds to them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop import engines
from batchprop.engines.samples import Samples
from batchprop.solvers import registry
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
    memory,
)
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.stopping import REASONS, Rules

OFF = Rules(
    max_epochs=50,
    target_loss=-np.inf,
    gradient_tol=-1.0,
    tol=0.0,
    window=1,
    patience=-1,
    validating=False,
)


class Ran(NamedTuple):
    """What a run has come to."""

    reason: str
    losses: Any
    validation_losses: Any
    state: Any

    @property
    def epochs(self):
        return self.losses.size - 1


def ran(
    case,
    engine="fused",
    n_threads=1,
    settings=None,
    alpha=0.0,
    held_out=None,
    epochs_at_a_time=None,
    **rules,
):
    """Run until a rule stops it; each call fills curves of ``epochs_at_a_time`` entries."""
    network = case.network
    settings, rules = settings or LevenbergMarquardtSettings(), OFF._replace(**rules)
    if held_out is not None:
        rules = rules._replace(validating=True)
    total = case.X.shape[1] if case.weight is None else case.weight.sum()
    state = initial_state(network.theta.astype(np.float64), memory(settings))

    def objective(data, weight):
        samples = Samples(data.X, data.T, weight)
        form = network.shape, network.activation, np.float64, n_threads
        return engines.load(engine).GaussNewtonObjective(samples, *form)

    training = objective(case, case.weight)
    validation = None if held_out is None else objective(held_out, None)
    rates = penalty((alpha, alpha), total, network.shape)
    run = registry.load("lm").run(settings, rules, rates, state, training, validation)
    curves, reason = [], 0
    while reason == 0:
        pair = np.full((2, epochs_at_a_time or 64), np.nan)
        reason, count = run.advance(*pair)
        curves.append(pair[:, :count])
    training.close()
    losses, validation_losses = np.concatenate(curves, axis=1)
    return Ran(REASONS[reason], losses, validation_losses, state)
