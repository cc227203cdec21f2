"""The pairs of docs/coming-from*.md: what is compared and reported, and what the pages quote."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import batchprop
from benchmarks.coming_from import __main__ as coming_from
from benchmarks.coming_from import pairs
from tests.project import ROOT

QUOTED = re.compile(
    r"<!-- not run: [^>]*coming_from/sides/(\w+\.py)[^>]*-->\n```python\n(.*?)```", re.S
)
PAGES = sorted((ROOT / "docs").glob("coming-from-*.md"))


@pytest.fixture(scope="module")
def data():
    whole = pairs.samples()
    return pairs.Samples(whole.x[:40], whole.t[:40], whole.x_new[:50], whole.t_new[:50])


def test_samples_are_standardised_by_the_training_rows():
    whole = pairs.samples()
    assert whole.x.shape == (pairs.N_TRAIN, 10)
    assert whole.t_new.shape == (1000, 1)
    assert np.allclose(whole.x.mean(axis=0), 0.0)
    assert np.allclose(whole.t.std(), 1.0)
    assert not np.allclose(whole.t_new.mean(), 0.0, atol=1e-6)


def test_weights_of_nnet_are_biases_before_weights():
    weights = np.arange(1.0, 10.0) / 10.0  # 2 units of 2 inputs, then the output
    x = np.array([0.3, -0.7])
    h = 1.0 / (
        1.0 + np.exp(-np.array([0.1 + 0.2 * x[0] + 0.3 * x[1], 0.4 + 0.5 * x[0] + 0.6 * x[1]]))
    )
    network = pairs.network_of_nnet(weights, 2, 2)
    assert np.allclose(network.predict(x[:, np.newaxis]), 0.7 + 0.8 * h[0] + 0.9 * h[1])


def test_adam_is_compared_weight_by_weight(data):
    network = pairs.start()
    X, T = data.x.T, data.t.T
    theta, mean, square = network.theta.copy(), 0.0, 0.0
    for step in range(1, 4):
        current = batchprop.Network.from_theta(theta, network.shape)
        g = batchprop.loss_and_gradient(current, X, T)[1].theta
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
        unbiased = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        theta = theta - pairs.RATE * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    theirs = {"theta": theta, "predictions": np.zeros(50)}
    row = pairs.adam(data, theirs, 3, 1e-8)[0]
    assert float(row.ours) < 1e-12
    theirs["theta"] = theta + 0.5
    assert float(pairs.adam(data, theirs, 3, 1e-8)[0].ours) > 0.1


def test_the_objective_of_scikit_learn_is_half_of_ours(data):
    rows = pairs.scikit_learn(data, 1)
    assert float(rows[0].ours) < 1e-10
    assert {"objective reached", "held-out RMSE"} <= {row.what for row in rows}


def test_the_report_has_every_row_and_names_what_is_left_out():
    rows = [pairs.Row("held-out RMSE", "0.5", "0.4")]
    text = coming_from.document({"tool 1.0": rows}, ["keras_adam"], 10, 0.2, "2026-01-01")
    assert "| held-out RMSE | 0.5 | 0.4 |" in text
    assert "left out: keras_adam" in text
    assert "0.20" in text


def test_a_tool_that_is_not_installed_is_left_out(tmp_path, capsys):
    assert coming_from.side("nothing", sys.executable, tmp_path / "arrays.npz", 1) is None
    assert "nothing is left out" in capsys.readouterr().err


def test_pages_quote_the_scripts_that_ran():
    quotes = [quote for page in PAGES for quote in QUOTED.findall(page.read_text("utf-8"))]
    assert {name for name, _ in quotes} == {"pytorch.py", "keras_adam.py", "pyrenn_lm.py"}
    for name, code in quotes:
        script = (coming_from.SIDES / name).read_text("utf-8")
        lines = {line.strip() for line in script.splitlines()}
        assert not [line for line in code.splitlines() if line.strip() not in lines], name
    fit = "nnet(x, y, size = 20, linout = TRUE, decay = 1, maxit = 1000"
    assert fit in (ROOT / "docs" / "coming-from-r.md").read_text("utf-8")
    assert fit in (coming_from.SIDES / "nnet.py").read_text("utf-8")
