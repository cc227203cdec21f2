"""Summaries as text and as HTML: the same rows, whatever is in them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from batchprop import Network, summary_table, train
from tests.problems import problem

VOID = {"br", "hr", "img", "input", "link", "meta"}
CASE = problem(n_samples=60)


class Parsed(HTMLParser):
    """Rows of a table; fails if tags are not balanced."""

    def __init__(self, source):
        super().__init__()
        self.open, self.cells, self.styles = [], [], []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag not in VOID
        self.open.append(tag)
        self.styles.append(dict(attributes).get("style", ""))
        if tag in ("th", "td", "strong"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td", "strong"):
            self.cells[-1] += data
        else:
            assert not data.strip()

    @property
    def title(self):
        return self.cells[0]

    @property
    def rows(self):
        return dict(zip(self.cells[1::2], self.cells[2::2], strict=True))


def rows_of(text):
    """Return label -> text of aligned lines."""
    pairs = [line.split("  ", 1) for line in text.splitlines()]
    return {label: value.strip() for label, value in pairs}


def test_what_is_empty_is_left_out():
    rows = {"a": "1", "none": "", "longer": "2"}
    assert summary_table.text(rows) == "a       1\nlonger  2"
    assert Parsed(summary_table.html("T", rows)).rows == {"a": "1", "longer": "2"}


def test_nothing_is_markup():
    rows = {"<b>": "a < b & c > d", "'": '"</td>'}
    parsed = Parsed(summary_table.html("<script>", rows))
    assert parsed.rows == rows
    assert parsed.title == "<script>"


@pytest.fixture(scope="module")
def result():
    return train(CASE.X, CASE.T, hidden_size=3, uncertainty="laplace", max_epochs=60)


def test_a_result_shows_its_summary(result):
    parsed = Parsed(result._repr_html_())
    assert parsed.title == "TrainResult"
    assert parsed.rows == rows_of(str(result))
    assert f"RMSE {result.training_errors.rmse[0]:.4g}, " in parsed.rows["training error"]


def test_a_network_shows_its_sizes():
    network = Network.initialize(3, 5, 2, activation="relu", dtype="float32")
    parsed = Parsed(network._repr_html_())
    assert parsed.title == "Network 3-5-2"
    assert parsed.rows == {
        "inputs": "3",
        "hidden units": "5, relu",
        "outputs": "2",
        "parameters": "32, float32",
    }


def test_a_predictive_shows_what_it_knows(result):
    predictive = result.predictive
    parsed = Parsed(predictive._repr_html_())
    assert parsed.title == "Predictive"
    assert parsed.rows == rows_of(str(predictive))
    errors = ", ".join(f"{value:.4g}" for value in predictive.error_std)
    noise = ", ".join(f"{value:.4g}" for value in predictive.noise_std)
    assert parsed.rows["error left out"] == f"RMSE {errors}"
    assert parsed.rows["noise"] == f"standard deviation {noise}"
    assert parsed.rows["network"] == "3-3-2, tanh, float64, 20 parameters"
    assert parsed.rows["calibrated by"] == "folds"
    assert parsed.rows["effective"] == f"γ = {predictive.n_effective:.3g} of 20 parameters"


def test_a_predictive_that_nothing_calibrated(result):
    with pytest.warns(UserWarning, match="fewer than 10 distinct samples"):
        few = train(
            CASE.X[:, :8], CASE.T[:, :8], hidden_size=2, alpha=0.1, uncertainty="laplace"
        ).predictive
    assert rows_of(str(few))["calibrated by"] == "nothing"
    assert "error left out" not in rows_of(str(few))
    assert "nan" not in str(few).lower()


def test_no_colour_is_set(result):
    for shown in (result, result.network, result.predictive):
        styles = " ".join(Parsed(shown._repr_html_()).styles)
        assert "color" not in styles
        assert "background" not in styles
