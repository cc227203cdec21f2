"""A target that the solver reaches before the network does: the run goes on until both have."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop.solvers.run_state import initial_state
from batchprop.solvers.stopping import MAX_EPOCHS, RUNNING, TARGET_LOSS
from batchprop.training.history import History
from batchprop.training.loop import advance
from batchprop.training.monitor import Monitor
from batchprop.training.target_loss import TargetConfirmation

START, BOUND = 10, 5  # the loss of epoch k is START − k


class Falling:
    """A run whose loss falls by 1 an epoch; it ends at a bound or after the last epoch."""

    def __init__(self, state, bound, last):
        self.state, self.bound, self.last = state, bound, last

    def advance(self, losses, validation_losses):
        state = self.state
        for k in range(losses.size):
            losses[k] = START - state.epoch[0]
            state.evaluations[0] += 1
            state.calls[0] += 1
            if losses[k] <= self.bound:
                return TARGET_LOSS, k + 1
            if state.epoch[0] == self.last:
                return MAX_EPOCHS, k + 1
            state.epoch[0] += 1
        return RUNNING, losses.size


def ran(behind, last=50, restarts=True):
    """Return reason, state, curve and the epochs told, of a network so many epochs behind."""
    state, history, told = initial_state(np.zeros(2), np.zeros(1)), History(), []

    def reached():
        return START - (state.evaluations[0] - 1) + behind <= BOUND

    monitor = Monitor(time.perf_counter(), math.inf, lambda seen: told.append(seen.epoch), 1, None)
    without = (lambda: Falling(state, -math.inf, last)) if restarts else None
    target = TargetConfirmation(BOUND, reached, without)
    cancellation = SimpleNamespace(restart=lambda: None)
    run = Falling(state, BOUND if restarts else -math.inf, last)
    reason = advance(run, state, history, monitor, None, cancellation, target)
    return reason, state, history.curves(int(state.evaluations[0]))[0].tolist(), told


@pytest.mark.parametrize("restarts", [True, False])
@pytest.mark.parametrize("behind", [0, 1, 3])
def test_the_run_ends_where_the_network_has_reached_it(behind, restarts):
    reason, state, curve, told = ran(behind, restarts=restarts)
    epochs = START - BOUND + behind
    assert reason == "target_loss"
    assert curve == [START - k for k in range(epochs + 1)]
    assert told == list(range(epochs + 1))
    assert state.evaluations[0] == state.calls[0] == epochs + 1


def test_a_network_that_never_reaches_it_ends_by_another_rule():
    reason, _, curve, told = ran(behind=1000, last=9)
    assert reason == "max_epochs"
    assert curve == [START - k for k in range(10)]
    assert told == list(range(10))
