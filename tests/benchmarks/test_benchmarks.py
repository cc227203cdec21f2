"""The benchmarks' own parts: references, reports, and that wrong results are never timed."""

from __future__ import annotations

import json

import numpy as np
import pytest

import batchprop
from benchmarks import data, markdown, report
from benchmarks.cases import by_name, case
from benchmarks.results import COLUMNS, load


@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic", "softplus"])
def test_reference_is_the_naive_engine(activation):
    work = case(3, 4, 2, 17, activation, "float64")
    X, T = data.samples(work)
    start = data.parameters(work)
    network = batchprop.Network(*start, activation=activation)
    loss, gradient = batchprop.loss_and_gradient(network, X.T, T.T, engine="naive")
    expected_loss, expected = data.gradient(work, X, T, start)
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    blocks = data.Blocks(gradient.W_h, gradient.b_h, gradient.W_y, gradient.b_y)
    assert max(data.block_errors(blocks, expected).values()) < 1e-13


def test_reference_does_not_depend_on_its_blocks(monkeypatch):
    work = case(2, 3, 1, 50, "tanh", "float64")
    found = [data.descent(work, *data.samples(work), data.parameters(work), 0.1, 3)]
    monkeypatch.setattr(data, "BLOCK", 7)
    found.append(data.descent(work, *data.samples(work), data.parameters(work), 0.1, 3))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    assert max(data.block_errors(found[0][1], found[1][1]).values()) < 1e-12


def test_work_is_counted_as_the_formulas_do_it():
    work = case(8, 50, 1, 9568, "tanh", "float32")
    products = 8 + 8 + 1 + 1 + 1  # W_h X and δ_h Xᵀ; W_y H, W_yᵀ δ_y and δ_y Hᵀ
    assert work.flops == 2 * 9568 * 50 * products
    assert work.n_parameters == 501
    with pytest.raises(ValueError, match="same name"):
        by_name([work, work])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (2.5e-10, "0.250 ns"),
        (1.234e-6, "1.23 µs"),
        (0.0999, "99.9 ms"),
        (132.6, "133 s"),
    ],
)
def test_durations_have_three_digits(seconds, text):
    assert markdown.duration(seconds) == text


def test_ratios_say_which_rows_are_lost():
    assert markdown.ratio(2.345) == "2.35×"
    assert markdown.ratio(0.5) == "0.500× (slower)"
    assert markdown.bold_least(["a", "b", "c"], [2.0, 1.0, None]) == ["a", "**b**", "c"]


def test_a_file_is_filled_between_its_markers(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n", "utf-8")
    for _ in range(2):
        markdown.fill(path, "bench", "new \\1\n")
    assert path.read_text("utf-8") == (
        "before\n<!-- bench:start -->\nnew \\1\n<!-- bench:end -->\nafter\n"
    )
    with pytest.raises(SystemExit, match="peers:start"):
        markdown.fill(path, "peers", "new")


def measured(title, group, seconds, **info):
    return {
        "name": title,
        "group": group,
        "extra_info": info,
        "stats": {"median": seconds},
    }


@pytest.fixture
def suite_json(tmp_path):
    """What pytest-benchmark writes, as far as the report reads it."""
    benchmarks = []
    for group, sizes in (("step", [100]), ("train", [100]), ("sweep", [10, 100, 1000])):
        for n_samples in sizes:
            work = case(8, 50, 1, n_samples, "tanh", "float32")
            for place, (engine, threads) in enumerate(COLUMNS):
                info = {**work._asdict(), "net": work.net, "engine": engine, "threads": threads}
                # naive 1 s, then ever faster, but for fused on all cores, which loses
                seconds = 3.0 if (engine, threads) == ("fused", "all") else 10.0**-place
                more = {"epochs": 2} if group == "train" else {}
                benchmarks.append(measured(group, group, seconds, **info, **more, loss=0.5))
    starts = [{"import": 0.1, "first_train": None, "loss": None}]
    benchmarks.append(measured("test_import", "cold", 0.3, measured=starts))
    path = tmp_path / "pytest.json"
    path.write_text(json.dumps({"datetime": "2026-01-02T03:04", "benchmarks": benchmarks}), "utf-8")
    return path


def test_report_has_tables_ratios_losing_rows_and_a_plot(suite_json, tmp_path, monkeypatch, capsys):
    words = ["report", str(suite_json), "--output", str(tmp_path)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr("benchmarks.machine.cores", lambda: [0, 1])
    report.main()
    text = (tmp_path / "engines.md").read_text("utf-8")
    assert text in capsys.readouterr().out
    (row,) = [line for line in text.splitlines() if "| 100 | tanh, float32 | 1.00 s" in line][:1]
    assert "**1.00 ms**" in row
    assert "1000×" in row
    assert "(slower)" in row
    assert "500 ms" in text  # an epoch of two that took a second
    for part in ("numpy", "batchprop 0", "2026-01-02", "2 cores", "`import batchprop` | 100 ms"):
        assert part in text
    assert (tmp_path / "engines.png").read_bytes().startswith(b"\x89PNG")
    figures = json.loads((tmp_path / "engines.json").read_text("utf-8"))
    assert len(figures["sweep"]) == 3
    assert figures["machine"]["blas"]


def test_no_plot_is_reported_where_there_was_no_sweep(suite_json, tmp_path, monkeypatch, capsys):
    content = json.loads(suite_json.read_text("utf-8"))
    kept = [row for row in content["benchmarks"] if row["group"] != "sweep"]
    suite_json.write_text(json.dumps(content | {"benchmarks": kept}), "utf-8")
    monkeypatch.setattr("sys.argv", ["report", str(suite_json), "--output", str(tmp_path)])
    report.main()
    assert not (tmp_path / "engines.png").exists()
    assert "engines.png" not in capsys.readouterr().out


def test_one_core_has_no_columns_for_all_cores(suite_json, monkeypatch):
    monkeypatch.setattr("benchmarks.machine.cores", lambda: [0])
    results = load(suite_json)
    assert results.columns() == ["naive", "vectorized", "fused"]
    assert np.isclose(results.step[0].times_as_fast("fused", "vectorized"), 100)
    assert "all cores" not in report.engines_table(results, results.step)
