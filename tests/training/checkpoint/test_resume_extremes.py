"""Runs near and beyond the range of their numbers: each of their checkpoints loads and goes on."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import Checkpoint, train
from batchprop.solvers.settings import FIRST_ORDER, RESUMABLE
from batchprop.training.checkpoint import checkpoint
from tests.problems import problem
from tests.resumed import assert_same_checkpoint, assert_same_run

CASE = problem(e=2, m=3, s=1, n_samples=12)
HELD_OUT = {"X_val": CASE.X[:, :5], "T_val": CASE.T[:, :5]}
ALL = 30
OFF = {"tol": None, "gradient_tol": None, "hidden_size": 3}


def trained(X, T, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.filterwarnings("ignore", "Stopped by")  # where all units are dead
        return train(X, T, **{"alpha": 0.0} | options)


def leaving(solver, dtype, size):
    """Return what leads a run out of the finite numbers, or near: the rate, or the targets."""
    first_order = solver in FIRST_ORDER
    options = {"learning_rate": size} if first_order else {}
    largest = 1e30 if dtype == "float32" else 1e300  # of a loss that is finite at the start
    T = CASE.T if first_order else CASE.T * np.sqrt(min(size, largest))
    return CASE.X, T, options | {"solver": solver, "dtype": dtype, "scale": False} | OFF


EXTREMES = [
    (solver, dtype, size)
    for solver in RESUMABLE
    for dtype, sizes in {"float32": (3.0, 1e6, 1e39), "float64": (3.0, 1e100, 1.7e308)}.items()
    for size in sizes
]


@pytest.mark.parametrize("engine", ["fused", "vectorized"])
@pytest.mark.parametrize(("solver", "dtype", "size"), EXTREMES)
def test_every_cut_of_a_run_that_overflows(tmp_path, solver, dtype, size, engine):
    X, T, options = leaving(solver, dtype, size)
    options["engine"] = engine
    whole = trained(X, T, max_epochs=ALL, **options)
    path = tmp_path / "run.npz"
    last = whole.n_epochs if whole.n_epochs < ALL else ALL - 1
    for at in {0, 1, 2, last // 2, max(0, last - 1), last}:
        if at >= ALL:
            continue
        for options_of_cut in ({"max_epochs": at}, {"callback": stopping(at)}):
            first = trained(X, T, **({"max_epochs": ALL} | options | options_of_cut))
            checkpoint.check(first.checkpoint)
            first.checkpoint.save(path)
            assert_same_checkpoint(Checkpoint.load(path), first.checkpoint)
            rest = {"max_epochs": ALL - first.n_epochs}
            assert_same_run(trained(X, T, resume=path, **rest), whole)


@pytest.mark.parametrize("solver", FIRST_ORDER)
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e39), ("float64", 1.7e308)])
def test_a_state_ahead_may_have_overflown_and_no_other(tmp_path, solver, dtype, size):
    X, T, options = leaving(solver, dtype, size)
    found = trained(X, T, **options, max_epochs=ALL, callback=stopping(0)).checkpoint
    assert not np.isfinite(found.state.theta).all()
    found.save(tmp_path / "run.npz")
    assert_same_checkpoint(Checkpoint.load(tmp_path / "run.npz"), found)
    found.state.step[0] = 1.0  # it has not overflown then
    found.save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"state\.theta: must be finite"):
        Checkpoint.load(tmp_path / "run.npz")


def stopping(at):
    return lambda progress: progress.epoch == at


@pytest.mark.parametrize("solver", RESUMABLE)
@pytest.mark.parametrize("held_out", [{}, HELD_OUT])
def test_every_state_on_the_way_to_the_end(tmp_path, solver, held_out):
    """As the file is written while the run goes on, and where it ends by itself."""
    path = tmp_path / "run.npz"

    def keep(progress):
        if path.exists():
            found = Checkpoint.load(path)
            checkpoint.check(found)
            seen.append(found.n_epochs)

    seen = []
    options = {"solver": solver, "checkpoint": path, "checkpoint_seconds": 0}
    result = trained(
        CASE.X, CASE.T, hidden_size=3, max_epochs=3000, callback=keep, callback_every=7,
        **options, **held_out,
    )  # fmt: skip
    assert Checkpoint.load(path).stop_reason == result.stop_reason
    assert len(seen) > 0


@pytest.mark.parametrize("solver", RESUMABLE)
@pytest.mark.parametrize(
    "rules", [{"max_epochs": 0}, {"target_loss": 1e9}, {"max_seconds": 1e-9}, {"patience": 1}]
)
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_runs_that_ended_at_once(tmp_path, solver, rules):
    options = {"hidden_size": 3, "solver": solver} | HELD_OUT | rules
    first = trained(CASE.X, CASE.T, **options)
    first.checkpoint.save(tmp_path / "run.npz")
    assert_same_checkpoint(Checkpoint.load(tmp_path / "run.npz"), first.checkpoint)


def test_interrupted_before_anything_was_evaluated(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("batchprop.engines.vectorized.ArrayObjective", interrupted)
    for solver in (*FIRST_ORDER, "lbfgs"):
        first = trained(CASE.X, CASE.T, solver=solver, engine="vectorized", **OFF)
        assert first.stop_reason == "interrupted"
        first.checkpoint.save(tmp_path / "run.npz")
        assert_same_checkpoint(Checkpoint.load(tmp_path / "run.npz"), first.checkpoint)
