"""The gradient check's numbers, each on both sides: what passes, what is wrong, what is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import check_gradient, loss_and_gradient
from batchprop.gradient_check import check, finite_differences, rounding
from batchprop.gradient_check.compare import Allowed, compare, relative_size
from batchprop.gradient_check.complex_step import LossAndGradient
from batchprop.gradient_check.finite_differences import Differences, default_probes, directions
from batchprop.gradient_check.problem import Problem
from batchprop.parameters import Shape
from tests.problems import problem

LIMIT = {"float64": 1e-9, "float32": 1e-5}  # the relative error that is never held against anyone


def off_by(share, which):
    """A right engine but for an entry of its gradient, or its loss, that is off by a share."""

    def engine(network, X, T, weight):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        flat = gradient.theta.copy()
        if which == "loss":
            loss *= 1 + share
        else:
            flat[7] *= 1 + share
        return loss, flat

    return engine


def exactly(monkeypatch):
    """Let rounding be nothing, so that only what is allowed for the size of a number counts."""

    def none(problem, dtype, cancels):
        return LossAndGradient(0.0, np.zeros_like(problem.theta))

    monkeypatch.setattr(check, "rounding", none)


@pytest.mark.parametrize("which", ["loss", "W_h"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", LIMIT)
def test_the_relative_error_that_is_allowed(dtype, sign, which, monkeypatch):
    exactly(monkeypatch)
    net, X, T, _ = problem(dtype=dtype)
    for factor, verdict in ((0.9, "ok"), (1.1, "WRONG")):
        engine = off_by(sign * factor * LIMIT[dtype], which)
        report = check_gradient(net, X, T, engine=engine)
        methods = {one.method: one.verdict for one in report.of(which)}
        assert methods["returned" if which == "loss" else "complex step"] == verdict, str(report)


@pytest.mark.parametrize("dtype", LIMIT)
def test_an_entry_that_is_off_by_thirty_times_that_is_found(dtype):
    """Also beside the bounds of rounding, which are no wider here."""
    net, X, T, _ = problem(dtype=dtype, activation="softplus")
    assert check_gradient(net, X, T, engine=off_by(0.0, "W_h")).passed
    report = check_gradient(net, X, T, engine=off_by(30 * LIMIT[dtype], "W_h"))
    assert report.verdict("W_h") == "WRONG", str(report)


def test_directions_add_up_as_a_random_sum_does():
    """Six standard deviations of it, and no more, are put down to chance."""
    towards = np.random.default_rng(0).standard_normal((3, 50))
    given = np.ones(50)
    bounds = np.linspace(1.0, 2.0, 50)
    net, X, T, _ = problem(e=10, m=5)
    case = Problem(net.theta, net.shape, net.activation, X, T, None)
    for part in ("engine", "relative"):
        zero = {"method": np.zeros(50), "engine": np.zeros(50), "relative": np.zeros(50)}
        allowed = Allowed(**(zero | {part: bounds}))
        for share, verdict in ((5.9, {"ok", "inconclusive"}), (6.1, {"WRONG"})):
            off = np.array([0.0, share * np.linalg.norm(bounds), 0.0])
            found = Differences(towards @ given + off, np.zeros(3))
            row = check._differences_row(case, "W_h", given, found, towards, allowed)
            assert row.verdict in verdict
            assert row.checked == "3 directions"


def test_entries_add_nothing_up():
    given, towards = np.ones(10), np.eye(10)
    net, X, T, _ = problem(e=2, m=5)
    case = Problem(net.theta, net.shape, net.activation, X, T, None)
    allowed = Allowed(np.full(10, 1e9), np.full(10, 1e-4), np.zeros(10))  # the first is not asked
    for share, verdict in ((0.9e-4, "ok"), (1.1e-4, "WRONG")):
        found = Differences(given + share * (np.arange(10) == 3), np.zeros(10))
        assert (
            check._differences_row(case, "W_h", given, found, towards, allowed).verdict == verdict
        )


def verdict_of(error, method=0.0, engine=1.0):
    """Return the verdict on numbers of size 1 that are all off by ``error``."""
    expected = np.ones(4)
    allowed = Allowed(np.full(4, method), np.full(4, engine), np.zeros(4))
    return compare("W_h", "m", "4 entries", expected + error, expected, allowed)


def test_no_relative_error_above_a_thousandth_passes():
    assert verdict_of(0.99e-3).verdict == "ok"
    assert verdict_of(1.01e-3).verdict == "inconclusive"
    assert verdict_of(1.01).verdict == "WRONG"
    assert verdict_of(0.5).tolerance == 1e-3
    assert verdict_of(0.0, engine=1e-5).tolerance == pytest.approx(1e-5)


def test_a_method_that_cannot_see_a_thousandth_says_nothing():
    assert verdict_of(0.0, method=0.99e-3).verdict == "ok"
    assert verdict_of(0.0, method=1.01e-3).verdict == "inconclusive"


def test_bounds_that_are_met_exactly_are_met():
    assert verdict_of(2.0**-12, engine=2.0**-12).verdict == "ok"
    assert verdict_of(2.0**-12 + 2.0**-40, engine=2.0**-12).verdict == "WRONG"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite(bad):
    assert verdict_of(bad).verdict == "WRONG"
    assert verdict_of(0.0, method=bad).verdict == "inconclusive"
    row = compare("W_h", "m", "", np.ones(1), np.array([bad]), Allowed(*np.ones((3, 1))))
    assert row.verdict == "inconclusive"
    assert "not finite here" in row.note


def test_a_common_factor_is_told_where_it_explains_nine_tenths():
    expected = np.array([1.0, 2.0, -3.0, 4.0])
    allowed = Allowed(*np.full((3, 4), 1e-12))

    def note(given):
        return compare("W_h", "m", "", given, expected, allowed).note

    assert note(1.5 * expected) == "all of it is 1.5 times what is expected"
    off = np.array([0.0, 0.0, 4.0, 3.0]) / 5 * np.linalg.norm(expected)  # at right angles
    assert expected @ off == pytest.approx(0.0, abs=1e-12)
    assert "1.5 times" in note(1.5 * expected + 0.04 * off)
    assert note(1.5 * expected + 0.06 * off).startswith("W_h[")


def test_sizes_relative_to_nothing():
    assert relative_size(np.zeros(2), np.zeros(2)) == 0.0
    assert relative_size(np.array([0.0, 1e-300]), np.zeros(2)) == np.inf
    assert relative_size(np.array([np.nan]), np.ones(1)) == np.inf
    assert relative_size(np.array([3e300, 4e300]), np.array([1e300, 0.0])) == pytest.approx(5.0)


@pytest.mark.parametrize(("loops", "work"), [(False, 4e9), (True, 8e6)])
def test_how_many_differences_a_block_may_cost(loops, work):
    """Sixteen losses a derivative, four for each block, within the work that is allowed."""
    shape = Shape(3, 10, 2)
    n_samples = int(work / (16 * 100 * 10 * 15))
    assert default_probes(shape, n_samples, loops) == pytest.approx(100, rel=0.03)
    assert default_probes(shape, 1, loops) == 512
    assert default_probes(shape, 10**9, loops) == 4


def test_as_many_probes_as_entries_are_the_entries():
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(directions(5, 5, rng), np.eye(5))
    assert directions(6, 5, rng).shape == (5, 6)


def steps(block, activation="tanh", sizes=(1, 1, 1), shift=0.0):
    """Return the steps of a block whose unit steps move z and y by 1 and residuals are 2."""
    X = np.ones((1, 4))
    theta = np.array([shift, 0.0, 0.0, 2.0])
    case = Problem(theta, Shape(*sizes), activation, X, np.zeros((1, 4)), None)
    return finite_differences._steps(case, block, np.eye(1))


def test_how_far_differences_step():
    assert steps("b_h")[0] == pytest.approx([1e-4])  # of z
    assert steps("b_y")[0] == pytest.approx([2e-2])  # a hundredth of the residuals' size


@pytest.mark.parametrize(
    ("activation", "least"), [("relu", 1e-8), ("elu", 1e-6), ("softsign", 1e-6)]
)
def test_steps_end_before_a_kink_unless_it_is_too_near(activation, least):
    far = steps("b_h", activation, shift=1.0)
    assert far[0] == pytest.approx([1e-4])
    near = steps("b_h", activation, shift=1e-5)
    assert near[0] == pytest.approx([0.5e-5])
    for share, reached in ((1.9, False), (2.1, True)):
        step = steps("b_h", activation, shift=share * least)[0]
        assert (step[0] < 1e-4) == reached


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 4 * 2.0**-23), ("float64", 32 * 2.0**-52)])
def test_the_unit_of_rounding(dtype, unit):
    """Of y = b alone the residual is as far off as b, t and y together may be."""
    theta = np.array([0.0, 0.0, 0.0, 1.0])
    X, T = np.zeros((1, 1)), np.full((1, 1), 3.0)
    case = Problem(theta, Shape(1, 1, 1), "identity", X, T, None)
    bound = rounding.rounding(case, np.dtype(dtype), cancels=False)
    # |b| + |y| + |t| units, and one of r = −2
    assert bound.gradient[3] == pytest.approx(2 * (5 + 2) * unit, rel=1e-3)


@pytest.mark.parametrize(("sizes", "largest"), [((3, 40, 2), 80), ((500, 4, 1), 500)])
def test_samples_are_read_in_blocks_of_a_quarter_of_a_million_numbers(sizes, largest):
    shape = Shape(*sizes)
    X, T = np.zeros((shape.n_inputs, 9000)), np.zeros((shape.n_outputs, 9000))
    weight = np.arange(9000.0)
    case = Problem(np.zeros(shape.n_parameters), shape, "tanh", X, T, weight)
    blocks = list(case.samples())
    counts = [block.X.shape[1] for block in blocks]
    assert sum(counts) == 9000
    assert set(counts[:-1]) == {2**18 // largest}
    assert [block.T.shape[1] for block in blocks] == counts
    np.testing.assert_allclose(np.concatenate([block.share for block in blocks]).sum(), 1.0)
