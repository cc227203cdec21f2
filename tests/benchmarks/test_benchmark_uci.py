"""The UCI tables and their protocol: calls, results, and the report."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

import batchprop
from benchmarks.defaults import models
from benchmarks.uci import __main__ as program
from benchmarks.uci import calls, protocol, report, scores, storage, tables
from benchmarks.uci.published import PUBLISHED, best
from benchmarks.uci.scores import Result

DESCRIBED = {"versions": {}, "processor": "a processor", "cores": 1, "vector_bits": 256,
             "system": "Linux", "blas": "none"}  # fmt: skip
HEAD = {"date": "2026-01-01", "machine": DESCRIBED, "packages": {"catboost": "9.9"}}
NAN = math.nan


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(3.0, 2.0, (60, 6))
    parts = {}
    for k, (train, test) in enumerate(tables.drawn_splits(60, 2)):
        parts |= {f"train_{k}": train, f"test_{k}": test}
    np.savez(tmp_path / "yacht.npz", X=X, y=5 + X[:, :1], **parts)
    return tmp_path


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    return calls.Samples(X, X[:, 0] + 0.1 * rng.normal(size=40), rng.normal(size=(7, 2)), 4)


def result(table="concrete", call="batchprop", split=0, rmse=4.0, **fields):
    defaults = {"nll": None, "intervals": {}, "seconds": 2.0, "fit_seconds": None,
                "stopped": "", "note": ""}  # fmt: skip
    return Result(table, call, split, rmse, **defaults | fields)


def by_key(*results):
    return {(row.table, row.call, row.split): row for row in results}


def rows_of(text):
    """Return the cells of each row of the Markdown tables in a text by its first cells."""
    rows = {}
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0]] = cells[1:]
    return rows


def test_a_folder_without_the_table_is_told(folder, monkeypatch):
    assert len(tables.Source(folder).load("yacht").splits) == 2
    monkeypatch.setenv(tables.VARIABLE, str(folder))
    with pytest.raises(SystemExit, match="There is no .*power.npz"):
        tables.Source().load("power")


def test_means_have_the_published_standard_error_and_skip_what_failed():
    results = by_key(
        result(split=0, rmse=2.0, nll=1.0),
        result(split=1, rmse=4.0),
        result(split=2, rmse=NAN, note="ValueError: no"),
        result("yacht", split=0, rmse=9.0),
    )
    mean = scores.mean_of(results, "concrete", "batchprop", lambda row: row.rmse)
    assert mean.value == 3.0
    assert mean.error == pytest.approx(1 / math.sqrt(2))
    assert mean.n == 2
    assert scores.mean_of(results, "concrete", "batchprop", lambda row: row.nll).n == 1
    assert scores.mean_of(results, "power", "batchprop", lambda row: row.rmse) is None


def test_calls_are_compared_on_the_splits_of_both():
    results = by_key(
        *(result(split=k, rmse=value) for k, value in enumerate([1.0, 2.0, 50.0])),
        *(result(call="hgb", split=k, rmse=value) for k, value in enumerate([2.0, 5.0])),
    )
    mean = scores.difference(results, "concrete", "hgb", "batchprop")
    assert (mean.value, mean.error, mean.n) == (2.0, pytest.approx(1 / math.sqrt(2)), 2)
    assert scores.difference(results, "concrete", "hgb", "catboost") is None


def test_names_of_calls_are_read_as_options_of_train():
    assert calls.options_of("batchprop") == {}
    options = calls.options_of("batchprop n_init=5 combine=mean scale=false alpha=[0.1,2]")
    assert options == {"n_init": 5, "combine": "mean", "scale": False, "alpha": [0.1, 2]}
    for text in ("n_starts=5", "alpha"):
        with pytest.raises(SystemExit, match=f"got '{text}'"):
            calls.options_of(f"batchprop {text}")


def test_our_call_predicts_what_train_returns_and_times_the_penalty_apart(samples):
    prediction = calls.predicted("batchprop max_epochs=5", samples, seed=3)
    expected = batchprop.train(
        samples.X.T, samples.y[np.newaxis], hidden_size=4, max_epochs=5, n_threads=1
    )
    np.testing.assert_array_equal(prediction.mean, expected.network.predict(samples.X_test.T)[0])
    assert prediction.std is None
    assert prediction.intervals == {}
    assert prediction.stopped == expected.stop_reason
    assert prediction.fit_seconds >= 0
    assert calls.predicted("batchprop alpha=0 max_epochs=2", samples, 0).fit_seconds is None


def test_an_uncertain_call_is_scored_by_its_predictive(samples):
    prediction = calls.predicted("batchprop uncertainty=laplace max_epochs=5", samples, seed=0)
    X_test = samples.X_test.T
    result = batchprop.train(
        samples.X.T, samples.y[np.newaxis], hidden_size=4, max_epochs=5, uncertainty="laplace"
    )
    mean, std = result.predictive.predict(X_test, return_std=True)
    np.testing.assert_array_equal(prediction.mean, mean[0])
    np.testing.assert_array_equal(prediction.std, std[0])
    assert list(prediction.intervals) == ["normal", "conformal", "normalised"]
    for method, name in calls.METHODS.items():
        ends = result.predictive.interval(X_test, 0.9, method=method)
        np.testing.assert_array_equal(prediction.intervals[name], np.array(ends)[:, 0])
    np.testing.assert_allclose(
        norm.cdf(prediction.intervals["normal"][1], prediction.mean, prediction.std), 0.95
    )


def test_a_gaussian_process_has_normal_intervals(samples):
    prediction = calls.predicted("gp-matern", samples, seed=0)
    lower, upper = prediction.intervals["normal"]
    np.testing.assert_allclose(norm.cdf(upper, prediction.mean, prediction.std), 0.95)
    np.testing.assert_allclose(norm.cdf(lower, prediction.mean, prediction.std), 0.05)
    other = calls.predicted("mlp-scaled", samples, seed=0)
    assert other.std is None
    assert other.mean.shape == (7,)


def test_what_is_run_is_what_is_missing_and_affordable(monkeypatch):
    monkeypatch.setattr(calls, "GP_ROWS", 45)
    names = ["batchprop", calls.CROSS_VALIDATED, "gp-matern"]
    splits = tables.drawn_splits(50, 5)
    known = by_key(result("yacht", split=1))
    planned = list(protocol.missing(protocol.Plan(["yacht"], names), "yacht", splits, known))
    assert ("batchprop", 1) not in planned
    assert [k for call, k in planned if call == "batchprop"] == [0, 2, 3, 4]
    assert [k for call, k in planned if call == calls.CROSS_VALIDATED] == [0, 1, 2]
    assert [k for call, k in planned if call == "gp-matern"] == [0, 1, 2, 3, 4]
    monkeypatch.setattr(calls, "GP_ROWS", 44)
    few = list(protocol.missing(protocol.Plan(["yacht"], names, 2), "yacht", splits, {}))
    assert few == [(names[0], 0), (names[1], 0), (names[0], 1), (names[1], 1)]


def test_a_result_has_the_measures_of_its_test_rows(folder, monkeypatch):
    data = tables.Source(folder).load("yacht")
    target = data.y[data.splits[1].test, 0]

    def predicted(call, samples, seed):
        assert (samples.X.shape, samples.hidden_size, seed) == ((54, 6), 50, 1)
        ends = target - np.r_[1.0, -0.5 * np.ones(5)], target + 1
        return calls.Prediction(target + 2, np.full(6, 2.0), {"normal": ends}, 7.0, 3.0, "tol")

    monkeypatch.setattr(calls, "predicted", predicted)
    expected = -norm.logpdf(2.0, 0, 2.0)
    assert protocol.evaluate("yacht", "batchprop", 1, data) == Result(
        "yacht", "batchprop", 1, pytest.approx(2.0), pytest.approx(expected),
        {"normal": (pytest.approx(1 / 6), pytest.approx(4.5 / 6))}, 7.0, 3.0, "tol", "",
    )  # fmt: skip


def test_a_fit_that_fails_is_told_and_stored(folder, monkeypatch, tmp_path):
    def fails(call, samples, seed):
        raise ValueError("too few\nsecond line")

    monkeypatch.setattr(calls, "predicted", fails)
    failed = protocol.evaluate("yacht", "hgb", 0, tables.Source(folder).load("yacht"))
    assert failed.note == "ValueError: too few"
    path = tmp_path / "uci.json"
    storage.write(path, HEAD, by_key(failed, result("yacht", rmse=1.0)))
    head, results = storage.read(path)
    assert "- yacht, split 0, HistGradientBoosting: ValueError: too few" in report.document(
        results, head
    )


def test_results_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "uci.json"
    rows = by_key(
        result(nll=-0.25, intervals={"normal": (0.9, 3.5)}, fit_seconds=0.5, stopped="tol"),
        result(split=10),
        result(split=9),
    )
    storage.write(path, HEAD, rows)
    head, results = storage.read(path)
    assert head == HEAD
    assert results.keys() == rows.keys()
    assert [key[2] for key in results] == [0, 9, 10]
    stored = results["concrete", "batchprop", 0]
    assert stored._replace(intervals={}) == rows["concrete", "batchprop", 0]._replace(intervals={})
    assert stored.intervals == {"normal": [0.9, 3.5]}
    path.write_text(path.read_text("utf-8").replace('"nll"', '"likelihood"'), "utf-8")
    with pytest.raises(SystemExit, match="has the columns .*likelihood.*omit --resume"):
        storage.read(path)
    path.write_text('{"tables": {}, "splits": {}}', "utf-8")
    with pytest.raises(SystemExit, match="of another version"):
        storage.read(path)


def test_published_rows_are_of_these_tables_and_the_best_has_one_hidden_layer():
    assert best("protein") == (4.27, 0.02)
    assert best("concrete") == (4.70, 0.18)
    assert all(set(row.rmse) | set(row.nll) <= set(tables.TABLES) for row in PUBLISHED)
    likely = {row.title: row.nll["yacht"][0] for row in PUBLISHED if row.nll}
    assert likely["MC dropout, tuned on inner validation (2018)"] == 1.25
    assert len(likely) >= 4


def test_the_report_has_a_table_for_each_measure():
    uncertain = f"batchprop {calls.UNCERTAIN}"
    covered = {"normal": (0.88, 13.0), "conformal": (0.92, 15.0)}
    results = by_key(
        *(result(split=k, rmse=4.5 + 0.1 * k, fit_seconds=1.5) for k in (0, 1)),
        *(result(call=calls.AVERAGED, split=k, rmse=4.4) for k in range(20)),
        result(call=uncertain, nll=2.9, intervals=covered, seconds=9.0),
        result(call=calls.CROSS_VALIDATED, rmse=4.0, seconds=12.0, fit_seconds=2.0),
        result(call="catboost", rmse=4.3),
        result("yacht", call="gp-matern", rmse=0.35, nll=-0.1, intervals={"normal": (0.9, 1.0)}),
    )
    text = report.document(results, HEAD)
    rows = rows_of(report.errors(results))
    assert rows["test RMSE"] == ["concrete", "yacht"]
    assert rows["**batchprop**"] == ["4.55 ± 0.04 (2)", "–"]
    assert rows["**batchprop** `n_init=5 combine=mean`"] == ["4.40 ± 0.00", "–"]
    assert rows["CatBoost"] == ["4.30 (1)", "–"]
    assert f"**batchprop** `{calls.UNCERTAIN}`" not in rows
    rows = rows_of(report.likelihoods(results))
    assert rows[f"**batchprop** `{calls.UNCERTAIN}`"] == ["2.90 (1)", "–"]
    assert rows["GaussianProcess, Matérn"] == ["–", "-0.100 (1)"]
    assert rows["NGBoost, by xgboost-distribution"] == ["3.09", "0.750"]
    lines = report.intervals(results)
    assert f"`{calls.UNCERTAIN}` | normal | 0.880 / 13.0 (1) | – |" in lines
    assert f"`{calls.UNCERTAIN}` | conformal | 0.920 / 15.0 (1) | – |" in lines
    assert rows_of(report.seconds(results))["**batchprop**"] == ["2.00 s (2)", "–"]
    rows = rows_of(report.choices(results))
    assert rows["concrete"] == ["1", "500 ms", "10.0 s", "0.05", "4.50", "4.00"]
    for part in ("- concrete: CatBoost (by 0.200).", "Not run, or not installed: HistGrad",
                 "power, protein and yacht are", "catboost 9.9", "2026-01-01"):  # fmt: skip
        assert part in text


def test_published_rows_are_compared_with_all_splits_only():
    rows = [result(split=k, rmse=4.6) for k in range(20)]
    assert "two hidden layers (2016) (by 0.100)" in report.behind(by_key(*rows))
    assert report.behind(by_key(*rows[1:])).endswith("- concrete: none.")


def test_a_report_without_variances_has_no_tables_of_them():
    text = report.document(by_key(result(rmse=4.0)), HEAD | {"packages": {}})
    assert "likelihood" not in text.split("**Tuning.**")[1]
    assert "intervals" not in text
    assert "What choosing" not in text


def test_a_run_is_resumed_with_what_is_missing(folder, tmp_path, monkeypatch, capsys):
    output = ["--output", str(tmp_path / "out"), "--data", str(folder), "--tables", "yacht"]
    ours = ["--calls", "max_epochs=5 activation=relu alpha=0", "--models"]
    program.main([*output, *ours, "--splits", "1"])
    text = (tmp_path / "out" / "uci.md").read_text("utf-8")
    assert text in capsys.readouterr().out
    assert "**batchprop** `max_epochs=5 activation=relu alpha=0`" in text
    fitted = []
    original = protocol.evaluate
    monkeypatch.setattr(
        protocol, "evaluate", lambda *task: fitted.append(task[:3]) or original(*task)
    )
    program.main([*output, *ours, "mlp-scaled", "--resume"])
    name = "batchprop max_epochs=5 activation=relu alpha=0"
    assert fitted == [("yacht", "mlp-scaled", 0), ("yacht", name, 1), ("yacht", "mlp-scaled", 1)]
    head, results = storage.read(tmp_path / "out" / "uci.json")
    assert len(results) == 4
    assert all(row.rmse > 0 and not row.note for row in results.values())
    assert "scikit-learn" in head["packages"]
    program.main([*output, "--report-only"])
    assert len(fitted) == 3
    program.main([*output, *ours, "--resume", "--again"])
    assert fitted[3:] == [("yacht", name, 0), ("yacht", name, 1)]
    assert len(storage.read(tmp_path / "out" / "uci.json")[1]) == 4


def test_a_model_that_is_not_installed_is_left_out(monkeypatch, capsys):
    absent = models.OTHERS["catboost"]._replace(package="no_such_package")
    monkeypatch.setitem(models.OTHERS, "catboost", absent)
    options = program.parsed(["--calls", "", "--models", "catboost", "hgb"])
    assert program.names(options) == ["batchprop", "hgb"]
    assert "CatBoost is not installed and is left out." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        program.parsed(["--splits", "0"])
