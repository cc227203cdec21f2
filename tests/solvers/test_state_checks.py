"""A state from outside is refused unless a run can have left it."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.solvers.run_state import initial_state, is_ahead
from batchprop.solvers.state_checks import check_overflow, check_state
from batchprop.solvers.stopping import NEVER


def state(epoch=0, evaluations=0, **fields):
    """Return a state of so many epochs and evaluations, with some fields filled."""
    checked = initial_state(np.ones(3), ())
    checked.epoch[0], checked.evaluations[0] = epoch, evaluations
    if evaluations:
        for name in ("best_score", "best_loss", "reference"):
            getattr(checked, name)[0] = 1.0
    for name, value in fields.items():
        getattr(checked, name)[:] = value
    return checked


@pytest.mark.parametrize(("epoch", "evaluations"), [(0, 0), (0, 1), (1, 1), (5, 5), (5, 6)])
def test_what_a_run_leaves(epoch, evaluations):
    latest = max(0, evaluations - 1)
    check_state(state(epoch, evaluations, best_epoch=latest, calls=NEVER))


@pytest.mark.parametrize(
    ("epoch", "evaluations", "name", "value"),
    [
        (-1, 0, "epoch", -1),
        (NEVER, NEVER, "epoch", NEVER),
        (5, 4, "evaluations", 4),
        (5, 7, "evaluations", 7),
        (5, 6, "best_epoch", 6),
        (5, 5, "reference_epoch", 5),
        (0, 0, "best_epoch", 1),
        (0, 0, "calls", -1),
        (0, 1, "calls", NEVER + 1),
        (0, 0, "theta", np.nan),  # it is where the run will begin
        (0, 1, "theta", np.inf),
        (1, 1, "previous", np.inf),
        (0, 0, "best_score", 1.0),
        (0, 1, "best_score", np.nan),
        (0, 0, "gradient_norm", -0.5),
        (0, 1, "step", -0.5),
    ],
)
def test_what_no_run_leaves(epoch, evaluations, name, value):
    checked = state(epoch, evaluations)
    getattr(checked, name)[:] = value
    with pytest.raises(ValueError, match=f"^state.{name}: must "):
        check_state(checked)


def test_a_step_that_was_not_evaluated_may_have_overflown():
    ahead = state(1, 1, theta=np.inf)
    assert is_ahead(ahead)
    check_state(ahead)
    assert not is_ahead(state(0, 0))
    assert not is_ahead(state(1, 2))


@pytest.mark.parametrize(
    ("step", "reason", "good"),
    [(1.0, "max_epochs", False), (np.inf, "max_epochs", True), (1.0, "interrupted", True)],
)
def test_only_a_step_of_infinite_length_leads_to_infinite_parameters(step, reason, good):
    there = state(1, 1, theta=np.inf, step=step)
    if good:
        check_overflow(there, reason)
    else:
        with pytest.raises(ValueError, match="state.theta: must be finite"):
            check_overflow(there, reason)
