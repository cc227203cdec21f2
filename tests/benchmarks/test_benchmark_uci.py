"""The protocol on the UCI tables, with made-up tables in the place of theirs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.uci import __main__ as program
from benchmarks.uci import protocol, report, tables
from benchmarks.uci.published import PUBLISHED, best


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(3.0, 2.0, (60, 6))
    parts = {}
    for k, (train, test) in enumerate(tables.drawn_splits(60, 2)):
        parts |= {f"train_{k}": train, f"test_{k}": test}
    np.savez(tmp_path / "yacht.npz", X=X, y=5 + X[:, :1], **parts)
    return tmp_path


def test_splits_follow_the_benchmarks_rule():
    first, second = tables.drawn_splits(50, 2)
    assert len(first.train) == 45
    assert sorted([*first.train, *first.test]) == list(range(50))
    assert list(first.train) != list(second.train)
    rng = np.random.RandomState(1)  # noqa: NPY002
    assert first.train[0] == rng.choice(range(50), 50, replace=False)[0]


def test_a_folder_without_the_table_is_told(folder, monkeypatch):
    assert len(tables.Source(folder).load("yacht").splits) == 2
    monkeypatch.setenv(tables.VARIABLE, str(folder))
    with pytest.raises(SystemExit, match="There is no .*power.npz"):
        tables.Source().load("power")


def test_without_folder_or_network_one_error_says_what_to_do(monkeypatch):
    def fails(**options):
        raise OSError("no route")

    monkeypatch.delenv(tables.VARIABLE, raising=False)
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fails)
    with pytest.raises(SystemExit, match="neither in a folder nor .*no route.*--data FOLDER"):
        tables.Source().load("yacht")


def test_openmls_columns_are_put_in_order(monkeypatch):
    n = tables.TABLES["energy"].n
    rng = np.random.default_rng(0)
    found = SimpleNamespace(
        feature_names=["area", "cooling_load", "height"],
        target_names=["heating_load"],
        data=rng.normal(size=(n, 3)),
        target=rng.normal(size=n).astype(str).astype(object),
    )
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda **options: found)
    samples = tables.Source().load("energy")
    np.testing.assert_array_equal(samples.X, found.data[:, [0, 2]])
    np.testing.assert_array_equal(samples.y[:, 0], found.target.astype(float))
    assert len(samples.splits) == 20
    found.data, found.target = found.data[1:], found.target[1:]
    with pytest.raises(SystemExit, match="not the table of 768 rows"):
        tables.Source().load("energy")


def test_errors_are_means_over_splits_in_the_targets_units(folder):
    samples = tables.Source(folder).load("yacht")
    results = protocol.run(samples, "yacht", {"max_epochs": 3}, None, lambda one: None)
    assert [one.split for one in results] == [0, 1]
    values = [2.0, 4.0]
    made = [one._replace(rmse=value) for one, value in zip(results, values, strict=True)]
    found = protocol.summary(made)
    assert found["rmse"] == 3.0
    assert found["standard_error"] == pytest.approx(1 / np.sqrt(2))


def test_the_best_published_row_is_of_one_hidden_layer():
    assert best("protein") == (4.27, 0.02)
    assert best("concrete") == (4.70, 0.18)
    assert all(set(one.rmse) <= set(tables.TABLES) for one in PUBLISHED)
    one = {
        "rmse": 5.0,
        "standard_error": 0.1,
        "train_rmse": 1.0,
        "seconds": 2.0,
        "splits": 20,
        "cpu_seconds": 3.0,
    }
    assert report.behind({"concrete": one}).endswith("concrete (by more than the standard error).")
    assert "less than the standard" in report.behind({"concrete": one | {"rmse": 4.8}})
    assert "At or below" in report.behind({"concrete": one | {"rmse": 4.0}})


def test_a_run_from_end_to_end(folder, tmp_path, monkeypatch, capsys):
    words = ["--data", str(folder), "--tables", "yacht", "--splits", "1", "--threads", "1"]
    output = ["--output", str(tmp_path / "made"), "--option", "max_epochs=5", "activation=relu"]
    monkeypatch.setattr("sys.argv", ["uci", *words, *output])
    program.main()
    text = (tmp_path / "made" / "uci.md").read_text("utf-8")
    for part in ("**batchprop**", "0.67", "1 of 20", "activation='relu'"):
        assert part in text
    assert text in capsys.readouterr().out
    figures = json.loads((tmp_path / "made" / "uci.json").read_text("utf-8"))
    assert figures["splits"]["yacht"][0]["rmse"] > 0
    assert figures["setting"] == {"max_epochs": 5, "activation": "relu"}
