"""The fits of a path: where each starts, what it is judged by, and where the path ends."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from batchprop import train
from batchprop.training import penalty_choice
from batchprop.training.evidence.evidence import Evidence
from batchprop.training.evidence.path import EXPONENTS, Point, left_out_error, pair
from batchprop.training.evidence.proxy import EPOCHS
from batchprop.training.evidence.search import EvidenceSearch
from batchprop.training.monitor import Monitor
from batchprop.training.run import run

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 60))
T = np.sin(X[:1]) + 0.2 * RNG.normal(size=(1, 60))


def search_of(**options):
    """The search that a call of ``train`` makes."""
    searches = []

    def kept(spec):
        searches.append(EvidenceSearch(spec))
        raise LookupError

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(penalty_choice.METHODS, "evidence", kept)
        with pytest.raises(LookupError):
            train(X, T, **({"alpha": "auto", "hidden_size": 30} | options))
    return searches[0]


def fit(spec):
    monitor = Monitor(time.perf_counter(), math.inf, None, 1, None)
    return run(spec._replace(n_threads=1), monitor)


def test_two_networks_go_down_in_decades():
    search = search_of()
    assert [path.proxy.n_hidden for path in search._paths] == [20, 10]
    tried = []
    while runs := search.next_runs():
        if search._paths_ended:
            break
        tried.append([spec.alpha for spec in runs])
        for spec in runs:
            assert spec.rules.max_epochs == EPOCHS[spec.solver]
        search.take([fit(spec) for spec in runs])
    expected = [[pair(k, 20), pair(k, 10)] for k in EXPONENTS[: len(tried)]]
    assert tried == expected
    assert len(tried) > 4


def test_each_fit_starts_from_the_last_unless_that_is_collapsed():
    path = search_of()._paths[0]
    drawn = path.next_run().initial_network
    path.take(fit(path.next_run()))
    first = path.points[0]
    start = path.next_run().initial_network
    np.testing.assert_array_equal(start.theta, first.network.theta)
    idle = first.network.copy()
    idle.theta[:] = 0.0
    path.points[0] = first._replace(network=idle)
    np.testing.assert_array_equal(path.next_run().initial_network.theta, drawn.theta)


def test_points_are_judged_by_what_was_left_out():
    path = search_of()._paths[0]
    path.take(fit(path.next_run()))
    point = path.points[0]
    squares = (point.network.predict(path.proxy.left_out.X) - path.proxy.left_out.T) ** 2
    assert point.error == pytest.approx(squares.mean())
    assert left_out_error(path.proxy, point.network) == point.error
    assert path.n_targets == 60


def test_a_path_ends_far_above_its_minimum_unless_errors_fall():
    path = search_of()._paths[0]
    n = path._drawn.theta.size

    def points(rise, error):
        known = [Evidence(value, 1.0, 1.0) for value in (0.0, rise)]
        return [Point(1, None, known[0], 1.0, 0.0), Point(0, None, known[1], error, 0.0)]

    path.points = points(2.0 * n + 1, 1.0)
    assert path.is_far
    path.points = points(2.0 * n - 1, 1.0)
    assert not path.is_far
    path.points = points(2.0 * n + 1, 0.5)
    assert not path.is_far
    path.points = points(math.inf, math.nan)
    assert path.is_far


@pytest.mark.parametrize("activation", ["relu", "logistic", "identity", "softplus"])
def test_other_activations(activation):
    path = search_of(activation=activation)._paths[0]
    for _ in range(4):
        path.take(fit(path.next_run()))
    assert all(math.isfinite(point.value) for point in path.points)
    assert path.points[0].network.activation == activation


def test_each_network_has_a_start_of_its_own():
    """A network of few units may stay in a poor minimum, and then both would."""
    starts = [path.next_run().initial_network.theta for path in search_of(hidden_size=4)._paths]
    assert starts[0].shape == starts[1].shape
    assert not np.array_equal(*starts)
    again = [path.next_run().initial_network.theta for path in search_of(hidden_size=4)._paths]
    np.testing.assert_array_equal(starts, again)
