"""``batchprop predict`` and ``batchprop evaluate``: models that are used on tables."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from batchprop.cli import model as models
from tests.cli.command_lines import FAST


def table_of(text):
    names, *rows = csv.reader(io.StringIO(text))
    return names, np.array(rows, float)


def inputs_of(table):
    """Return the network's inputs for a table of ``Runner.table``, (e, N)."""
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array(
        [
            [float(row["a"]), float(row["b"]), *(row["kind"] == level for level in "uvw")]
            for row in rows
        ]
    ).T


def test_predictions_are_those_of_the_network(run, model):
    outcome = run("predict", "model.npz", model)
    assert (outcome.code, outcome.err) == (0, "")
    names, values = table_of(outcome.out)
    assert names == ["y", "z"]
    expected = models.load("model.npz").network.predict(inputs_of(model))
    np.testing.assert_array_equal(values.T, expected)


def test_columns_may_come_in_any_order(run, model):
    run.write("new.csv", "kind;b;more;a\nv;0.5;x;1\nu;1;y;2\n")
    names, values = table_of(run("predict", "model.npz", "new.csv").out)
    network = models.load("model.npz").network
    expected = network.predict([[1.0, 2.0], [0.5, 1.0], [0, 1], [1, 0], [0, 0]])
    np.testing.assert_array_equal(values.T, expected)


def test_from_standard_input_to_a_file(run, model):
    text = (run.folder / model).read_bytes()
    outcome = run("predict", "model.npz", "-", "-o", "out.csv", stdin=text)
    assert (outcome.code, outcome.out) == (0, "")
    assert "60 rows written to out.csv" in outcome.err
    assert (run.folder / "out.csv").read_text() == run("predict", "model.npz", model).out


def test_rows_outside_of_the_training_data_are_counted(run, model):
    run.write("new.csv", "a,b,kind\n1e6,0,u\n0,0,u\n")
    outcome = run("predict", "model.npz", "new.csv")
    assert outcome.code == 0
    assert "1 of 2 rows are outside the range of the training data in 'a'" in outcome.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", "lacks the column 'kind'"),
        ("a,b,kind\n1,2,x\n", "line 2, column 'kind': the model does not know the category 'x'"),
        ("a,b,kind\n1,,u\n", "1 of 1 rows is incomplete"),
        ("a,b,kind\n1,two,u\n", "not numbers: column 'b'"),
    ],
)
def test_tables_that_do_not_fit(run, model, text, expected):
    run.write("new.csv", text)
    outcome = run("predict", "model.npz", "new.csv")
    assert (outcome.code, outcome.out) == (3, "")
    assert expected in outcome.err


def test_incomplete_rows_are_left_out_if_asked_for(run, model):
    run.write("new.csv", "a,b,kind\n1,,u\n1,2,v\n")
    outcome = run("predict", "model.npz", "new.csv", "--drop-incomplete")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 2
    assert "1 of 2 rows is incomplete" in outcome.err


def test_a_model_without_a_header(run):
    table = run.table(header=False)
    options = ("--no-header", "--target", "4", "--inputs", "2,1", "-o", "m.npz")
    assert run("train", table, *options, *FAST).code == 0
    whole = table_of(run("predict", "m.npz", table).out)
    values = np.genfromtxt(table, delimiter=",", usecols=(1, 0))
    run.write("inputs.csv", "\n".join(f"{b!r},{a!r}" for b, a in values.tolist()) + "\n")
    inputs_alone = table_of(run("predict", "m.npz", "inputs.csv").out)
    assert whole[0] == inputs_alone[0] == ["y1"]
    np.testing.assert_array_equal(whole[1], inputs_alone[1])


def test_how_sure_predictions_are(run):
    table = run.table()
    options = ("--target", "y", "--ignore", "kind,z", "--uncertainty", "laplace", "-o", "m.npz")
    assert run("train", table, *options, *FAST).code == 0
    outcome = run("predict", "m.npz", table, "--std", "--interval", "0.5")
    names, values = table_of(outcome.out)
    assert names == ["y", "y_std", "y_lower", "y_upper"]
    predictive = models.load("m.npz").predictive
    X = inputs_of(table)[:2]
    Y, std = predictive.predict(X, return_std=True)
    lower, upper = predictive.interval(X, 0.5)
    np.testing.assert_array_equal(values.T, np.vstack([Y, std, lower, upper]))
    evaluated = json.loads(run("evaluate", "m.npz", table, "--json").out)
    assert evaluated["interval_level"] == 0.9
    assert evaluated["interval_coverage"]["y"] > 0.7
    text = run("evaluate", "m.npz", table).out
    assert "of these rows are in their interval of 90%" in text


def test_a_model_that_does_not_say_how_sure_it_is(run, model):
    for option in (["--std"], ["--interval", "0.9"]):
        outcome = run("predict", "model.npz", model, *option)
        assert outcome.code == 2
        assert "--uncertainty laplace" in outcome.err
    assert run("predict", "model.npz", model, "--interval", "1").code == 2


def test_errors_on_a_table(run, model):
    content = json.loads(run("evaluate", "model.npz", model, "--json").out)
    T = np.genfromtxt(model, delimiter=",", skip_header=1, usecols=(3, 4)).T
    residuals = models.load("model.npz").network.predict(inputs_of(model)) - T
    for o, target in enumerate("yz"):
        errors = content["errors"][target]
        assert errors["network"]["rmse"] == pytest.approx(np.sqrt(np.mean(residuals[o] ** 2)))
        assert errors["network"]["mae"] == pytest.approx(np.mean(np.abs(residuals[o])))
        assert errors["mean"]["r2"] == pytest.approx(0.0, abs=1e-12)
    text = run("evaluate", "model.npz", model).out
    assert "errors on 60 rows of table.csv" in text
    assert f"{content['errors']['z']['network']['rmse']:.4g}" in text


def test_weights_of_rows_count(run, model):
    lines = (run.folder / model).read_text().splitlines()
    weighted = [f"{lines[0]},w", f"{lines[1]},1", *(f"{line},0" for line in lines[2:])]
    run.write("weighted.csv", "\n".join(weighted))
    run.write("first.csv", "\n".join(lines[:2]))
    outcome = run("evaluate", "model.npz", "weighted.csv", "--weights", "w", "--json")
    first = run("evaluate", "model.npz", "first.csv", "--json")
    of_first = json.loads(first.out)["errors"]["y"]["network"]
    assert of_first["r2"] is None  # one row has no variance
    assert json.loads(outcome.out)["errors"]["y"]["network"]["rmse"] == of_first["rmse"]


def test_evaluation_needs_targets(run, model):
    run.write("new.csv", "a,b,kind,y\n1,2,u,3\n")
    outcome = run("evaluate", "model.npz", "new.csv")
    assert outcome.code == 3
    assert "lacks the column 'z'" in outcome.err
