"""train(a), then resume(b), is train(a + b): to the last bit, wherever and however it was cut."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from batchprop import ENGINES, Checkpoint, train
from batchprop.activations import ACTIVATIONS
from batchprop.solvers.settings import RESUMABLE
from tests.problems import problem
from tests.project import ROOT, SRC
from tests.resumed import assert_same_run

EVERY_SOLVER = pytest.mark.parametrize("solver", RESUMABLE)
# rules that end a run early are what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by 'stagnation' with")
CASE = problem(e=3, m=6, s=2, n_samples=60, weighted=True)
ALL = 24
OFF = {"tol": None, "gradient_tol": None}


def trained(case=CASE, **options):
    return train(
        case.X, case.T, **({"alpha": 0.0, "hidden_size": 6, "max_epochs": ALL} | OFF | options)
    )


def held_out(case=CASE):
    return {"X_val": case.X[:, :20] + 0.1, "T_val": case.T[:, :20]}


def cut(at, case=CASE, again=None, **options):
    """Train up to an epoch, then on to the end; ``again`` is what both calls are given."""
    first = trained(case, max_epochs=at, **options, **(again or {}))
    assert first.n_epochs == at
    rest = {"max_epochs": ALL - at} | (again or {})
    return train(case.X, case.T, resume=first, **rest)


@EVERY_SOLVER
@pytest.mark.parametrize("at", [0, 1, 2, 11, ALL - 1, ALL])
def test_a_cut_at_any_epoch(solver, at):
    assert_same_run(cut(at, solver=solver), trained(solver=solver))


@EVERY_SOLVER
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("validated", [False, True])
def test_every_engine_with_validation_data_weights_and_penalty(solver, engine, validated):
    case = problem(e=2, m=3, s=1, n_samples=12, weighted=True)
    again = {"sample_weight": case.weight} | (held_out(case) if validated else {})
    options = {"solver": solver, "engine": engine, "hidden_size": 3, "alpha": 0.1}
    whole = trained(case, **options, **again)
    assert whole.validation_loss_curve.size == (ALL + 1 if validated else 0)
    assert_same_run(cut(9, case, again, **options), whole)


@EVERY_SOLVER
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [False, True])
def test_both_dtypes_scaled_or_not(solver, dtype, scale):
    options = {"solver": solver, "dtype": dtype, "scale": scale}
    assert_same_run(cut(7, **options), trained(**options))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    options = {"activation": activation, "solver": "adam", "seed": 3}
    assert_same_run(cut(10, **options), trained(**options))


@EVERY_SOLVER
@pytest.mark.parametrize("threads", [(1, 3), (4, 1), (2, None)])
def test_any_number_of_threads_before_and_after(solver, threads):
    case = problem(e=5, m=20, s=1, n_samples=5000)
    first = trained(case, solver=solver, n_threads=threads[0], max_epochs=6)
    second = train(case.X, case.T, resume=first, n_threads=threads[1], max_epochs=5)
    assert_same_run(second, trained(case, solver=solver, n_threads=2, max_epochs=11))


@EVERY_SOLVER
def test_cut_again_and_again_through_files(solver, tmp_path):
    step, made = 4, trained(solver=solver, max_epochs=0, **held_out())
    for n in range(0, ALL, step):
        path = tmp_path / f"{n}.npz"
        made.checkpoint.save(path)
        made = train(CASE.X, CASE.T, resume=path, max_epochs=step, **held_out())
    assert_same_run(made, trained(solver=solver, **held_out()))


@EVERY_SOLVER
@pytest.mark.parametrize("network", [CASE.network, problem(e=3, m=6, s=2, seed=4).network])
def test_a_start_that_was_given(solver, network):
    options = {"network": network, "solver": solver, "hidden_size": None}
    assert_same_run(cut(0, **options), trained(**options))
    assert_same_run(cut(5, **options), trained(**options))


def test_the_given_start_comes_back_as_it_was_given():
    best = trained(solver="adam", max_epochs=400).network
    options = {"network": best, "solver": "gd", "learning_rate": 9.0, "hidden_size": None}
    first = trained(**options, max_epochs=2)
    assert first.best_epoch == 0
    second = train(CASE.X, CASE.T, resume=first, max_epochs=0)
    np.testing.assert_array_equal(second.network.theta, best.theta)


@EVERY_SOLVER
@pytest.mark.parametrize("at", [0, 1, 6])
def test_a_callback_stopped_it(solver, at):
    first = trained(solver=solver, callback=lambda progress: progress.epoch == at)
    assert (first.n_epochs, first.stop_reason) == (at, "callback")
    second = train(CASE.X, CASE.T, resume=first, max_epochs=ALL - at)
    assert_same_run(second, trained(solver=solver))


@EVERY_SOLVER
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_the_clock_stopped_it(solver):
    first = trained(solver=solver, max_seconds=1e-9)
    assert (first.n_epochs, first.stop_reason) == (0, "max_seconds")
    assert_same_run(train(CASE.X, CASE.T, resume=first, max_epochs=ALL), trained(solver=solver))


def interrupting(at):
    def callback(progress):
        if progress.epoch == at:
            raise KeyboardInterrupt

    return callback


@EVERY_SOLVER
@pytest.mark.parametrize("engine", ["fused", "vectorized"])
@pytest.mark.parametrize("at", [0, 6, ALL])
def test_ctrl_c_stopped_it(solver, engine, at):
    options = {"solver": solver, "engine": engine}
    first = trained(callback=interrupting(at), **options)
    assert (first.n_epochs, first.stop_reason) == (at, "interrupted")
    second = train(CASE.X, CASE.T, resume=first, max_epochs=ALL - at)
    assert_same_run(second, trained(**options))


@EVERY_SOLVER
@pytest.mark.parametrize("rules", [{"tol": 0.5, "n_epochs_no_change": 2}, {"gradient_tol": 1e9}])
def test_a_rule_that_ended_the_run_ends_it_again(solver, rules):
    whole = trained(solver=solver, **rules)
    assert whole.n_epochs < ALL
    assert_same_run(train(CASE.X, CASE.T, resume=whole, max_epochs=ALL), whole)
    on = train(CASE.X, CASE.T, resume=whole, max_epochs=2, tol=0, gradient_tol=0)
    assert on.stop_reason == "max_epochs"
    assert_same_run(on, trained(solver=solver, max_epochs=whole.n_epochs + 2))


@EVERY_SOLVER
def test_rules_that_look_back_see_over_the_cut(solver):
    loss = trained(solver=solver).loss_curve[17]
    rules = {"target_loss": float(loss), "tol": 0.01, "n_epochs_no_change": 5}
    assert_same_run(cut_where_it_runs(rules, solver=solver), trained(solver=solver, **rules))


def test_patience_counts_over_the_cut():
    rules, again = {"patience": 3}, {"X_val": CASE.X, "T_val": CASE.T[:, ::-1].copy()}
    options = {"solver": "adam", "learning_rate": 0.1}
    whole = trained(**options, **rules, **again)
    assert whole.stop_reason == "patience"
    for at in range(whole.n_epochs):
        first = trained(**options, **rules, **again, max_epochs=at)
        second = train(CASE.X, CASE.T, resume=first, max_epochs=ALL - at, **again)
        assert_same_run(second, whole)


def cut_where_it_runs(rules, **options):
    first = trained(max_epochs=3, **options, **rules)
    return train(CASE.X, CASE.T, resume=first, max_epochs=ALL - first.n_epochs)


def test_no_further_epochs():
    first = trained(max_epochs=5)
    assert_same_run(train(CASE.X, CASE.T, resume=first, max_epochs=0), first)
    ahead = trained(callback=lambda progress: progress.epoch == 5)  # the sixth step is taken
    again = train(CASE.X, CASE.T, resume=ahead, max_epochs=0)
    assert again.stop_reason == "max_epochs"
    np.testing.assert_array_equal(again.last_network.theta, first.last_network.theta)
    np.testing.assert_array_equal(again.loss_curve, first.loss_curve)


def test_the_first_result_stays_as_it_was():
    first = trained(max_epochs=5)
    theta, curve = first.last_network.theta.copy(), first.loss_curve.copy()
    once = train(CASE.X, CASE.T, resume=first, max_epochs=5)
    twice = train(CASE.X, CASE.T, resume=first.checkpoint, max_epochs=5)
    assert_same_run(twice, once)
    np.testing.assert_array_equal(first.last_network.theta, theta)
    np.testing.assert_array_equal(first.loss_curve, curve)


def test_a_result_that_was_pickled():
    first = pickle.loads(pickle.dumps(trained(max_epochs=5)))
    assert_same_run(train(CASE.X, CASE.T, resume=first, max_epochs=ALL - 5), trained())


def test_the_progress_line_counts_all_epochs(capsys):
    train(CASE.X, CASE.T, resume=trained(max_epochs=5), max_epochs=4, progress=True)
    assert " 9/9  loss" in capsys.readouterr().err.splitlines()[-1]


def test_interrupted_before_anything_was_evaluated(monkeypatch):
    first = trained(solver="gd", engine="vectorized", max_epochs=5)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("batchprop.engines.vectorized.ArrayObjective", interrupted)
        nothing = train(CASE.X, CASE.T, resume=first)
        unbegun = trained(solver="gd", engine="vectorized")
    assert nothing.stop_reason == unbegun.stop_reason == "interrupted"
    np.testing.assert_array_equal(nothing.loss_curve, first.loss_curve)
    np.testing.assert_array_equal(nothing.network.theta, first.network.theta)
    whole = trained(solver="gd", engine="vectorized")
    assert_same_run(train(CASE.X, CASE.T, resume=nothing, max_epochs=ALL - 5), whole)
    assert_same_run(train(CASE.X, CASE.T, resume=unbegun, max_epochs=ALL), whole)


def test_a_run_that_left_the_finite_numbers_stays_there():
    def diverging(**options):
        with pytest.warns(RuntimeWarning, match="NaN or infinite at epoch"):
            return train(CASE.X, CASE.T, **({"alpha": 0.0, "max_epochs": 2000} | options))

    whole = diverging(solver="momentum", learning_rate=50.0)
    first = trained(solver="momentum", learning_rate=50.0, hidden_size=50, max_epochs=5)
    assert_same_run(diverging(resume=first), whole)
    assert_same_run(diverging(resume=whole), whole)


@EVERY_SOLVER
def test_a_run_that_came_to_its_end_stays_there(solver):
    whole = trained(solver=solver, max_epochs=500)
    again = train(CASE.X, CASE.T, resume=whole, max_epochs=5)
    if whole.stop_reason == "max_epochs":  # descent does not come to an end by itself
        whole = trained(solver=solver, max_epochs=505)
    assert_same_run(again, whole)


NEW_PROCESS = """
import sys
from tests.training.checkpoint.test_resume import ALL, CASE, train

for path in sys.argv[1:]:
    train(CASE.X, CASE.T, resume=path, max_epochs=ALL - 10, n_threads=1, checkpoint=path)
"""


def test_a_new_process(tmp_path):
    paths = {solver: tmp_path / solver for solver in RESUMABLE}
    for solver, path in paths.items():
        trained(solver=solver, max_epochs=10).checkpoint.save(path)
    environment = os.environ | {"PYTHONPATH": f"{SRC}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", NEW_PROCESS, *paths.values()]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    for solver, path in paths.items():
        again = train(CASE.X, CASE.T, resume=Checkpoint.load(path), max_epochs=0)
        assert_same_run(again, trained(solver=solver))
