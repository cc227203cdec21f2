"""The judgement of single evaluations: each rule at its very boundary, and which comes first."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop.compiler.jit import kernel
from batchprop.solvers import stopping
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.settings import LIMITS
from batchprop.solvers.stopping import NEVER, REASONS, Rules

OFF = Rules(
    max_epochs=NEVER,
    target_loss=-math.inf,
    gradient_tol=-1.0,
    tol=0.0,
    window=1,
    patience=-1,
    validating=False,
)


@kernel
def judge(rules, state, F, loss, validation_loss, gradient):
    return stopping.judge(rules, state, F, loss, validation_loss, gradient)


@kernel
def tolerance(rules, epoch):
    return stopping.tolerance(rules, epoch)


class Run:
    """A run that is given its evaluations; θ counts them."""

    def __init__(self, **rules):
        self.rules = OFF._replace(**rules)
        self.state = initial_state(np.zeros(2), np.zeros((0, 2)))

    def evaluated(self, F, loss=None, held_out=math.nan, gradient=(3.0, 4.0)):
        """Return the reason after one more evaluation; unless it ends the run, an epoch follows."""
        state = self.state
        state.theta[:] = state.epoch[0]
        loss = F if loss is None else loss
        gradient = np.array(gradient)
        reason = REASONS[judge(self.rules, state, F, loss, held_out, gradient)]
        if reason == "running":
            state.epoch[0] += 1
        return reason

    def reasons(self, *values):
        return [self.evaluated(F) for F in values]


def test_of_equal_losses_the_first_is_the_best():
    run = Run()
    run.reasons(3.0, 2.0, 2.0, 2.5, 2.0)
    assert run.state.best_epoch[0] == 1
    np.testing.assert_array_equal(run.state.best, [1.0, 1.0])
    run.evaluated(np.nextafter(2.0, 0.0))
    assert run.state.best_epoch[0] == 5
    np.testing.assert_array_equal(run.state.best, [5.0, 5.0])


def test_the_best_is_a_copy():
    run = Run()
    run.reasons(2.0, 1.0, 3.0)
    run.state.theta[:] = -1.0
    np.testing.assert_array_equal(run.state.best, [1.0, 1.0])


def test_the_best_is_of_what_is_minimised_and_its_loss_is_told():
    run = Run()
    run.evaluated(2.0, loss=7.0)
    run.evaluated(3.0, loss=5.0)  # the penalty grew by more than the loss fell
    state = run.state
    assert (state.best_epoch[0], state.best_score[0], state.best_loss[0]) == (0, 2.0, 7.0)


def test_with_validation_data_the_best_is_theirs():
    run = Run(validating=True)
    for F, held_out in ((3.0, 0.5), (2.0, 0.25), (1.0, 0.25), (0.5, 0.75)):
        run.evaluated(F, loss=F, held_out=held_out)
    state = run.state
    assert (state.best_epoch[0], state.best_score[0], state.best_loss[0]) == (1, 0.25, 0.25)


def test_target_loss_is_reached_by_its_equal():
    run = Run(target_loss=1.0)
    assert run.reasons(np.nextafter(1.0, 2.0), 1.0) == ["running", "target_loss"]
    assert Run(target_loss=1.0).evaluated(5.0, loss=1.0) == "target_loss"  # of L, not of F
    assert Run(target_loss=1.0).evaluated(1.0, loss=5.0) == "running"


def test_gradient_norm_is_reached_by_its_equal():
    assert Run(gradient_tol=5.0).evaluated(1.0) == "gradient_norm"
    assert Run(gradient_tol=np.nextafter(5.0, 0.0)).evaluated(1.0) == "running"
    run = Run()
    run.evaluated(1.0)
    assert run.state.gradient_norm[0] == 5.0


def test_epochs_at_most():
    assert Run(max_epochs=2).reasons(1.0, 1.0, 1.0) == ["running", "running", "max_epochs"]
    assert Run(max_epochs=0).evaluated(1.0) == "max_epochs"


def test_after_the_last_step_there_is_no_gradient():
    run = Run(max_epochs=1, gradient_tol=5.0)
    assert run.evaluated(2.0, gradient=(6.0, 8.0)) == "running"
    assert run.evaluated(1.0, gradient=(0.0, 0.0)) == "max_epochs"
    assert run.state.gradient_norm[0] == 10.0


@pytest.mark.parametrize("window", [1, 3])
def test_stagnation_counts_from_the_last_notable_fall(window):
    run = Run(tol=0.25, window=window)
    stays = ["running"] * (window - 1)
    assert run.reasons(8.0, *[6.0] * window) == ["running", *stays, "stagnation"]  # not below ¾
    run = Run(tol=0.25, window=window)
    below = float(np.nextafter(6.0, 0.0))
    assert run.reasons(8.0, below, *[5.0] * window) == ["running"] * 2 + stays + ["stagnation"]


def test_small_falls_add_up():
    run = Run(tol=0.25, window=3)
    assert run.reasons(8.0, 7.0, 6.5, 5.9, 5.0, 4.6, 4.4, 4.3) == ["running"] * 8
    assert run.evaluated(4.2) == "running"
    assert run.evaluated(4.1) == "stagnation"


def test_stagnation_is_off_without_a_share():
    assert Run(tol=0.0, window=1).reasons(*[1.0] * 5) == ["running"] * 5


def test_the_first_epoch_is_a_reference_however_large_it_is():
    run = Run(tol=0.5, window=2)
    run.state.reference[0] = 1e-9  # of another run
    run.evaluated(8.0)
    assert (run.state.reference[0], run.state.reference_epoch[0]) == (8.0, 0)


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_patience_counts_from_the_best(patience):
    run = Run(validating=True, patience=patience)
    reasons = [run.evaluated(1.0, held_out=held_out) for held_out in (3.0, 2.0, 2.0, 2.0)]
    expected = ["running"] * (1 + patience) + ["patience"] if patience else ["patience"]
    assert reasons[: len(expected)] == expected


def test_patience_is_off_where_it_is_negative():
    run = Run(validating=True)
    assert {run.evaluated(1.0, held_out=2.0) for _ in range(5)} == {"running"}


def test_the_order_of_the_reasons():
    """Of several rules that an evaluation fits, the first of these tells; then it is taken away."""
    rules = {"target_loss": 1.0, "gradient_tol": 5.0, "tol": 0.5, "window": 1, "patience": 0}
    for reason, less in (
        ("target_loss", {"target_loss": -math.inf}),
        ("gradient_norm", {"max_epochs": 2}),  # after the last step there is no gradient
        ("stagnation", {"tol": 0.0}),
        ("patience", {"patience": -1}),
        ("max_epochs", {}),
    ):
        run = Run(**rules)
        run.state.epoch[0], run.state.best_score[0], run.state.reference[0] = 2, 1.0, 1.0
        assert run.evaluated(1.0) == reason
        rules |= less


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_whatever_is_not_finite_ends_a_run_uncounted(bad):
    good = {"F": 1.0, "loss": 1.0, "gradient": (3.0, 4.0)}
    for name in good:
        run = Run()
        value = (bad, 0.0) if name == "gradient" else bad
        assert run.evaluated(**(good | {name: value})) == "non_finite"
        assert (run.state.evaluations[0], run.state.best_score[0]) == (0, math.inf)
    assert Run(validating=True).evaluated(**good, held_out=bad) == "non_finite"
    assert Run(validating=False).evaluated(**good, held_out=bad) == "running"
    assert Run(max_epochs=0).evaluated(**(good | {"loss": bad})) == "non_finite"


def test_evaluations_are_counted():
    run = Run()
    run.reasons(1.0, 2.0, 3.0)
    assert run.state.evaluations[0] == 3


def test_in_long_runs_a_notable_decrease_is_larger():
    """Eight times as large at twice the epoch from which it grows."""
    rules = OFF._replace(tol=1e-3, window=1, long_run=50)
    for epoch, tol in ((0, 1e-3), (50, 1e-3), (100, 8e-3), (500, 1.0)):
        assert tolerance(rules, epoch) == pytest.approx(tol, rel=1e-12)
    assert tolerance(rules._replace(long_run=NEVER), 10**6) == 1e-3
    assert tolerance(rules._replace(tol=0.0), 10**6) == 0.0


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("solver", ["lm", "lbfgs"])
def test_a_decrease_like_a_power_of_the_epochs_ends_before_the_limit(solver, power):
    limits = LIMITS[solver]
    rules = {"tol": 1e-5, "window": limits.n_epochs_no_change}
    steady, long_run = Run(**rules), Run(**rules, long_run=limits.long_run)
    values = [(1.0 + k) ** -power for k in range(limits.max_epochs)]
    assert set(steady.reasons(*values)) == {"running"}
    last = next(k for k, F in enumerate(values) if long_run.evaluated(F) == "stagnation")
    assert limits.long_run < last < limits.max_epochs
