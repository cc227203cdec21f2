"""``batchprop train``: what it prints, what it saves, what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchprop import Network
from batchprop.cli import model as models
from tests.cli.command_lines import AUTO_MPG, FAST


def trained(run, table, *options, target="y", name="model.npz"):
    """Train, and return the JSON that was printed and the model."""
    outcome = run("train", table, "--target", target, "-o", name, "--json", *FAST, *options)
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out), models.load(run.folder / name)


def test_a_real_table(run):
    outcome = run("train", AUTO_MPG, "--target", "mpg", "--report", "report.html")
    assert outcome.code == 0
    assert sorted(path.name for path in run.folder.iterdir()) == ["auto_mpg.npz", "report.html"]
    model = models.load("auto_mpg.npz")
    errors = model.table.measures["held_out"]["errors"]["mpg"]
    assert model.table.measures["held_out"]["rows"] == 78
    assert errors["network"]["rmse"] < 3.1 < errors["linear least squares"]["rmse"] < 4.0
    assert 7.0 < errors["mean"]["rmse"] < 9.0
    assert f"{errors['network']['rmse']:.4g}" in outcome.out
    assert "auto_mpg.npz, trained on all 392 rows" in outcome.out
    assert "78 rows are held out" in outcome.err


def test_the_held_out_errors_are_those_of_rows_that_were_not_seen(run):
    table = run.table()
    content, model = trained(run, table, "--ignore", "kind,z", "--no-refit-all")
    values = np.genfromtxt(table, delimiter=",", skip_header=1, usecols=(0, 1, 3))
    mask = np.zeros(60, bool)
    mask[np.random.default_rng(0).permutation(60)[:12]] = True
    Y = model.network.predict(values[mask, :2].T)[0]
    rmse = np.sqrt(np.mean((Y - values[mask, 2]) ** 2))
    assert content["held_out"]["rows"] == 12
    assert content["held_out"]["errors"]["y"]["network"]["rmse"] == pytest.approx(rmse)
    mean = np.sqrt(np.mean((values[~mask, 2].mean() - values[mask, 2]) ** 2))
    assert content["held_out"]["errors"]["y"]["mean"]["rmse"] == pytest.approx(mean)
    assert content["rows_trained_on"] == 48


def test_the_saved_network_is_trained_on_all_rows(run):
    table = run.table()
    content, model = trained(run, table, "--ignore", "kind,z")
    alone, without = trained(run, table, "--ignore", "kind,z", "--hold-out", "0", name="b.npz")
    assert (content["rows_trained_on"], alone["held_out"]) == (60, None)
    np.testing.assert_array_equal(model.network.theta, without.network.theta)


def test_columns_of_the_model(run):
    content, model = trained(
        run, run.table(), "--target", "z", "--categorical", "kind", "--inputs", "b,kind"
    )
    assert model.table.targets == ["y", "z"]
    assert model.table.network_inputs == ["b", "kind=u", "kind=v", "kind=w"]
    assert tuple(model.network.shape) == (4, 3, 2)
    assert set(content["training"]) == {"y", "z"}
    column = model.table.inputs[0]
    values = np.genfromtxt("table.csv", delimiter=",", skip_header=1, usecols=1)
    assert (column.minimum, column.maximum) == (values.min(), values.max())


def test_options_reach_the_training(run):
    content, model = trained(
        run, run.table(), "--ignore", "kind",
        *("--activation", "relu", "--solver", "lbfgs", "--alpha", "0.5,0.25"),
        *("--n-init", "3", "--combine", "mean", "--seed", "7", "--threads", "1"),
    )  # fmt: skip
    assert content["activation"] == model.network.activation == "relu"
    assert (content["solver"], content["alpha"]) == ("lbfgs", [0.5, 0.25])
    assert model.network.shape.n_hidden == 9


def test_weights_of_rows(run):
    rows = "\n".join(f"{k},{2 * k},{k % 2}" for k in range(20))
    bad = "\n".join(f"{k},{-5 * k},0" for k in range(20))
    table = run.write("t.csv", f"x,y,w\n{rows}\n{bad}\n")
    content, model = trained(run, table, "--weights", "w", "--hold-out", "0.5")
    assert model.table.network_inputs == ["x"]
    assert content["held_out"]["errors"]["y"]["linear least squares"]["rmse"] < 1e-9
    for weights, text in (("-1", "negative"), ("0", "zero in all rows")):
        run.write("w.csv", f"x,y,w\n1,2,{weights}\n2,3,0\n3,5,0\n")
        outcome = run("train", "w.csv", "--target", "y", "--weights", "w")
        assert outcome.code == 3
        assert text in outcome.err


def test_incomplete_rows(run):
    rows = "\n".join(f"{k},{k % 7},{'' if k < 3 else k * k}" for k in range(40))
    table = run.write("t.csv", f"a,b,y\n{rows}\n")
    refused = run("train", table, "--target", "y")
    assert refused.code == 3
    assert "3 of 40 rows are incomplete (missing cells: 3 in 'y')" in refused.err
    assert "--drop-incomplete" in refused.err
    content, _ = trained(run, table, "--drop-incomplete")
    assert (content["rows"], content["rows_dropped"]) == (37, 3)
    options = [option for option in FAST if option != "--quiet"]
    dropped = run("train", table, "--target", "y", "--drop-incomplete", *options)
    assert "3 of 40 rows are incomplete" in dropped.err
    assert "37 rows (3 incomplete ones dropped)" in dropped.out


def test_standard_input_and_no_header(run):
    text = (run.folder / run.table(header=False)).read_bytes()
    outcome = run(
        *("train", "-", "--no-header", "--target", "4", "--inputs", "1,2", *FAST), stdin=text
    )
    assert outcome.code == 0, outcome.err
    model = models.load("model.npz")
    assert (model.table.header, model.table.network_inputs) == (False, ["1", "2"])
    assert model.table.n_columns == 5


def test_constant_columns_are_named(run):
    rows = "\n".join(f"{k},5,{k * k}" for k in range(30))
    table = run.write("t.csv", f"a,b,y\n{rows}\n")
    outcome = run("train", table, "--target", "y", *[o for o in FAST if o != "--quiet"])
    assert outcome.code == 0
    assert "constant column without effect: 'b'" in outcome.err


@pytest.mark.parametrize(
    ("text", "options", "code", "expected"),
    [
        ("a,y\n1,2\n", (), 3, "one complete row"),
        ("a,y\n1,2\n2,3\n3,1\n", (), 3, "too few to hold out 20%.*--hold-out 0"),
        ("a,y\n1,2\n2,2\n3,2\n", (), 3, "'y' is 2 in every row"),
        ("a,y\n1,2\n", ("--hidden-size", "0"), 2, "--hidden-size.*at least 1"),
        ("a,y\n1,2\n", ("--alpha", "evidenc"), 2, "Did you mean 'evidence'"),
        ("a,y\n1,2\n", ("--activation", "sigmoid"), 2, "Did you mean 'logistic'"),
        ("a,y\n1,2\n", ("--hold-out", "1"), 2, "--hold-out"),
        ("a,y\n1,2\n", ("--max-seconds", "0"), 2, "--max-seconds.*above 0"),
        ("a,y\n1,2\n", ("-o", "nowhere/model.npz"), 3, "Make 'nowhere' first"),
        ("a,y\n1,2\n", ("--report", "nowhere/report.html"), 3, "Make 'nowhere' first"),
        (
            "a,y\n" + "1,2\n2,1\n" * 9,
            ("--hidden-size", "9999999999"),
            2,
            "--hidden-size must leave",
        ),
        ("a,y\n" + "1,2\n2,1\n" * 9, ("--solver", "gd", "--alpha", "cv"), 0, ""),
    ],
)
def test_mistakes(run, text, options, code, expected):
    run.write("t.csv", text)
    outcome = run("train", "t.csv", "--target", "y", "--max-epochs", "3", *options)
    assert outcome.code == code, outcome.err
    assert "Traceback" not in outcome.err
    assert all(part in outcome.err for part in expected.split(".*"))


def test_a_file_that_is_no_model_is_not_replaced_by_default(run):
    table = run.table()
    np.savez("table.npz", measurements=np.ones(3))
    outcome = run("train", table, "--target", "y", "--ignore", "kind", *FAST)
    assert outcome.code == 3
    assert "no model made by batchprop train. Name another file by -o" in outcome.err
    Network.initialize(1, 2, 1).save("other.npz")
    trained(run, table, "--ignore", "kind", name="other.npz")  # the user says so


def test_limits_of_the_user_are_no_failure(run):
    content, _ = trained(run, run.table(), "--ignore", "kind", "--max-epochs", "2")
    assert (content["stop_reason"], content["converged"]) == ("max_epochs", False)


def test_training_that_does_not_converge(run):
    table = run.table()
    # steps of the default length along the gradient end at the solver's own limit
    outcome = run(
        *("train", table, "--target", "y", "--ignore", "kind", "--solver", "gd"),
        *("--hidden-size", "3", "--hold-out", "0"),
    )
    assert outcome.code == 4
    assert "did not converge" in outcome.err
    assert (run.folder / "table.npz").exists()


def test_time_that_is_up_before_the_first_step(run):
    outcome = run(
        *("train", run.table(n_rows=5000), "--target", "y", "--ignore", "kind"),
        *("--max-seconds", "1e-9", "--hold-out", "0"),
    )
    assert outcome.code == 4
    assert "nothing was saved" in outcome.err
    assert not (run.folder / "table.npz").exists()


def test_uncertainty_is_measured_and_saved(run):
    content, model = trained(run, run.table(), "--ignore", "kind", "--uncertainty", "laplace")
    assert model.predictive is not None
    assert 0.0 < content["held_out"]["interval_coverage"]["y"] <= 1.0
