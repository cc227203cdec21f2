"""Whether data and parameters are those of the run before: every part and every type counts."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.warm_start import _equal
from batchprop.training.checkpoint import fingerprint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)).astype("f4").astype("f8")  # the same numbers in either dtype
Y = np.sin(X[:, 0])
SMALL = {
    "alpha": 0.0,
    "hidden_size": 3,
    "solver": "lbfgs",
    "tol": 0,
    "random_state": 0,
    "max_iter": 5,
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("shape", [(1, 8192), (7, 5000), (5000, 7), (2, 100_000)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_each_part_of_a_large_table_counts(shape, order):
    """The distance of samples that are read doubles with their number, from the first 4096 on."""
    table = np.asarray(RNG.normal(size=shape), order=order)
    expected = fingerprint.of(table)
    run = max(1, shape[1] * shape[0] // 4096)
    for start in np.linspace(0, shape[1] - run, 50).astype(int):
        other = table.copy()
        other[RNG.integers(shape[0]), start : start + run] += 1.0
        assert not fingerprint.of(other).agrees(expected), start


@pytest.mark.parametrize("place", [0, -1])
def test_the_ends_of_a_large_table_count(place):
    table = RNG.normal(size=(3, 9000))
    other = table.copy()
    other[place, place] += 1.0
    assert not fingerprint.of(other).agrees(fingerprint.of(table))


@pytest.mark.parametrize("version", [1, 2])
def test_few_entries_of_a_large_table_are_looked_at(version):
    table = np.zeros((1, 1_000_000))
    expected, seen = fingerprint.of(table, version), []
    for place in range(500_000, 1_000_000, 4997):
        table[0, place] = 1.0
        seen.append(fingerprint.of(table, version) != expected)
        table[0, place] = 0.0
    assert sum(seen) < len(seen) / 10  # one in 128 or 244


def test_sums_of_weights_may_be_rounded_otherwise():
    mine = fingerprint.of(np.ones(10_000))
    assert mine.total == 10_000.0
    for share, agrees in ((0.9e-9, True), (1.1e-9, False)):
        assert mine.agrees(mine._replace(total=mine.total * (1 + share))) == agrees
        assert mine.agrees(mine._replace(total=mine.total * (1 - share))) == agrees
    assert fingerprint.of(np.ones((100, 100))).total == 0.0


def test_shapes_and_checksums_have_to_agree():
    mine = fingerprint.of(np.arange(12.0).reshape(3, 4))
    assert not mine.agrees(fingerprint.of(np.arange(12.0).reshape(4, 3)))
    assert not mine.agrees(mine._replace(checksum=mine.checksum ^ 1))


def continued(first, second, **options):
    """Fit twice with a warm start; return whether the second went on with the first run."""
    model = BatchMLPRegressor(**(SMALL | {"warm_start": True} | options))
    n = model.fit(*first).n_iter_
    return model.fit(*second).n_iter_ > n


def test_the_same_numbers_in_another_dtype_are_another_run():
    single = X.astype("f4")
    assert continued((X, Y), (X.copy(), Y))
    assert continued((single, Y), (single.copy(), Y))
    assert not continued((X, Y), (single, Y))
    assert not continued((single, Y), (X, Y))
    model = BatchMLPRegressor(**SMALL, warm_start=True).fit(X, Y).fit(single, Y)
    assert model.network_.dtype == "float32"


def test_a_solver_that_cannot_be_resumed_begins_from_its_network():
    model = BatchMLPRegressor(**(SMALL | {"solver": "scipy"}), warm_start=True).fit(X, Y)
    reached = model.loss_
    model.fit(X, Y)
    assert model.n_iter_ == 5
    assert model.loss_curve_[0] == pytest.approx(reached, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "other"),
    [(1, True), (1.0, 1), (0, False), ("auto", None), (np.full(2, 0.1), 0.1), ((0.1, 0.1), 0.1),
     ({"a": 1}, None), (np.array([0.1, 0.2]), np.array([0.1, 0.3]))],
)  # fmt: skip
def test_parameters_of_another_type_or_value_are_others(value, other):
    assert not _equal(value, other)
    assert not _equal(other, value)


@pytest.mark.parametrize("value", [1, 1.5, "auto", None, (0.1, 0.2), {"a": 1}])
def test_equal_parameters_are_the_same(value):
    assert _equal(value, type(value)(value) if value is not None else None)
    assert _equal(np.array([0.1, 0.2]), np.array([0.1, 0.2]))


def test_a_parameter_of_another_type_is_checked_anew():
    """1 is no truth value, though it equals one: the fit must say so instead of going on."""
    model = BatchMLPRegressor(**SMALL, warm_start=True).fit(X, Y)
    with pytest.raises(TypeError, match=r"^scale must be True or False; got 1 "):
        model.set_params(scale=1).fit(X, Y)
