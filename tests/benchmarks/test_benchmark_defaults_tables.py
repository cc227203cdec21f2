"""The tables and functions of the benchmark of default calls have what their docstrings claim."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.defaults import functions, tables
from benchmarks.defaults.catalogue import NOISELESS, TABLES, UCI, reduced
from benchmarks.defaults.functions import FUNCTIONS

MAKERS = {
    name: make
    for name, make in inspect.getmembers(tables, inspect.isfunction)
    if make.__module__ == tables.__name__
}
SOURCE = SimpleNamespace(load=lambda name: pytest.fail(f"{name} is no table that is made here"))


def r2_of_least_squares(X, T):
    columns = np.column_stack((X, np.ones(len(X))))
    R = columns @ np.linalg.lstsq(columns, T, rcond=None)[0] - T
    return 1 - np.sum(R**2) / np.sum((T - T.mean(axis=0)) ** 2)


def excess(column):
    """Return the kurtosis above that of the normal distribution."""
    scaled = (column - column.mean()) / column.std()
    return np.mean(scaled**4) - 3


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_made_table_depends_on_its_seed_alone(make):
    (X, T), again, other = make(), make(), make(seed=77)
    for part, same, different in zip((X, T), again, other, strict=True):
        np.testing.assert_array_equal(part, same)
        assert part.dtype == float
        assert np.all(np.isfinite(part))
        assert np.all(part.std(axis=0) > 0)
        assert part.shape == different.shape
        assert not np.array_equal(part, different)
    assert T.ndim == X.ndim == 2
    assert make(n=150)[0].shape[0] == make(n=150)[1].shape[0] == 150


def test_incomes_have_heavy_tails():
    X, T = tables.incomes()
    assert excess(T[:, 0]) > 5
    assert sum(excess(column) > 5 for column in X.T) >= 4
    assert abs(excess(np.log(T[:, 0]))) < 1


def test_counts_are_whole_numbers_with_noise_that_grows():
    X, T = tables.counts(n=4000)
    for part in (X, T):
        np.testing.assert_array_equal(part, np.round(part))
        assert part.min() == 0
    order = np.argsort(X[:, 0])  # the rate grows with the first column
    low, high = T[order[:1500], 0], T[order[-1500:], 0]
    assert high.mean() > low.mean()
    assert high.var() > low.var()


def test_steps_are_constant_between_thresholds():
    X, T = tables.steps(n=20_000)
    a, b, c, d = X[:, :4].T
    cell = (a > 0.6) + 10 * (a < 0.2) + 100 * (b > 0.3) + 1000 * (c > 0.5) + 1e4 * (d > 0.7)
    cell += 1e5 * np.floor(4 * d)
    within = sum(T[cell == one].var() * np.sum(cell == one) for one in np.unique(cell)) / len(T)
    assert np.sqrt(within / (T.var() - within)) == pytest.approx(0.2, rel=0.05)


def test_several_outputs_of_few_rows_have_different_units():
    X, T = tables.several_outputs()
    assert len(X) < 100
    assert T.shape[1] == 4
    assert T.std(axis=0).max() > 1e4 * T.std(axis=0).min()


def test_useless_columns_say_nothing_of_the_target():
    X, T = tables.useless_columns(n=20_000)
    slopes = np.abs(np.corrcoef(np.column_stack((X, T)).T)[-1, :-1])
    assert slopes[0] > 0.3
    assert slopes[4:].max() < 0.05
    assert len(slopes) == 60
    squares = np.abs(np.corrcoef(np.column_stack((X**2, T)).T)[-1, :-1])
    assert squares[4:].max() < 0.05


def test_the_linear_table_is_linear_with_that_noise():
    X, T = tables.linear(n=20_000)
    assert r2_of_least_squares(X, T) == pytest.approx(1 / 1.25, abs=0.02)
    pairs = X[:, :, None] * X[:, None, :]
    more = np.column_stack((X, pairs.reshape(len(X), -1)))
    assert r2_of_least_squares(more, T) - r2_of_least_squares(X, T) < 0.01
    assert np.abs(np.corrcoef(X.T) - np.eye(8)).max() > 0.5


def test_the_curve_has_that_noise():
    X, T = tables.noisy_sinc(n=20_000)
    assert np.std(T - np.sinc(X)) == pytest.approx(0.3 * np.std(np.sinc(X)), rel=0.03)


def test_rows_are_repeated_with_noise_of_their_own():
    X, T = tables.repeated_rows()
    distinct, setting, occurrences = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    assert len(distinct) == 120
    assert occurrences.mean() == 5
    means = np.bincount(setting.ravel(), T[:, 0]) / occurrences
    deviations = T[:, 0] - means[setting.ravel()]
    assert 0 < deviations.std() < 0.2 * T.std()


def test_codes_are_numbers_without_an_order():
    X, T = tables.category_codes()
    for column, levels in zip(X[:, :3].T, (4, 8, 15), strict=True):
        assert set(column) == set(range(levels))
    one_hot = np.column_stack([X[:, [k]] == np.unique(X[:, k]) for k in range(3)])
    gain = r2_of_least_squares(np.column_stack((X, one_hot)), T) - r2_of_least_squares(X, T)
    assert gain > 0.2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_sampled_in_its_domain_without_noise(name):
    function = FUNCTIONS[name]
    X, T = function.sample(500, 3)
    assert X.shape == (500, len(function.lower))
    assert np.all(np.greater_equal(X, function.lower) & np.less_equal(X, function.upper))
    assert T.shape == (500, 1)
    assert T.std() > 0
    np.testing.assert_array_equal(T[:, 0], function.formula(*X.T))
    assert not np.array_equal(X, function.sample(500, 4)[0])


def test_functions_have_their_published_values():
    assert functions.friedman1(*[0.5] * 10) == pytest.approx(10 * np.sin(np.pi / 4) + 7.5)
    assert functions.rosenbrock(1, 1, 1, 1) == 0
    assert functions.rosenbrock(0, 0, 0, 0) == 3
    assert functions.branin(np.pi, 2.275) == pytest.approx(0.397887, abs=1e-6)
    assert functions.robot_arm(0, 0, 0, 0, 1, 1, 1, 1) == pytest.approx(4)
    assert functions.robot_arm(0, 0.5, 0, 0, 1, 1, 0, 0) == pytest.approx(0, abs=1e-12)
    baseline = (174, 252, 7.52, 0, 34, 0.672, 0.12, 3.8, 2000, 0.064)
    assert functions.wing_weight(*baseline) == pytest.approx(233.908 + 174 * 0.064, rel=0.01)


def test_half_of_the_kinds_are_for_tuning():
    kinds = {table.kind: table.tuned for table in TABLES}
    assert all(kinds[table.kind] == table.tuned for table in TABLES)
    assert sum(kinds.values()) * 2 == len(kinds)
    assert sum(function.tuned for function in NOISELESS) * 2 == len(NOISELESS)
    assert {function.name for function in NOISELESS} == set(FUNCTIONS)
    names = [table.name for table in (*TABLES, *NOISELESS)]
    assert len(set(names)) == len(names)
    assert len(TABLES) - len(UCI) >= 16
    assert len(NOISELESS) >= 8


@pytest.mark.parametrize("table", [table for table in TABLES if table.kind != "UCI"])
def test_a_table_without_a_folder(table):
    X, T = table.load(SOURCE)
    assert X.ndim == T.ndim == 2
    assert len(X) == len(T) >= 20
    assert not any(np.array_equal(column, target) for column in X.T for target in T.T)


def test_a_column_of_a_shipped_table_can_be_the_target():
    by_name = {table.name: table for table in TABLES}
    X, T = by_name["breast cancer, worst area"].load(SOURCE)
    assert X.shape == (569, 20)
    assert T.max() == 4254
    assert by_name["iris, petal width"].load(SOURCE)[0].shape == (150, 3)
    assert by_name["linnerud"].load(SOURCE)[1].shape == (20, 3)


def test_large_tables_are_reduced_in_the_same_way_each_time():
    X = np.arange(50.0)[:, None]
    rows, targets = reduced((X, 2 * X), 20)
    assert len(set(rows[:, 0])) == 20
    np.testing.assert_array_equal(targets, 2 * rows)
    np.testing.assert_array_equal(rows, reduced((X, 2 * X), 20)[0])
    assert reduced((X, X), 50)[0] is X
