"""The UCI tables: the rule for splits, and OpenML's columns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.uci import tables


def test_splits_follow_the_benchmarks_rule():
    first, second = tables.drawn_splits(50, 2)
    assert len(first.train) == 45
    assert sorted([*first.train, *first.test]) == list(range(50))
    assert list(first.train) != list(second.train)
    rng = np.random.RandomState(1)  # noqa: NPY002
    assert first.train[0] == rng.choice(range(50), 50, replace=False)[0]


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
    dataset = SimpleNamespace(
        feature_names=["area", "cooling_load", "height"],
        target_names=["heating_load"],
        data=rng.normal(size=(n, 3)),
        target=rng.normal(size=n).astype(str).astype(object),
    )
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda **options: dataset)
    loaded = tables.Source().load("energy")
    np.testing.assert_array_equal(loaded.X, dataset.data[:, [0, 2]])
    np.testing.assert_array_equal(loaded.y[:, 0], dataset.target.astype(float))
    assert len(loaded.splits) == 20
    dataset.data, dataset.target = dataset.data[1:], dataset.target[1:]
    with pytest.raises(SystemExit, match="not the table of 768 rows"):
        tables.Source().load("energy")
