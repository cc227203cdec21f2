"""R² and RMSE of a result are those of the returned network, as scikit-learn computes them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import r2_score

from batchprop import ENGINES, scaling, train, train_many
from batchprop.result import FitErrors
from batchprop.training import run_result
from batchprop.training.fit_errors import of_output_losses
from tests.problems import problem

CASE = problem(e=3, m=5, s=3, n_samples=60)
WEIGHTS = np.random.default_rng(5).integers(0, 3, 60).astype(float)
COMMON = {"hidden_size": 5, "alpha": 0.0, "max_epochs": 25}


def expected(network, X, T, weight=None, engine="fused"):
    """Return R² and RMSE from predictions."""
    Y = network.predict(X, engine=engine).astype(np.float64)
    rmse = np.sqrt(np.average((Y - T) ** 2, axis=1, weights=weight))
    return r2_score(T.T, Y.T, sample_weight=weight), rmse


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["plain", "weights"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("s", [1, 3])
def test_r2_is_that_of_scikit_learn(s, dtype, weight, scale, engine):
    X, T = CASE.X.astype(dtype), (CASE.T[:s] * np.array([[1.0], [50.0], [0.01]])[:s]).astype(dtype)
    options = COMMON | {"scale": scale, "engine": engine, "max_epochs": 8}
    result = train(X, T, sample_weight=weight, **options)
    r2, rmse = expected(result.network, X, T, weight, engine)
    rel = 1e-3 if dtype == "float32" else 1e-9
    assert result.r2 == result.training_errors.r2 == pytest.approx(r2, rel=rel)
    np.testing.assert_allclose(result.training_errors.rmse, rmse, rtol=rel)
    assert sum(e * e for e in result.training_errors.rmse) == pytest.approx(result.loss, rel=rel)


@pytest.mark.parametrize("combine", ["best", "mean"])
@pytest.mark.parametrize("s", [1, 3])
def test_validation_data_and_starts(s, combine):
    rng = np.random.default_rng(1)
    X_val, T_val = rng.normal(size=(3, 30)), 2.0 + rng.normal(size=(s, 30))
    weight = rng.integers(0, 3, 30).astype(float)
    options = COMMON | {"n_init": 3, "combine": combine, "solver": "gd"}
    T = CASE.T[:s]
    held_out = {"X_val": X_val, "T_val": T_val, "sample_weight_val": weight}
    result = train(CASE.X, T, **options, **held_out)
    r2, rmse = expected(result.network, X_val, T_val, weight)
    assert result.validation_errors.r2 == pytest.approx(r2, rel=1e-9)
    np.testing.assert_allclose(result.validation_errors.rmse, rmse, rtol=1e-9)
    assert result.r2 == pytest.approx(expected(result.network, CASE.X, T)[0], rel=1e-9)
    assert train(CASE.X, T, **options).validation_errors is None


def test_constant_targets_have_the_convention_of_scikit_learn():
    T = np.vstack([CASE.T[0], np.full(60, 7.0)])
    with pytest.warns(UserWarning, match="Constant"):
        result = train(CASE.X, T, **COMMON)
    assert result.training_errors.r2_of_outputs[1] == 1.0
    assert result.r2 == pytest.approx(expected(result.network, CASE.X, T)[0], rel=1e-9)
    assert FitErrors((0.5, 0.0), (0.0, 0.0)).r2_of_outputs == (0.0, 1.0)
    T = np.full((1, 60), 7.0)
    plain = train(CASE.X, T, scale=False, **COMMON | {"max_epochs": 2})
    assert plain.r2 == expected(plain.network, CASE.X, T)[0] == 0.0


def test_extreme_numbers_raise_nothing():
    errors = of_output_losses([math.inf, 1e300, math.nan, 0.0], [1.0, 1e-300, 1.0, 1.0])
    assert not errors.are_known
    assert errors.r2_of_outputs[:2] == (-math.inf, -math.inf)
    assert math.isnan(errors.r2)
    assert errors.r2_of_outputs[3] == 1.0


def test_the_units_of_the_targets():
    result = train(CASE.X, CASE.T, **COMMON)
    larger = train(CASE.X, np.ldexp(CASE.T, 10), **COMMON)
    assert larger.r2 == result.r2
    np.testing.assert_array_equal(
        larger.training_errors.rmse, np.ldexp(result.training_errors.rmse, 10)
    )


@pytest.mark.parametrize("s", [1, 2])
def test_nothing_is_evaluated_before_the_time_is_up(s):
    case = problem(e=2, m=2, s=s, n_samples=60_000)
    with pytest.warns(UserWarning, match="has learnt nothing"):
        result = train(case.X, case.T, hidden_size=3000, alpha=0.0, max_seconds=1e-9)
    assert math.isnan(result.loss)
    assert math.isnan(result.r2)
    assert not result.training_errors.are_known
    assert "nan" not in str(result).lower()


@pytest.mark.parametrize("s", [1, 3])
def test_ctrl_c_while_the_network_is_measured(s, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_result, "output_losses", interrupted)
    result = train(CASE.X, CASE.T[:s], **COMMON)
    assert math.isfinite(result.loss)  # the solver's
    assert result.training_errors.are_known == (s == 1)
    assert "nan" not in str(result).lower()


def test_train_many_and_one_pass(monkeypatch):
    passes = []
    measure = run_result.output_losses

    def counted(*arguments, **options):
        passes.append(options)
        return measure(*arguments, **options)

    monkeypatch.setattr(run_result, "output_losses", counted)
    results = train_many(CASE.X, CASE.T, [{"seed": 0}, {"seed": 1}], **COMMON)
    for result in results:
        assert result.r2 == pytest.approx(expected(result.network, CASE.X, CASE.T)[0], rel=1e-9)
    assert len(passes) == 2  # the pass that measures the loss measures the outputs, too
    train(CASE.X, CASE.T[:1], solver="gd", scale=False, **COMMON)
    assert len(passes) == 2  # the solver's loss is that of the network and of its only output


def test_the_targets_are_measured_before_training(monkeypatch):
    """Ctrl-C at the end of a run must not lose its result."""
    T_val = CASE.T[:, :9]
    started = []

    def callback(progress):
        if progress.epoch == 0:
            started.append(True)

    def measured(*arguments):
        assert not started
        return measure(*arguments)

    measure = scaling.standard_deviations
    monkeypatch.setattr(scaling, "standard_deviations", measured)
    options = COMMON | {"scale": False, "callback": callback, "X_val": CASE.X[:, :9]}
    result = train(CASE.X, CASE.T, T_val=T_val, **options)
    assert started
    np.testing.assert_allclose(result.validation_errors.target_std, T_val.std(axis=1), rtol=1e-12)


def test_resuming_keeps_them():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = train(CASE.X, CASE.T, solver="gd", **COMMON)
        result = train(CASE.X, CASE.T, resume=first, max_epochs=25)
    assert result.r2 > first.r2
    assert result.r2 == pytest.approx(expected(result.network, CASE.X, CASE.T)[0], rel=1e-9)
