"""``solver="scipy"``: SciPy's methods, with our rules, history and best network."""

from __future__ import annotations

import gc
import math
import threading

import numpy as np
import pytest
import scipy.optimize

import batchprop
from batchprop import Network
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.run_state import initial_state
from batchprop.solvers.scipy_minimize import ScipyRun, initial_memory
from batchprop.solvers.scipy_settings import METHODS, ScipySettings
from batchprop.solvers.stopping import REASONS
from tests.bad_input import FORM
from tests.problems import problem, relative_error
from tests.solvers.lbfgs.runs import NO_RULES, Outcome, Recorder, prepared


def minimised(case, engine="fused", *, rules=NO_RULES, epochs=60, alpha=0.0, wrap=None, **settings):
    settings = ScipySettings(**settings)
    theta = case.network.theta
    state = initial_state(theta, initial_memory(settings, theta.size))
    free = penalty((alpha, alpha), case.X.shape[1], case.network.shape)
    losses = np.full(epochs, np.nan)
    with prepared(case, engine) as objective:
        seen = objective if wrap is None else wrap(objective)
        run = ScipyRun(settings, rules, free, state, seen, None)
        reason, count = run.advance(losses, np.full_like(losses, np.nan))
        run.close()
    return Outcome(state, losses[:count], REASONS[reason])


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "batchprop-scipy"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method(method):
    case = problem(e=2, m=3, s=1, n_samples=20)
    result = minimised(case, method=method)
    assert result.state.best_score[0] < 0.9 * result.losses[0]
    assert result.reason in ("running", "line_search", "method", "method_gave_up")
    assert result.losses.size == result.state.evaluations[0]
    at_best, _ = batchprop.loss_and_gradient(
        Network.from_theta(result.state.best, case.network.shape), case.X, case.T
    )
    assert at_best == pytest.approx(result.losses.min(), rel=1e-12) == result.state.best_score[0]
    assert not threads()


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "TNC", "SLSQP", "trust-constr"])
def test_it_is_scipys_path(method):
    case = problem(e=2, m=3, s=1, n_samples=20)
    path = []
    with prepared(case, "vectorized") as objective:

        def values(theta):
            gradient = np.empty_like(theta)
            return objective.loss_and_gradient(theta, gradient), gradient

        scipy.optimize.minimize(
            values, case.network.theta, method=method, jac=True,
            callback=lambda theta, *state: path.append(np.array(theta)),
            options=METHODS[method] | ({"maxfun": 300} if method == "TNC" else {"maxiter": 20}),
        )  # fmt: skip
        expected = [values(theta)[0] for theta in path]
    result = minimised(case, "vectorized", method=method, epochs=10)
    np.testing.assert_allclose(result.losses[1:], expected[:9], rtol=1e-12)


def test_engines_take_the_same_way():
    case = problem(m=4, weighted=True)
    runs = [minimised(case, engine, epochs=8, alpha=0.3) for engine in batchprop.ENGINES]
    for other in runs[1:]:
        assert relative_error(other.state.theta, runs[0].state.theta) < 1e-9
        np.testing.assert_allclose(other.losses, runs[0].losses, rtol=1e-10)


def test_float32_networks_are_rounded_where_they_are_evaluated():
    result = minimised(problem(m=8, dtype="float32"))
    assert result.state.theta.dtype == result.state.best.dtype == "float32"
    assert result.losses[-1] < 0.5 * result.losses[0]


def test_rules_end_a_run():
    case = problem(m=8)
    losses = minimised(case).losses
    few = minimised(case, rules=NO_RULES._replace(max_epochs=9))
    assert (few.reason, few.losses.size, few.state.epoch[0]) == ("max_epochs", 10, 9)
    target = minimised(case, rules=NO_RULES._replace(target_loss=losses[25]))
    assert (target.reason, target.losses.size) == ("target_loss", 26)
    stagnating = minimised(case, rules=NO_RULES._replace(tol=0.1, window=2))
    assert stagnating.reason == "stagnation"
    assert not threads()


@pytest.mark.parametrize("limit", [1, 2, 17])
@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "CG"])
def test_evaluations_at_most(limit, method):
    result = minimised(problem(m=8), max_evaluations=limit, method=method)
    assert (result.reason, result.state.calls[0]) == ("max_evaluations", limit)


def test_the_methods_own_rules():
    result = minimised(problem(m=8), options={"gtol": 1.0}, epochs=400)
    assert result.reason == "method"
    limited = minimised(problem(m=8), options={"maxiter": 5}, epochs=400)
    assert (limited.reason, limited.losses.size) == ("method_gave_up", 6)


def test_what_the_objective_raises_is_passed_on():
    class Failing(Recorder):
        def loss_and_gradient(self, theta, gradient):
            if len(self.points) == 5:
                raise RuntimeError("no more")
            return super().loss_and_gradient(theta, gradient)

    with pytest.raises(RuntimeError, match="no more"):
        minimised(problem(), "vectorized", wrap=Failing)


def test_not_finite():
    first = minimised(problem(), "vectorized", wrap=lambda o: Recorder(o, {0}))
    assert (first.reason, first.state.evaluations[0]) == ("non_finite", 0)


def test_it_cannot_go_on_with_a_run():
    case = problem()
    state = initial_state(
        case.network.theta, initial_memory(ScipySettings(), case.network.theta.size)
    )
    state.evaluations[0] = 7
    free = penalty((0.0, 0.0), 1.0, case.network.shape)
    with prepared(case) as objective, pytest.raises(ValueError, match="resumed; got solver='sci"):
        ScipyRun(ScipySettings(), NO_RULES, free, state, objective, None)


def test_a_run_that_is_dropped_leaves_no_thread():
    case = problem()
    state = initial_state(
        case.network.theta, initial_memory(ScipySettings(), case.network.theta.size)
    )
    free = penalty((0.0, 0.0), 1.0, case.network.shape)
    with prepared(case) as objective:
        run = ScipyRun(ScipySettings(), NO_RULES, free, state, objective, None)
        run.advance(np.full(3, math.nan), np.full(3, math.nan))
        assert threads()
        del run
        gc.collect()
        assert not threads()


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell"])
def test_a_status_means_what_its_method_says(method):
    """2 is lost precision for those that search along lines, and a limit for these."""
    case = problem(e=1, m=2, s=1, n_samples=9)
    result = minimised(case, method=method, options={"maxiter": 2}, epochs=50)
    assert result.reason == "method_gave_up"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "options", [{"maxiter": "x"}, {"maxfun": [1]}, {"args": (1,)}, {"callback": 3}]
)
def test_options_that_scipy_cannot_take(method, options):
    case = problem(e=2, m=3, s=1, n_samples=20)
    with pytest.raises((TypeError, ValueError), match="method_options must .*; got") as raised:
        batchprop.train(
            case.X, case.T, hidden_size=3, solver="scipy", method=method, method_options=options,
            max_epochs=3, alpha=0.0,
        )  # fmt: skip
    assert FORM.match(str(raised.value)), str(raised.value)
    assert not threads()


def test_what_is_no_matter_of_options_is_passed_on():
    class Broken:
        cancellation = None

        def __init__(self, objective):
            pass

        def loss_and_gradient(self, theta, gradient):
            raise MemoryError("no more")

    with pytest.raises(MemoryError, match="no more"):
        minimised(problem(), wrap=Broken, options={"maxiter": 9})
