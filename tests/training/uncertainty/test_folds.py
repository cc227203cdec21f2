"""Which samples a fold leaves out, and what its networks are trained by."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.training import setup
from batchprop.training.dataset import DatasetBuilder
from batchprop.training.options import TrainOptions
from batchprop.training.uncertainty import folds as module
from batchprop.training.uncertainty.folds import FEWEST, FOLDS, folds_of


def specified(X, T=None, **options):
    T = X[:1] if T is None else T
    options = TrainOptions(**({"hidden_size": 3, "alpha": 0.5} | options))
    return setup.specify(DatasetBuilder(X, T), options, None, stacklevel=1)


def table(n, e=2, seed=0):
    return np.random.default_rng(seed).normal(size=(e, n))


def test_every_sample_is_left_out_once():
    spec = specified(table(103))
    folds = folds_of(spec, 1)
    assert len(folds) == FOLDS
    together = np.concatenate([fold.left_out for fold in folds])
    assert sorted(together) == list(range(103))
    assert {fold.left_out.size for fold in folds} <= {20, 21}
    for fold in folds:
        weight = fold.runs[0].dataset.sample_weight
        assert not weight[fold.left_out].any()
        assert weight.sum() == 103 - fold.left_out.size
        mean = np.average(spec.dataset.X, axis=1, weights=weight)
        np.testing.assert_allclose(fold.runs[0].dataset.scaling.x_mean, mean)


def test_equal_inputs_stay_together_and_a_weight_is_a_repetition():
    X = table(40)
    count = np.arange(40) % 4
    rows = np.repeat(np.arange(40), count)
    weighted = folds_of(specified(X, sample_weight=count.astype(float)), 1)
    repeated = folds_of(specified(X[:, rows], np.arange(1.0 * rows.size)[None]), 1)
    assert len(weighted) == len(repeated) == FOLDS
    for one, other in zip(weighted, repeated, strict=True):
        assert set(one.left_out) == set(rows[other.left_out])
        assert (count[one.left_out] > 0).all()
        for part in (other.left_out, np.setdiff1d(np.arange(rows.size), other.left_out)):
            assert set(rows[part]).isdisjoint(set(rows) - set(rows[part]))


def test_few_distinct_samples_make_no_folds():
    assert not folds_of(specified(table(FEWEST - 1)), 1)
    assert not folds_of(specified(np.tile(table(FEWEST - 1), 5)), 1)
    folds = folds_of(specified(table(FEWEST)), 1)
    assert [fold.left_out.size for fold in folds] == [2] * FOLDS


@pytest.mark.parametrize(("n", "count"), [(module.LARGE - 1, FOLDS), (module.LARGE, 1)])
def test_of_a_large_table_one_fold_is_left_out(n, count):
    folds = folds_of(specified(table(n)), 1)
    assert len(folds) == count
    assert folds[0].left_out.size == pytest.approx(n / FOLDS, abs=1)


def test_networks_of_a_fold_are_drawn_and_trained_as_the_call_says():
    spec = specified(table(30), solver="gd", max_epochs=7, tol=None, seed=3)
    folds = folds_of(spec, 2)
    thetas = [run.initial_network.theta.tobytes() for fold in folds for run in fold.runs]
    assert len(set(thetas)) == 2 * FOLDS
    for fold in folds:
        for run in fold.runs:
            kept = "solver", "settings", "rules", "alpha", "engine"
            assert [getattr(run, name) for name in kept] == [getattr(spec, name) for name in kept]
            assert run.user_network is run.resumed_from is None
    assert thetas == [
        run.initial_network.theta.tobytes() for fold in folds_of(spec, 2) for run in fold.runs
    ]


def test_the_seed_chooses_the_folds():
    left_out = [folds_of(specified(table(50), seed=seed), 1)[0].left_out for seed in (0, 0, 1)]
    np.testing.assert_array_equal(left_out[0], left_out[1])
    assert not np.array_equal(left_out[0], left_out[2])
