"""The benchmark of default calls: fits in a process, scores, ranks, and the report."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.metrics import r2_score

from benchmarks.defaults import __main__ as program
from benchmarks.defaults import models, report, runs, scores, storage, worker
from benchmarks.defaults.catalogue import NOISELESS, TABLES
from benchmarks.defaults.scores import Result
from benchmarks.defaults.trials import MAX_DRAWS, N_TEST, draws, folds
from benchmarks.uci.tables import VARIABLE

DESCRIBED = {"versions": {}, "processor": "a processor", "cores": 1, "vector_bits": 256,
             "system": "Linux", "blas": "none"}  # fmt: skip
HEAD = {"date": "2026-01-01", "machine": DESCRIBED, "n_folds": 2, "n_rows": 50, "limit": 9.0}


def task(model, n=40, s=1, seed=0):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 2))
    return worker.Task(model, seed, X, np.column_stack([X[:, 0]] * s) + 0.1, X[:7])


def result(table, model, *unexplained, note="", stopped=()):
    return Result(table, model, list(unexplained), [0.5] * len(unexplained), list(stopped), note)


def by_key(*results):
    return {(row.table, row.model): row for row in results}


def all_seven(table, ours, *others, call="batchprop"):
    shares = zip(scores.rivals(), others, strict=True)
    return [result(table, call, ours), *(result(table, name, share) for name, share in shares)]


def test_folds_leave_each_row_out_once_and_add_up_to_r2():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(23, 2)), rng.normal(size=(23, 3)) * [1, 10, 1000]
    predictions, expected, shares = [], [], []
    for trial in folds((X, T), 5):
        assert len(trial.X) + len(trial.X_test) == 23
        assert not {*trial.X[:, 0]} & {*trial.X_test[:, 0]}
        guess = trial.T_test + rng.normal(size=trial.T_test.shape)
        shares.append(trial.unexplained(guess))
        predictions.append(guess)
        expected.append(trial.T_test)
    assert sorted(np.concatenate(expected)[:, 0]) == sorted(T[:, 0])
    r2 = r2_score(np.concatenate(expected), np.concatenate(predictions))
    assert result("t", "m", *shares).r2 == pytest.approx(r2)


def test_functions_are_tested_on_new_points():
    function = NOISELESS[0]
    first, second = draws(function, 30, 2)
    assert len(first.X) == 30
    assert len(first.X_test) == N_TEST
    assert not {*first.X[:, 0]} & {*second.X[:, 0]}
    shares = [
        trial.unexplained(trial.T_test + 0.1 * trial.T_test.std()) for trial in (first, second)
    ]
    assert result("t", "m", *shares).relative_error == pytest.approx(0.1)


def test_equal_values_share_their_rank_and_failures_are_last():
    assert scores.ranks([0.9, 0.5, 0.9, None, -3.0, None]) == [1.5, 3.0, 1.5, 5.5, 4.0, 5.5]
    rows = all_seven("t", 0.5, 0.1, 0.5, 0.6, 0.7, 0.8, 0.9)
    ranks = scores.table_ranks(by_key(*rows), "t")
    assert ranks["batchprop"] == ranks["mlp-scaled"] == 2.5
    assert ranks["mlp"] == 1
    failed = [rows[0]._replace(note="no result"), *rows[1:]]
    assert scores.table_ranks(by_key(*failed), "t")["batchprop"] == 7
    assert scores.table_ranks(by_key(*rows[1:]), "t") == {}


def test_mean_ranks_are_over_tables_where_all_were_run():
    rows = all_seven("a", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    rows += all_seven("b", 0.9, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    rows += all_seven("c", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)[:3]
    rows += [result("a", "batchprop alpha=auto", 0.25)]
    ranks = scores.mean_ranks(by_key(*rows), ["a", "b", "c", "d"])
    assert ranks["batchprop"] == 4
    assert ranks["mlp"] == 1.5
    assert scores.mean_ranks(by_key(*rows), ["c"]) == {}
    variant = scores.mean_ranks(by_key(*rows), ["a", "b"], "batchprop alpha=auto")
    assert variant["batchprop alpha=auto"] == 2


def test_limits_are_counted():
    limited = result("t", "batchprop", 0.1, 0.1, 0.1, stopped=["max_epochs", "step", "max_seconds"])
    assert limited.at_limits == 2
    assert limited.mean_seconds == 0.5
    assert result("t", "mlp", note="fit 1 of 5").mean_seconds is None


@pytest.mark.parametrize("s", [1, 2])
@pytest.mark.parametrize("name", [name for name in models.OTHERS if models.is_installed(name)])
def test_every_model_fits_one_output_and_two(name, s):
    outcome = worker.fit(task(name, s=s))
    assert outcome.note == ""
    assert outcome.prediction.shape == (7, s)
    assert outcome.seconds > 0
    assert outcome.stopped == ""


def test_ours_is_the_call_without_arguments():
    bare = models.build("batchprop", 2, 1, 3)
    defaults = type(bare)().get_params() | {"random_state": 3, "n_threads": 1}
    assert bare.get_params() == defaults
    changed = models.build("batchprop alpha=[0.1,1] early_stopping=true", 2, 1, 0)
    assert (changed.alpha, changed.early_stopping) == ([0.1, 1], True)
    assert models.variant("alpha=auto") == {"alpha": "auto"}
    outcome = worker.fit(task("batchprop max_iter=3"))
    assert outcome.stopped == "max_epochs"
    for wrong in ("alphas=1", "alpha"):
        with pytest.raises(SystemExit, match=f"NAME=JSON.*got '{wrong}'.*alpha=auto"):
            models.variant(wrong)


def test_only_a_call_without_penalty_counts_as_plain():
    names = ["alpha=0.0", "alpha=auto", "alpha=0 early_stopping=true", "alpha=[0.1,1]"]
    assert [models.has_no_penalty(f"batchprop {name}") for name in names] == [1, 0, 0, 0]
    assert models.has_no_penalty("batchprop") == (models.build("batchprop", 1, 1, 0).alpha == 0)


def test_a_fit_that_fails_is_noted():
    outcome = worker.fit(task("batchprop hidden_size=-1"))
    assert outcome.prediction is None
    assert outcome.note.startswith("ValueError: ")
    assert "hidden_size" in outcome.note


class Fits:
    """A worker without a process, which fails at its second task."""

    def __init__(self):
        self.tasks = []

    def run(self, task):
        self.tasks.append(task)
        if len(self.tasks) == 2:
            return worker.Outcome(None, 9.0, note="no result within 9 s")
        return worker.Outcome(np.zeros((len(task.X_test), 1)), 1.0)


def test_after_a_failure_a_model_is_left_and_the_next_is_run(tmp_path):
    table = next(table for table in TABLES if table.name == "linear")
    plan = runs.Plan([table], ["ridge", "gp", "svr"], None, 1000, 3)
    results, fits = {("linear", "svr"): result("linear", "svr", 0.5)}, Fits()
    reported = []
    runs.run_all(plan, fits, results, reported.append)
    assert [task.model for task in fits.tasks] == ["ridge", "ridge", "gp", "gp", "gp"]
    assert [task.seed for task in fits.tasks] == [0, 1, 0, 1, 2]
    ridge, gp = reported
    assert ridge.note == "fit 2 of 3: no result within 9 s"
    assert ridge.r2 is None
    assert gp.r2 == pytest.approx(-0.01, abs=0.05)
    assert results["linear", "svr"].unexplained == [0.5]


def test_an_expensive_model_is_left_out_where_rows_are_many():
    table = next(table for table in TABLES if table.name == "incomes")
    results, fits = {}, Fits()
    runs.run_all(runs.Plan([table], ["gp"], None, 2000, 5), fits, results, lambda row: None)
    assert not results
    assert not fits.tasks


def test_results_are_stored_with_six_digits(tmp_path):
    rows = by_key(result("t", "mlp", 1 / 3), result("t", "svr", note="fit 1 of 5: ended"))
    storage.write(tmp_path / "defaults.json", HEAD, rows)
    head, again = storage.read(tmp_path / "defaults.json")
    assert head == HEAD
    assert again["t", "mlp"].unexplained == [0.333333]
    assert again["t", "svr"] == rows["t", "svr"]


def sample_report():
    rows = all_seven("linear", 0.5, 0.1, 0.5, 0.6, 0.7, 0.8, 0.9)
    rows += all_seven("steps", 1000.0, 0.1, 0.5, 0.6, 0.7, 0.8, 0.9)
    rows[0] = rows[0]._replace(stopped=["max_epochs"])
    rows += [result("linear", "batchprop alpha=auto", 0.05)]
    rows += [result("linear", "gp", note="fit 1 of 5: no result within 9 s")]
    rows += [result("Branin", "batchprop alpha=0.0", 1e-8)]
    rows += [result("Branin", "batchprop alpha=auto", 9e-8)]
    return report.document(by_key(*rows), HEAD)


def test_the_report():
    text = sample_report()
    for part in (
        "mean rank 4.75, number 5 of seven; on 1 of 2 tables it predicts worse than the mean",
        "| **batchprop** `alpha=auto` | 1.00 | 1.00 | – | 0.950 | 0.950 | 1 |",
        "| linear | 2.5 | 1 |",
        "| linear | linear | tuned | 0.500 | **0.950** | – | 0.900 |",
        "| steps | steps |  | < −100 | – | – | **0.900** |",
        "| Branin |  | – | 3.0e-04 | **1.0e-04** |",
        "between 3.00 and 3.00 times (on Branin) the error of **batchprop** `alpha=0.0`",
        "- linear, GaussianProcess, X scaled: fit 1 of 5: no result within 9 s",
        "a processor, 1 core",
        "1 of 1 |",
    ):
        assert part in text, part
    assert "nan" not in text
    for table in text.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_report_of_a_part():
    text = report.document(by_key(result("linear", "ridge", 0.2)), HEAD)
    assert "| RidgeCV, X scaled • | – |" in text
    assert "our rank" not in text
    assert "without noise" not in text.split("## ", 1)[1]


SLOW = "batchprop tol=0 max_iter=null max_seconds=60"


def test_a_process_is_ended_when_a_fit_takes_too_long(monkeypatch):
    process = worker.Worker(limit=60.0)
    try:
        first = process.run(task("ridge"))
        assert first.prediction.shape == (7, 1)
        process.limit = 0.2
        slow = process.run(task(SLOW, n=3000))
        wall = f"no result within {worker.PATIENCE * 0.2:g} s"  # without a timer of CPU time
        assert slow.note == (wall if worker.TIMER is None else "more than 0.2 s of CPU time")
        process.limit = 60.0
        again = process.run(task("ridge"))
        np.testing.assert_array_equal(again.prediction, first.prediction)
        monkeypatch.setattr(worker, "PATIENCE", 0.01)
        assert process.run(task(SLOW, n=3000)).note == "no result within 0.6 s"
        assert process.run(task("ridge")).note == ""
        process._process.kill()
        process._process.join()
        assert process.run(task("ridge")).note == "its process ended"
    finally:
        process.close()


def test_a_run_from_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    words = ["--quick", "--rows", "40", "--output", str(tmp_path), "--limit", "60"]
    words += ["--tables", "linnerud", "Branin", "--models", "ridge", "batchprop"]
    program.main([*words, "--variants", "alpha=0.1  max_iter=5"])
    text = (tmp_path / "defaults.md").read_text("utf-8")
    assert text in capsys.readouterr().out
    assert "**batchprop** `alpha=0.1 max_iter=5`" in text
    stored = json.loads((tmp_path / "defaults.json").read_text("utf-8"))
    assert len(stored["results"]) == 6
    head, results = storage.read(tmp_path / "defaults.json")
    assert (head["n_folds"], head["n_rows"]) == (2, 40)
    for row in results.values():
        assert not row.failed
        assert len(row.unexplained) == len(row.seconds) == MAX_DRAWS == 2
        assert math.isfinite(sum(row.unexplained))
    monkeypatch.setattr(runs, "run_model", lambda *arguments: pytest.fail("it is known already"))
    program.main([*words, "--resume"])
    program.main(["--report-only", "--output", str(tmp_path)])
    assert (tmp_path / "defaults.md").read_text("utf-8") == text
    with pytest.raises(SystemExit, match="results of 2 folds and 40 rows, not 5 and 40"):
        program.main([*words[1:], "--resume"])


def test_wrong_arguments_are_told(tmp_path, monkeypatch, capsys):
    output = ["--output", str(tmp_path)]
    with pytest.raises(SystemExit, match=r"--tables no\* fits none of: diabetes, "):
        program.main(["--tables", "no*", *output])
    with pytest.raises(SystemExit):
        program.main(["--folds", "1", *output])
    assert "--folds must be at least 2" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="BatchMLPRegressor, got 'depth=3'"):
        program.main(["--tables", "steps", "--variants", "depth=3", *output])


def test_without_a_folder_the_uci_tables_are_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    options = program.parsed([])
    names = {table.name for table in program.chosen(options)}
    assert "concrete" not in names
    assert {"diabetes", "Branin"} <= names
    assert VARIABLE in capsys.readouterr().out
    options.data = str(tmp_path)
    assert "concrete" in {table.name for table in program.chosen(options)}
