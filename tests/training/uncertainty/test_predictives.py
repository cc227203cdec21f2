"""``uncertainty="laplace"`` in whole calls: coverage, bits, weights, few samples."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import Predictive, train, train_many
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training.uncertainty import laplace, predictives

PLAIN = {"hidden_size": 6, "alpha": 0.1, "solver": "lbfgs", "uncertainty": "laplace"}
METHODS = ("laplace", "conformal", "conformal-normalised")


def noisy(n, seed=0, std=(0.1,), e=1):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (e, n))
    T = np.sin(X[:1]) + np.array(std)[:, None] * rng.normal(size=(len(std), n))
    return X, T


X, T = noisy(60)


def same(one, other, X=X):
    pairs = zip(one.predict(X, return_std=True), other.predict(X, return_std=True), strict=True)
    return all(np.array_equal(*pair) for pair in pairs) and all(
        np.array_equal(*pair)
        for method in METHODS
        for pair in zip(one.interval(X, 0.8, method), other.interval(X, 0.8, method), strict=True)
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("options", [{}, {"n_init": 3, "combine": "mean"}])
def test_intervals_cover_what_they_say(dtype, options):
    std = (0.1, 30.0, 0.02)
    X, T = noisy(400, std=std)
    new, targets = noisy(2000, seed=1, std=std)
    result = train(X.astype(dtype), T.astype(dtype), **PLAIN, **options)
    predictive = result.predictive
    assert predictive.network is result.network
    np.testing.assert_allclose(predictive.noise_std[:2], std[:2], rtol=0.15)
    assert 0.015 < predictive.noise_std[2] < 0.04
    Y, deviation = predictive.predict(new, return_std=True)
    assert Y.dtype == deviation.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(Y, result.network.predict(new))
    for method in METHODS:
        lower, upper = predictive.interval(new, 0.9, method=method)
        assert lower.shape == upper.shape == targets.shape
        assert lower.dtype == np.dtype(dtype)
        covered = ((lower <= targets) & (targets <= upper)).mean(axis=1)
        assert (covered > 0.8).all(), (method, covered)
        assert (covered < 0.97).all(), (method, covered)
    assert predictive.calibration.source == "folds"
    assert predictive.calibration.residuals.shape == (3, 400)


@pytest.mark.parametrize("options", [{}, {"n_init": 3, "combine": "mean"}, {"solver": "lm"}])
def test_the_same_bits_for_any_threads(options):
    one, two = (train(X, T, **PLAIN | options, n_threads=k).predictive for k in (1, 2))
    np.testing.assert_array_equal(one.calibration.residuals, two.calibration.residuals)
    np.testing.assert_array_equal(one.calibration.claimed, two.calibration.claimed)
    assert same(one, two)


def test_it_does_not_change_the_run():
    with_it, without = train(X, T, **PLAIN), train(X, T, **PLAIN | {"uncertainty": None})
    np.testing.assert_array_equal(with_it.network.theta, without.network.theta)
    assert without.predictive is None
    assert with_it.n_epochs == without.n_epochs


def test_weights_are_repetitions():
    count = np.arange(60) % 3
    order = np.repeat(np.arange(60), count)
    options = PLAIN | {"tol": 1e-12, "max_epochs": 3000}
    weighted = train(X, T, sample_weight=count.astype(float), **options).predictive
    repeated = train(X[:, order], T[:, order], **options).predictive
    np.testing.assert_allclose(weighted.noise_std, repeated.noise_std, rtol=1e-3)
    np.testing.assert_allclose(weighted.n_effective, repeated.n_effective, rtol=1e-2)
    deviations = [model.predict(X, return_std=True)[1] for model in (weighted, repeated)]
    np.testing.assert_allclose(*deviations, rtol=0.02)
    assert weighted.calibration.weight.sum() == repeated.calibration.weight.size


def test_validation_data_calibrate_instead_of_folds():
    X_val, T_val = noisy(30, seed=1)
    weight = np.arange(30) % 2.0
    options = PLAIN | {"X_val": X_val, "T_val": T_val, "sample_weight_val": weight}
    result = train(X, T, **options)
    calibration = result.predictive.calibration
    assert calibration.source == "validation"
    deviation = T.std()
    residuals = (result.network.predict(X_val) - T_val)[:, weight > 0] / deviation
    np.testing.assert_allclose(calibration.residuals, residuals, rtol=1e-9)


def test_a_mean_is_calibrated_by_means(monkeypatch):
    options = PLAIN | {"n_init": 3, "combine": "mean"}
    result = train(X, T, **options)
    predictive = result.predictive
    assert predictive.posterior.thetas.shape == (3, 19)
    claimed = predictive.posterior.uncertainty(X)
    predictions = [start.network.predict(X) for start in result.starts]
    spread = np.var(predictions, axis=0, ddof=1) / T.var()
    np.testing.assert_allclose(claimed.spread, spread, rtol=1e-6, atol=1e-12)
    singles = [
        predictives.posterior_of(result_spec(options), [start], 1).posterior
        for start in result.starts
    ]
    v = np.mean([single.uncertainty(X).v for single in singles], axis=0)
    np.testing.assert_allclose(claimed.v, v, rtol=1e-9)


def result_spec(options):
    from batchprop.training import setup
    from batchprop.training.dataset import DatasetBuilder
    from batchprop.training.options import TrainOptions

    return setup.specify(DatasetBuilder(X, T), TrainOptions(**options), None, stacklevel=1)


def test_a_resumed_run_has_that_of_one_run():
    options = PLAIN | {"tol": None}
    whole = train(X, T, max_epochs=30, **options)
    first = train(X, T, max_epochs=10, **options | {"uncertainty": None})
    resumed = train(X, T, resume=first, max_epochs=20, uncertainty="laplace")
    assert same(whole.predictive, resumed.predictive)
    plain = train(X, T, resume=first, max_epochs=20)
    assert plain.predictive is None


def test_train_many_has_that_of_train():
    configurations = [{"alpha": 0.1}, {"alpha": 1.0, "uncertainty": None}, {"hidden_size": 3}]
    results = train_many(X, T, configurations, **PLAIN | {"hidden_size": 4})
    assert results[1].predictive is None
    for k in (0, 2):
        alone = train(X, T, **PLAIN | {"hidden_size": 4} | configurations[k])
        assert same(results[k].predictive, alone.predictive)


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("alpha", [0.0, 0.1, "auto"])
def test_few_samples_have_one_warning_and_an_answer(n, alpha):
    X, T = noisy(n)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictive = train(X, T, **PLAIN | {"alpha": alpha}).predictive
    ours = [str(w.message) for w in caught if "uncertainty" in str(w.message)]
    assert len(ours) == 1
    assert "pass X_val and T_val" in ours[0]
    assert predictive.calibration.source == "none"
    _, std = predictive.predict(X, return_std=True)
    assert (std > 0).all()
    assert np.isfinite(std).all()
    with pytest.raises(
        ValueError, match=r"at least 9 residuals of samples left out for level=0.9; got 0"
    ):
        predictive.interval(X, method="conformal")


def test_the_warning_points_to_the_users_call_and_has_its_words():
    X, T = noisy(7)
    model = BatchMLPRegressor(hidden_size=3, alpha=0.1, solver="lbfgs", uncertainty="laplace")
    calls = [
        lambda: train(X, T, **PLAIN),
        lambda: train_many(X, T, [{}], **PLAIN),
        lambda: model.fit(X.T, T[0]),
    ]
    for call, tables in zip(calls, ("X_val and T_val",) * 2 + ("X_val and y_val",), strict=True):
        with pytest.warns(UserWarning, match=f"or pass {tables}") as caught:
            call()
        assert [warning.filename for warning in caught] == [__file__]


def test_one_sample_tells_nothing():
    match = "uncertainty must have at least two samples"
    with pytest.warns(UserWarning, match="Constant"), pytest.warns(UserWarning, match=match):
        result = train([[1.0]], [[2.0]], **PLAIN)
    assert result.predictive is None


def test_one_sample_of_positive_weight_tells_nothing():
    weight = np.zeros(60)
    weight[7] = 2.0
    match = "uncertainty must have at least two samples"
    with pytest.warns(UserWarning, match="Constant"), pytest.warns(UserWarning, match=match):
        assert train(X, T, sample_weight=weight, **PLAIN).predictive is None


def test_few_validation_samples_calibrate_nothing():
    few = {"X_val": X[:, :9], "T_val": T[:, :9]}
    with pytest.warns(UserWarning, match="fewer than 10 validation samples"):
        predictive = train(X, T, **PLAIN, **few).predictive
    assert predictive.calibration.source == "none"


def test_a_run_that_became_infinite_has_none():
    with pytest.warns(RuntimeWarning) as caught:
        result = train(X, T, **PLAIN | {"solver": "gd", "learning_rate": 1e200}, max_epochs=50)
    assert result.stop_reason == "non_finite"
    assert result.predictive is None
    assert len(caught) == 1


@pytest.mark.parametrize("limit", [10, 6])
def test_large_networks_have_less(monkeypatch, limit):
    monkeypatch.setattr(laplace, "MAX_PARAMETERS", limit)
    predictive = train(X, T, **PLAIN).predictive
    assert predictive.approximation == {10: "last-layer", 6: "constant"}[limit]
    _, std = predictive.predict(X, return_std=True)
    assert 0.07 < std.min()
    assert std.max() < 0.2
    v = predictive.posterior.uncertainty(X).v
    assert (np.ptp(v) > 0) == (limit == 10)
    assert np.isfinite(predictive.n_effective) == (limit == 10)


def test_a_singular_matrix_has_a_warning(monkeypatch):
    monkeypatch.setattr(laplace, "ridge_factor", lambda matrix, precisions: None)
    with pytest.warns(UserWarning, match="JᵀJ is singular"):
        predictive = train(X, T, **PLAIN | {"alpha": 0.0}).predictive
    assert predictive.approximation == "constant"
    assert np.ptp(predictive.predict(X, return_std=True)[1]) == 0


def test_without_a_penalty_and_with_more_parameters_than_samples():
    X, T = noisy(20, e=3)
    predictive = train(X, T, **PLAIN | {"alpha": 0.0, "hidden_size": 20}).predictive
    _, std = predictive.predict(noisy(50, seed=2, e=3)[0], return_std=True)
    assert np.isfinite(std).all()
    assert (std > 0).all()
    assert np.isfinite(predictive.noise_std).all()


@pytest.mark.parametrize("scale", [True, False])
def test_constant_targets_and_inputs(scale):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(1, 50)), np.full((1, 50), 3.0)])
    T = np.vstack([np.sin(X[:1]), np.full((1, 50), 7.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predictive = train(X, T, **PLAIN, scale=scale).predictive
    _, std = predictive.predict(X, return_std=True)
    assert np.isfinite(std).all()
    lower, upper = predictive.interval(X, 0.9, "conformal-normalised")
    assert (lower <= upper).all()
    if scale:
        assert not std[1].any()


def test_huge_units():
    X, T = noisy(60)
    small, large = (train(X, T * unit, **PLAIN).predictive for unit in (1.0, 1e120))
    np.testing.assert_allclose(
        large.predict(X, return_std=True)[1],
        1e120 * small.predict(X, return_std=True)[1],
        rtol=1e-4,
    )


@pytest.mark.parametrize("solver", ["lm", "gd", "adam", "scipy"])
def test_any_solver(solver):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = train(X, T, **PLAIN | {"solver": solver}, max_epochs=50)
    assert isinstance(result.predictive, Predictive)
    assert result.predictive.calibration.source == "folds"


def test_an_unknown_name():
    with pytest.raises(ValueError, match="uncertainty must be one of laplace; got 'bayes'"):
        train(X, T, uncertainty="bayes")
    with pytest.raises(TypeError, match="uncertainty must be one of laplace; got True"):
        train(X, T, uncertainty=True)
