"""The verdict of a report over its rows, and what it sums up, from rows that are written down."""

from __future__ import annotations

import pytest

from batchprop import check_gradient, loss_and_gradient
from batchprop.gradient_check import Comparison, GradientReport
from batchprop.parameters import Blocks, Shape
from tests.problems import problem

BLOCKS = Blocks._fields


def report(**verdicts):
    """A report of two rows for each block, ok but for those that are given."""
    rows = []
    for block in ("loss", *BLOCKS):
        pair = verdicts.get(block, ("ok", "ok"))
        rows += [
            Comparison(block, method, "1 entry", size, size / 2, 2 * size, verdict)
            for method, size, verdict in zip(("one", "two"), (1e-9, 1e-6), pair, strict=True)
        ]
    return GradientReport("engine", Shape(1, 1, 1), "tanh", "float64", 3, tuple(rows))


@pytest.mark.parametrize(
    ("pair", "of_block", "of_loss"),
    [
        (("ok", "ok"), "ok", "ok"),
        (("ok", "inconclusive"), "ok", "inconclusive"),
        (("inconclusive", "ok"), "ok", "inconclusive"),
        (("inconclusive", "inconclusive"), "inconclusive", "inconclusive"),
        (("WRONG", "ok"), "WRONG", "WRONG"),
        (("inconclusive", "WRONG"), "WRONG", "WRONG"),
    ],
)
def test_one_method_is_enough_for_a_block_and_the_loss_needs_both(pair, of_block, of_loss):
    for block in BLOCKS:
        found = report(**{block: pair})
        assert found.verdict(block) == of_block
        assert found.passed == bool(found) == (of_block == "ok")
        assert ("NOT PASSED" in str(found)) == (of_block != "ok")
    found = report(loss=pair)
    assert found.verdict("loss") == of_loss
    assert found.passed == (of_loss == "ok")


def test_numbers_are_those_of_the_methods_that_could_judge():
    found = report(W_h=("ok", "inconclusive"), b_h=("ok", "WRONG"), W_y=("inconclusive",) * 2)
    errors = {"W_h": 1e-9, "b_h": 1e-6, "W_y": 1e-6, "b_y": 1e-6}
    assert found.relative_errors == errors
    assert found.floors == {block: error / 2 for block, error in errors.items()}
    assert found.tolerances == {block: 2 * error for block, error in errors.items()}
    by_method = found.relative_errors_by_method
    assert by_method == {"one": dict.fromkeys(BLOCKS, 1e-9), "two": dict.fromkeys(BLOCKS, 1e-6)}


def test_the_loss_that_is_differenced_is_checked_on_its_own():
    """A float32 network: the loss it is told is right, the one in float64 is not."""
    net, X, T, _ = problem(dtype="float32")

    def wrong(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        return loss + (0.5 if network.dtype == "float64" else 0.0), gradient

    rows = {one.method: one for one in check_gradient(net, X, T, engine=wrong).of("loss")}
    assert rows["returned"].verdict == "ok"
    assert rows["differenced"].verdict == "WRONG"
    assert rows["differenced"].relative_error > 0.01


def test_a_gradient_is_judged_by_the_coarser_of_two_dtypes():
    """Computed in float32 and handed over in float64 it has no more digits than before."""
    net, X, T, _ = problem(dtype="float32")

    def wider(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        return loss, gradient.theta.astype("float64")

    report = check_gradient(net, X, T, engine=wider)
    assert report.passed, str(report)
    assert min(report.relative_errors.values()) > 1e-9


def test_notes_stand_below_the_table():
    net, X, T, _ = problem()

    def wrong(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        return loss, 2.0 * gradient.theta

    lines = str(check_gradient(net, X, T, engine=wrong, alpha=0.0)).splitlines()
    assert "W_h, complex step: all of it is 2 times what is expected" in lines
    assert "alpha" not in lines[1]
    given = check_gradient(net, X, T, engine="vectorized", alpha=(0.5, 0.25))
    assert str(given).splitlines()[1].endswith("40 samples, alpha 0.5 and 0.25")
    given = check_gradient(net, X, T, engine="vectorized", alpha=0.5)
    assert str(given).splitlines()[1].endswith("40 samples, alpha 0.5")
