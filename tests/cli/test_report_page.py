"""The report: one page with the errors and pictures, or without them."""

from __future__ import annotations

import base64
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from batchprop import Network
from batchprop.cli import report_pictures
from tests.cli.command_lines import FAST


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects texts and pictures."""

    VOID = {"meta", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.pictures = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.pictures.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)


def page(run, *options, names=("a", "b", "kind", "y", "z"), category="u"):
    table = run.table()
    header = ",".join(names)
    lines = (run.folder / table).read_text().splitlines()
    rows = [line.replace(",u,", f",{category},") for line in lines[1:]]
    run.write(table, "\n".join([header, *rows]))
    outcome = run(
        *("train", table, "--target", names[3], "--target", "z", "--categorical", "kind"),
        *("--report", "report.html", "-o", "my model.npz", *FAST, *options),
    )
    assert outcome.code == 0, outcome.err
    return Page((run.folder / "report.html").read_text("utf-8")), outcome


@pytest.mark.parametrize("hold_out", ["0.2", "0"])
def test_a_page_with_pictures(run, hold_out):
    pytest.importorskip("matplotlib")
    report, _ = page(run, "--hold-out", hold_out)
    assert len(report.pictures) == 2 * 3 + 1
    for picture in report.pictures:
        head, data = picture["src"].split(",")
        assert head == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
        assert picture["alt"]
    assert ("linear least squares" in report.text) == (hold_out != "0")
    assert "batchprop predict 'my model.npz' new.csv" in report.text
    assert "'kind=u', 'kind=v', 'kind=w'" in report.text


def test_a_page_without_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report, _ = page(run)
    assert not report.pictures
    assert 'pip install "batchprop[plot]"' in report.text


def test_names_are_no_markup(run):
    names = ("<b>a</b>", "b", "kind", "<i>&y", "z")
    report, _ = page(run, names=names, category="<u>")
    assert "<b>a</b>" in report.text
    assert "<u>, v, w" in report.text
    assert not re.search(r"<b>|<i>|<u>", (run.folder / "report.html").read_text("utf-8"))


def test_a_report_in_a_folder(run):
    outcome = run(
        *("train", run.table(), "--target", "y", "--ignore", "kind", "--report", "reports/"),
        *FAST,
    )
    assert outcome.code == 0
    assert (run.folder / "reports" / "report.html").exists()


def test_pictures_are_the_same_every_time():
    pytest.importorskip("matplotlib")
    network = Network([[1.0]], [0.0], [[1.0]], [0.0])
    X = np.linspace(-1.0, 1.0, 20_000)[:, np.newaxis]
    rows = network, X, X**2, None, ["$y_1$"], 0
    pictures = [
        [
            report_pictures.predicted_against_true(*rows),
            report_pictures.residuals(*rows),
            report_pictures.importance(["a", "$b"], np.array([1.0, -0.1]), "y"),
        ]
        for _ in range(2)
    ]
    assert pictures[0] == pictures[1]
    # many points are counted in cells, so that the page stays small
    assert max(map(len, pictures[0])) < 1_000_000
