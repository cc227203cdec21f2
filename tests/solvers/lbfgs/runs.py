"""Runs of L-BFGS on a problem, and the points at which it evaluated."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from batchprop import engines
from batchprop.engines.samples import Samples
from batchprop.solvers import registry
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, memory, with_named_fields
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.stopping import NEVER, REASONS, Rules

NO_RULES = Rules(NEVER, -math.inf, -1.0, 0.0, 1, -1, False)


class Outcome(NamedTuple):
    """What a run has come to."""

    state: Any
    losses: Any
    reason: str


class Recorder:
    """An objective that notes each point it is evaluated at, with F, and spoils some on demand."""

    cancellation = task = None

    def __init__(self, objective, spoilt=frozenset()):
        self.objective, self.spoilt, self.points = objective, spoilt, []

    def loss_and_gradient(self, theta, gradient):
        loss = self.objective.loss_and_gradient(theta, gradient)
        if len(self.points) in self.spoilt:
            loss = math.nan
        self.points.append((theta.copy(), loss, gradient.copy()))
        return loss

    @property
    def reported_loss(self):
        return self.objective.reported_loss


def blank_search():
    """Return the named fields of a search and of its counts, all zero."""
    blank = with_named_fields(memory(LbfgsSettings(), 1))
    return blank.search, blank.counts


def prepared(case, engine="fused", n_threads=1):
    network = case.network
    samples = Samples(case.X, case.T, case.weight)
    form = network.shape, network.activation, network.dtype
    return engines.load(engine).Objective(samples, *form, n_threads)


def minimised(
    case, engine="fused", *, rules=NO_RULES, epochs=400, alpha=0.0, n_threads=1, bursts=1,
    wrap=None, **numbers,
):  # fmt: skip
    """Run L-BFGS for at most so many epochs, in so many equal bursts."""
    settings = LbfgsSettings(**numbers)
    theta = case.network.theta
    state = initial_state(theta, memory(settings, theta.size))
    free = penalty((alpha, alpha), case.X.shape[1], case.network.shape)
    losses, reason = [], 0
    with prepared(case, engine, n_threads) as objective:
        seen = objective if wrap is None else wrap(objective)
        run = registry.load("lbfgs").run(settings, rules, free, state, seen, None)
        for _ in range(bursts):
            curve = np.full(epochs // bursts, np.nan)
            reason, count = run.advance(curve, np.full_like(curve, np.nan))
            losses.extend(curve[:count])
            if reason:
                break
    return Outcome(state, np.array(losses), REASONS[reason])
