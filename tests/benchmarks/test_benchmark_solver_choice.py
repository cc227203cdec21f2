"""The benchmark behind solver="auto": its problems, one run, and its tables."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.solver_choice import __main__ as command
from benchmarks.solver_choice import runs, tables
from benchmarks.solver_choice.problems import PROBLEMS
from benchmarks.solver_choice.runs import Run, falls, solvers

STEEP = next(index for index, one in enumerate(PROBLEMS) if one.name == "steep step")


def made(problem, solver, trail, seed=0, shape=(3, 10, 1), n=100):
    return Run(problem, solver, seed, shape, n, 10, trail[-1][0], "callback", trail)


DUEL = [
    made("sinc", "lbfgs", [(0.1, 1.0), (1.0, 1e-3), (4.0, 1e-4)]),
    made("sinc", "lm", [(0.1, 1.0), (0.5, 1e-4), (2.0, 1e-6)]),
]


def test_problems_are_many_distinct_and_of_all_sizes():
    assert len({one.name for one in PROBLEMS}) == len(PROBLEMS) >= 40
    assert min(one.n for one in PROBLEMS) == 50
    assert max(one.n for one in PROBLEMS) == 10**6
    assert {one.activation for one in PROBLEMS} == {"tanh", "relu", "logistic"}
    assert {one.dtype for one in PROBLEMS} == {"float32", "float64"}
    sizes = []
    for one in PROBLEMS:
        if one.n > 5000:
            assert "lbfgs" in solvers(one)
            continue
        X, T = one.samples()
        assert X.shape[1] == T.shape[1] == one.n
        assert X.dtype == T.dtype == one.dtype
        assert np.all(np.isfinite(X))
        assert np.all(np.isfinite(T))
        sizes.append(one.m * (len(X) + 1) + len(T) * (one.m + 1))
    assert min(sizes) == 10
    assert max(sizes) > 3000


def test_the_trail_keeps_falls_and_interpolates_their_times():
    losses = np.array([5.0, 4.0, 4.5, 2.0, math.nan, 1.0])
    assert falls([(0, 1.0), (5, 6.0)], losses) == [(1.0, 5.0), (2.0, 4.0), (4.0, 2.0), (6.0, 1.0)]


@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_a_run(solver, monkeypatch):
    ticks = itertools.count()
    clock = SimpleNamespace(process_time=lambda: 0.01 * next(ticks))  # a hundredth each look
    monkeypatch.setattr(runs, "time", clock)
    found = runs.run(STEEP, solver, 0, 1.0)
    seconds, losses = zip(*found.trail, strict=True)
    assert list(seconds) == sorted(seconds)
    assert list(losses) == sorted(losses, reverse=True)
    assert found.iterations == (30 if solver == "lm" else 300)
    assert found.loss < 0.1 * losses[0]
    assert found.shape == (1, 6, 1)
    assert found.reason == "callback"


def test_a_duel():
    (duel,) = tables.duels(DUEL)
    assert duel.ends == (1e-4, 1e-6)
    # both reach 1e-4; lbfgs never comes near 1e-6, and counts with its 4 s
    assert duel.times == [(4.0, 0.5), (4.0, 2.0), (4.0, 2.0)]
    assert duel.gains == [8.0, 2.0, 2.0]


def test_losses_that_are_as_good_as_nothing_count_the_same():
    pair = [made("sinc", "lbfgs", [(1.0, 1e-15)]), made("sinc", "lm", [(2.0, 1e-30)])]
    (duel,) = tables.duels(pair)
    assert duel.gains == [0.5, 0.5, 0.5]


def test_rules_are_told_by_what_they_lose():
    found = tables.duels(DUEL)
    assert found[0].chosen == "lm"
    lines = {
        row.split(" | ")[0].lstrip("| "): row.split(" | ")[1:]
        for row in tables.rules(found).splitlines()
    }
    assert lines["never"][:3] == ["8.00", "2.00", "2.00"]
    assert lines["always"][:3] == ["1.00", "1.00", "1.00"]
    (own,) = (cells for title, cells in lines.items() if "auto" in title)
    assert own[:3] == ["1.00", "1.00", "1.00"]


def test_the_report_from_its_file(tmp_path, capsys):
    some = [*DUEL, made("sinc, 1000000", "adam", [(1.0, 0.5)])]
    some += [made("sinc, 1000000", one, [(1.0, 0.1)]) for one in ("lbfgs", "lm")]
    described = {"versions": {}, "processor": "a processor", "cores": 1, "vector_bits": 256,
                 "system": "Linux", "blas": "none"}  # fmt: skip
    head = {"date": "2026-01-01", "machine": described, "share": 1.0}
    command.write(tmp_path / "solver_choice.json", head, some)
    again, read = command.read(tmp_path / "solver_choice.json")
    assert again["machine"] == described
    assert [one.loss for one in read] == [one.loss for one in some]
    command.main(["--report-only", "--output", str(tmp_path)])
    text = (tmp_path / "solver_choice.md").read_text("utf-8")
    assert text.strip() == capsys.readouterr().out.strip()
    assert "| sinc |" in text
    assert "| sinc, 1000000 | 5.0e-01 |" in text
