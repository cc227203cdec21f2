"""train_many: each network is, to the last bit, the one that train makes alone."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import ENGINES, Network, train, train_many
from batchprop.activations import ACTIVATIONS
from batchprop.solvers.settings import SOLVERS
from tests.problems import problem
from tests.same_results import assert_same

CASE = problem(n_samples=90)
COMMON = {"alpha": 0.0, "solver": "gd", "max_epochs": 12, "hidden_size": 4}
RNG = np.random.default_rng(0)
FOLDS = [np.where(np.arange(90) % 3 == k, 0.0, 1.0) for k in range(3)]

SWEEPS = {
    "seeds": [{"seed": k} for k in range(7)],
    "penalties": [{"alpha": alpha} for alpha in (0.0, 0.1, 3.0)],
    "sizes": [{"hidden_size": m} for m in (1, 2, 9, 33, 4)],
    "activations": [{"activation": name} for name in ACTIVATIONS],
    "solvers": [{"solver": name} for name in SOLVERS],
    "folds": [{"sample_weight": fold, "seed": 3} for fold in FOLDS],
    "scaling": [{"scale": False}, {"scale": True}, {"scale": False, "alpha": 1.0}],
    "validation": [
        {"X_val": CASE.X[:, :n], "T_val": CASE.T[:, :n], "patience": 3} for n in (5, 40)
    ],
    "both dtypes": [{"dtype": dtype} for dtype in ("float32", "float64", None)],
    "stops": [{"max_epochs": k} for k in (0, 1, 30)] + [{"target_loss": 3.0, "max_epochs": 99}],
    "given networks": [
        {"network": CASE.network, "hidden_size": 5},
        {
            "network": Network.initialize(3, 6, 2, "relu", dtype="float32"),
            "hidden_size": 6,
            "activation": "relu",
        },
        {},
    ],
}


def many(configurations, **options):
    return train_many(CASE.X, CASE.T, configurations, **(COMMON | options))


def alone(own, **options):
    return train(CASE.X, CASE.T, **(COMMON | options | own))


@pytest.mark.parametrize("n_threads", [1, 2, 5, None])
@pytest.mark.parametrize("sweep", SWEEPS)
def test_each_is_the_one_trained_alone(sweep, n_threads):
    results = many(SWEEPS[sweep], n_threads=n_threads)
    assert len(results) == len(SWEEPS[sweep])
    for own, result in zip(SWEEPS[sweep], results, strict=True):
        assert_same(result, alone(own))


def test_the_comparison_sees_a_difference():
    one, other = many([{"seed": 0}, {"seed": 1}])
    with pytest.raises(AssertionError):
        assert_same(one, other)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_and_all_of_them_together(engine):
    own = [{"seed": 4}, {"seed": 5, "alpha": 0.2}]
    for given, result in zip(own, many(own, engine=engine, max_epochs=3), strict=True):
        assert_same(result, alone(given, engine=engine, max_epochs=3))
    mixed = [{"engine": name} for name in (*ENGINES, engine)]
    for given, result in zip(mixed, many(mixed, max_epochs=3), strict=True):
        assert_same(result, alone(given, max_epochs=3))


def test_networks_large_enough_for_several_threads_each():
    case = problem(e=8, m=40, n_samples=3000)
    own = [{"seed": k, "hidden_size": 60} for k in range(3)]
    options = {"max_epochs": 5}
    expected = [
        train(case.X, case.T, n_threads=1, **one, **{"alpha": 0.0} | options) for one in own
    ]
    for n_threads in (1, 2, 4, 7):  # shared out as 1·1, 1·2 and 2·1, 3·1, 3·2
        results = train_many(case.X, case.T, own, n_threads=n_threads, **{"alpha": 0.0} | options)
        for one, result in zip(expected, results, strict=True):
            assert_same(result, one)


def test_a_fold_given_as_weights_is_the_fold():
    results = many([{"sample_weight": fold} for fold in FOLDS])
    for fold, result in zip(FOLDS, results, strict=True):
        cut = train(CASE.X[:, fold > 0], CASE.T[:, fold > 0], **COMMON)
        np.testing.assert_allclose(result.loss_curve, cut.loss_curve, rtol=1e-10)
        np.testing.assert_allclose(result.network.theta, cut.network.theta, rtol=1e-8)


def test_arrays_made_on_the_way_are_not_mixed_up():
    # a list becomes an array of our own, and the next one may stand where the last one stood
    folds = ({"sample_weight": fold.tolist()} for fold in FOLDS * 4)
    for fold, result in zip(FOLDS * 4, many(folds), strict=True):
        assert_same(result, alone({"sample_weight": fold}))


def test_what_is_given_stays_as_it_was():
    own, weight = {"seed": 3, "sample_weight": FOLDS[0].copy()}, FOLDS[0].copy()
    before = CASE.X.copy(), CASE.T.copy()
    many([own, own])
    assert list(own) == ["seed", "sample_weight"]
    np.testing.assert_array_equal(own["sample_weight"], weight)
    np.testing.assert_array_equal(CASE.X, before[0])
    np.testing.assert_array_equal(CASE.T, before[1])


def test_results_share_no_memory():
    one, other = many([{}, {}])
    one.network.theta[:] = 0
    assert_same(other, alone({}))


def test_a_configuration_goes_before_what_all_share():
    one, other = many([{}, {"alpha": 0.0}], alpha=2.0)
    assert_same(one, alone({"alpha": 2.0}))
    assert_same(other, alone({}))


def test_rows_or_columns_first_and_read_only():
    X = np.asfortranarray(CASE.X)
    X.setflags(write=False)
    for one, other in zip(
        train_many(X, CASE.T, SWEEPS["seeds"], **COMMON),
        many(SWEEPS["seeds"]),
        strict=True,
    ):
        assert_same(one, other)


def test_drawn_without_a_seed_they_differ():
    one, other = many([{"seed": None}, {"seed": None}])
    assert (one.network.theta != other.network.theta).any()


def test_from_within_a_callback():
    inner = []
    outer = many(
        [{}, {"seed": 1}], max_epochs=2, n_threads=2,
        callback=lambda progress: inner.append(many([{}], max_epochs=1)[0].loss),
    )  # fmt: skip
    assert len(inner) == 6
    assert len(set(inner)) == 1
    assert [result.n_epochs for result in outer] == [2, 2]
