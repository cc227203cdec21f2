"""Time to a loss: everybody starts alike, the clock is right, and the report tells who lost."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest

from benchmarks import data, machine
from benchmarks.time_to_loss import __main__ as program
from benchmarks.time_to_loss import plot, problems, tables, trail
from benchmarks.time_to_loss.runner import Plan, marks, run_problem
from benchmarks.time_to_loss.trail import OutOfTime, Point, Trail, falls, loss_at, seconds_to
from benchmarks.time_to_loss.trainers import SOLVERS, Unsuitable, ours, r_nnet, sklearn_mlp
from benchmarks.time_to_loss.worker import answer


@pytest.fixture
def given(tmp_path):
    problem = problems.problems(None)["robot-arm"]
    problem = problem._replace(
        case=problem.case._replace(n_samples=60, m=4), make=lambda: problems.surfaces.robot_arm(60)
    )
    return problems.read(problems.prepare(tmp_path, problem), problem.case)


def start_loss(given):
    return data.loss(given.case, given.X, given.T, given.start)


def test_problems_are_standardised_and_chosen_by_pattern(given):
    np.testing.assert_allclose(given.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(given.T.std(axis=0), 1)
    assert not problems.standardised(np.full((3, 1), 7.0)).any()
    known = problems.problems(None)
    names = [one.case.name for one in problems.choose(known, ["sinc*"], quick=False)]
    assert names == ["sinc", "sinc-1e5"]
    assert 3 < len(problems.choose(known, [], quick=True)) < len(known)
    with pytest.raises(SystemExit, match="No problem is called 'none'"):
        problems.choose(known, ["none"], quick=False)
    for one in known.values():
        assert one.case.e > 0


def test_loss_is_that_of_the_reference(given):
    expected = data.gradient(given.case, given.X, given.T, given.start)[0]
    assert start_loss(given) == pytest.approx(expected, rel=1e-13)


def test_a_trail_keeps_falls_and_ends_in_time(given):
    points = [Point(1, 5.0), Point(2, 6.0), Point(3, float("nan")), Point(4, 4.0)]
    assert falls(points) == [points[0], points[3]]
    assert seconds_to(points, 4.5) == 4
    assert seconds_to(points, 1.0) is None
    assert loss_at(points, 3.5) == 5.0
    assert loss_at(points, 0.5) is None
    run = Trail(cap=10.0)
    run.place(*given.start)
    assert run.points(given)[0].loss == pytest.approx(start_loss(given))
    with pytest.raises(OutOfTime):
        Trail(cap=0.0).loss(1.0)


def test_the_clock_stands_still_while_places_are_copied(given, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(trail.time, "perf_counter", lambda: now[0])

    def slow(array):
        now[0] += 100.0
        return np.asarray(array)

    run = Trail(cap=50.0)
    now[0] = 2.0
    monkeypatch.setattr(trail.np, "array", slow)
    run.place(*given.start)
    now[0] += 1.0
    assert run.seconds() == pytest.approx(3.0)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_scikit_learn_starts_where_it_is_told_to(given, solver):
    run, ended = sklearn_mlp.train(given, solver, cap=0.2)
    points = run.points(given)
    if solver == "lbfgs":
        assert points[0].loss == pytest.approx(start_loss(given), rel=1e-9)
    assert points[-1].loss < start_loss(given)
    assert isinstance(ended, bool)


def test_scikit_learns_loss_is_ours(given, monkeypatch):
    """A minibatch of all samples and no step: the place after an epoch is the start."""
    monkeypatch.setattr(sklearn_mlp, "LIMIT", 1)
    run, _ = sklearn_mlp.train(given, "lbfgs", cap=10.0)
    noted, place = run._points, run._places[-1][1]
    assert noted[0].loss == pytest.approx(start_loss(given), rel=1e-9)
    assert data.loss(given.case, given.X, given.T, place) <= noted[0].loss


def test_logistic_units_make_the_same_function(given):
    place = r_nnet.as_logistic(given.start)
    logistic = given.case._replace(activation="logistic")
    found = data.loss(logistic, given.X, given.T, place)
    assert found == pytest.approx(start_loss(given), rel=1e-12)


def test_r_nnet_begins_there_or_says_why_not(given):
    if shutil.which("Rscript") is None:
        with pytest.raises(Unsuitable, match="no Rscript"):
            r_nnet.train(given, "BFGS", 0.1)
        return
    run, _ = r_nnet.train(given, "BFGS", 0.1)
    assert run.points(given)[0].loss < start_loss(given)


def test_ours_trains_to_a_loss_in_time_or_not_at_all(given):
    session = ours.Session(given, "adam", threads=1)
    easy, impossible = session.to_losses([(0.5 * start_loss(given), 5.0), (1e-30, 0.05)])
    assert easy.loss <= 0.5 * start_loss(given)
    assert impossible is None
    (found,) = session.for_seconds([0.05])
    assert found.seconds < 2
    assert session.first_seconds > 0
    with pytest.raises(Unsuitable, match="no solver 'simplex'"):
        ours.Session(given, "simplex", threads=1)


def test_a_library_that_is_missing_says_so(given, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = answer({"solver": "torch lbfgs", "threads": 1})
    assert found["status"] == "missing"
    assert "torch" in found["note"]


def test_a_run_from_end_to_end(tmp_path, monkeypatch, capsys):
    words = ["--problems", "sine", "--solvers", "ours adam", "sklearn lbfgs", "torch adam"]
    limits = ["--threads", "1", "--cap", "0.3", "--budgets", "0.05", "0.2"]
    monkeypatch.setattr(
        "sys.argv", ["time_to_loss", "--quick", *words, *limits, "--output", str(tmp_path)]
    )
    program.main()
    figures = json.loads((tmp_path / "solvers.json").read_text("utf-8"))
    (row,) = figures["problems"]
    by_name = {one["solver"]: one for one in row["solvers"]}
    assert by_name["sklearn lbfgs"]["status"] == "ok", by_name
    assert by_name["ours adam"]["status"] == "ok", by_name
    assert by_name["sklearn lbfgs"]["reached"][0]["seconds"] == row["marks"]["scikit-learn"][1]
    assert len(by_name["ours adam"]["budgets"]) == 2
    text = (tmp_path / "solvers.md").read_text("utf-8")
    for part in ("To the loss scikit-learn ends at", "1-5-1, tanh", "The loss after 0.2 s"):
        assert part in text
    assert text in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["time_to_loss", "--report-only", "--output", str(tmp_path)])
    program.main()
    assert (tmp_path / "solvers.md").read_text("utf-8") == text


def record(solver, seconds, loss, reached):
    return {
        "solver": solver,
        "status": "ok",
        "first_seconds": 0.5,
        "versions": {solver: "1"},
        "end": {"seconds": seconds, "loss": loss, "reason": "its own end"},
        "budgets": [{"seconds": 1.0, "loss": loss}],
        "reached": reached,
    }


def test_rows_that_are_lost_are_named(tmp_path):
    case = problems.problems(None)["sine"].case
    theirs = [record("sklearn lbfgs", 2.0, 0.01, None), record("torch lbfgs", 0.4, 0.001, None)]
    assert marks(theirs) == {"scikit-learn": (0.01, 2.0), "PyTorch": (0.001, 0.4)}
    missing = {"solver": "r nnet", "status": "missing", "note": "no Rscript"}
    row = {
        "case": list(case),
        "threads": 1,
        "marks": {name: list(mark) for name, mark in marks(theirs).items()},
        "solvers": [*theirs, missing, record("ours auto", 1.0, 0.002, [{"seconds": 0.1}, None])],
    }
    assert tables.ratio(row, "scikit-learn") == pytest.approx(20)
    lost = list(tables.lost([row], 0))
    assert len(lost) == 2
    assert "does not reach the loss PyTorch ends at" in lost[0]
    assert "PyTorch LBFGS is at 0.001" in lost[1]
    row["solvers"][-1]["reached"][1] = {"seconds": 0.2}
    assert "2.00× as fast as PyTorch" in next(iter(tables.lost([row], 0)))
    assert plot.draw(tmp_path / "plot.png", [row])
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    settings = {"cap": 1.0, "budgets": [1.0], "lost": 3.0}
    text = tables.document([row], settings, machine.describe(), "2026-01-02", "plot.png")
    for part in ("20.0×", "no Rscript", "auto 500 ms", "plot.png", "PyTorch ends at"):
        assert part in text


def test_a_process_that_fails_takes_nobody_along(given, tmp_path):
    plan = Plan(sys.executable, machine.cores(), 0.1, (0.05,), timeout=0.05)
    solvers = ["sklearn sgd", "ours adam"]
    row = run_problem(plan, given.case, tmp_path / "robot-arm.npz", 1, solvers, lambda _: None)
    assert [one["status"] for one in row["solvers"]] == ["failed", "failed"]
    assert row["marks"] == {}
    assert set(SOLVERS) > set(solvers)
