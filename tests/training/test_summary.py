"""What ``print(result)`` says, for every kind of call."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.result import AlphaReport, FitErrors
from batchprop.solvers.stopping import REASONS, RUNNING
from batchprop.training import summary

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (3, 120))
SIGNAL = np.sin(3 * X[:1]) + X[1:2]
T = SIGNAL + 0.2 * RNG.standard_normal(SIGNAL.shape)
X_NEW = RNG.uniform(-1.0, 1.0, (3, 40))
T_NEW = np.sin(3 * X_NEW[:1]) + X_NEW[1:2] + 0.2 * RNG.standard_normal((1, 40))
COMMON = {"hidden_size": 6, "max_epochs": 40}
UNKNOWN = 'not known: no validation data; alpha="evidence" estimates it'


def lines(result):
    """Return the summary by label; check its form."""
    text = str(result)
    assert "nan" not in text.lower()
    rows = text.splitlines()
    labels = [re.split(r"  +", row)[0] for row in rows]
    start = max(map(len, labels)) + 2
    assert all(row[start] != " " == row[start - 1] for row in rows)  # aligned
    assert max(map(len, rows)) <= 110
    return {label: row[start:] for label, row in zip(labels, rows, strict=True)}


def test_evidence():
    result = train(X, T, alpha="evidence", **COMMON)
    shown, report = lines(result), result.alpha_report
    assert list(shown) == [
        "network", "training", "stopped", "training error", "new samples", "penalty", "effective",
    ]  # fmt: skip
    assert shown["network"] == "3-6-1, tanh, float64, 31 parameters"
    assert re.fullmatch(rf"{result.solver}, 40 epochs(, | \().* s", shown["training"])
    assert shown["stopped"] == "'max_epochs': the limit of epochs, not converged"
    rmse, r2 = math.sqrt(result.loss), result.r2
    assert shown["training error"] == f"RMSE {rmse:.4g}; R² {r2:.3f}"
    error, std = report.error_std[0], T.std()
    assert shown["new samples"] == (
        f"RMSE about {error:.4g}; R² about {1 - (error / std) ** 2:.3f} (estimated by evidence)"
    )
    alpha_h, alpha_y = result.alpha
    assert shown["penalty"] == f"α_h = {alpha_h:.3g}, α_y = {alpha_y:.3g}, chosen by evidence"
    assert report.n_parameters == 31
    assert shown["effective"].startswith(f"γ = {report.n_effective:.3g} of 31 parameters")
    real = np.sqrt(np.mean((result.network.predict(X_NEW) - T_NEW) ** 2))
    assert error == pytest.approx(real, rel=0.5)


def test_cross_validation():
    result = train(X, T, alpha="cv", **COMMON)
    shown = lines(result)
    assert shown["new samples"].endswith("(estimated by 5 folds)")
    assert f"about {result.alpha_report.error_std[0]:.4g};" in shown["new samples"]
    assert shown["penalty"].endswith("chosen by cross-validation")
    assert "effective" not in shown


@pytest.mark.parametrize(
    ("options", "penalty"),
    [
        ({"alpha": 0.0}, "none"),
        ({"alpha": 0.1}, "α = 0.1"),
        ({"alpha": (0.1, 2.0)}, "α_h = 0.1, α_y = 2"),
        ({"solver": "gd"}, "none"),
        ({"max_epochs": 0}, "none"),
    ],
    ids=str,
)
def test_nothing_tells_what_new_samples_will_get(options, penalty):
    shown = lines(train(X, T, **COMMON | options))
    assert shown["new samples"] == UNKNOWN
    assert shown["penalty"] == penalty
    assert "effective" not in shown


@pytest.mark.parametrize("alpha", [0.0, "evidence", "cv"])
def test_validation_data(alpha):
    result = train(X, T, alpha=alpha, X_val=X_NEW, T_val=T_NEW, patience=10, **COMMON)
    shown = lines(result)
    rmse, r2 = math.sqrt(result.validation_loss), result.validation_errors.r2
    assert shown["new samples"] == f"RMSE {rmse:.4g}; R² {r2:.3f} (measured on the validation data)"
    if alpha == 0.0:
        assert f"(best: {result.best_epoch})" in shown["training"]
        assert shown["stopped"].startswith("'patience': the validation loss had no new minimum")


def test_several_outputs():
    many = np.vstack([T, 10 * T + 1, SIGNAL, X**3])
    result = train(X, many, alpha="evidence", **COMMON | {"max_epochs": 1000})
    shown, rmse = lines(result), result.training_errors.rmse
    listed = ", ".join(f"{value:.4g}" for value in rmse[:3])
    assert shown["training error"].startswith(f"RMSE {listed} and 3 more; R² 0.")
    assert " and 3 more; R² about 0." in shown["new samples"]
    assert "and" not in lines(train(X, many[:3], alpha=0.0, **COMMON))["training error"]


def test_starts():
    mean = lines(train(X, T, alpha="evidence", n_init=3, combine="mean", **COMMON))
    assert mean["network"].endswith("the mean of 3 of 3 starts")
    assert "epochs" in mean["training"]
    assert "in one of 3 starts, " in mean["training"]
    assert mean["new samples"].endswith("(estimated by evidence, for a single start)")
    best = lines(train(X, T, alpha="evidence", n_init=3, **COMMON))
    assert "mean" not in best["network"]
    assert best["new samples"].endswith("(estimated by evidence)")


def test_train_many():
    results = train_many(X, T, [{"alpha": "evidence"}, {"alpha": 0.0}], **COMMON)
    first, second = map(lines, results)
    assert "estimated by evidence" in first["new samples"]
    assert second["new samples"] == UNKNOWN


def test_the_estimates_of_data_without_noise_are_rough():
    result = train(X, SIGNAL, alpha="evidence", **COMMON)
    shown = lines(result)["new samples"]
    if result.alpha_report.chosen == 0.0:
        assert shown.startswith("not known: next to no noise (a small network has RMSE ")
    else:
        assert "(roughly estimated by evidence)" in shown
    report = AlphaReport((1.0,), (0.1,), 1, "evidence", chosen=0.0, noise_std=(1e-5,))
    training = FitErrors((1e-6,), (1.0,))
    text = summary.new_samples(report._replace(error_std=(1e-5,)), training, None, 0)
    assert text == (
        "not known: next to no noise (a small network has RMSE 1e-05); validation data tell"
    )
    text = summary.new_samples(report._replace(error_std=(1e-5,), chosen=1e-4), training, None, 0)
    assert text.endswith("(roughly estimated by evidence)")


def test_samples_left_out_tell_more_than_evidence():
    result = train(X, T, alpha="evidence", uncertainty="laplace", **COMMON)
    error = result.predictive.error_std[0]
    assert lines(result)["new samples"] == (
        f"RMSE about {error:.4g}; R² about {1 - (error / T.std()) ** 2:.3f} "
        "(estimated by samples left out)"
    )
    real = np.sqrt(np.mean((result.network.predict(X_NEW) - T_NEW) ** 2))
    assert error == pytest.approx(real, rel=0.5)
    residuals = T.std() * result.predictive.calibration.residuals
    assert error == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-12)


def test_a_predictive_that_nothing_calibrated_tells_nothing():
    with pytest.warns(UserWarning, match="fewer than 10 distinct samples"):
        result = train(X[:, :8], T[:, :8], alpha=0.1, uncertainty="laplace", **COMMON)
    assert np.isnan(result.predictive.error_std).all()
    assert lines(result)["new samples"].startswith("not known: no validation data")


def test_where_nothing_could_be_compared():
    with pytest.warns(UserWarning, match="has learnt nothing"):
        result = train(X, T, alpha="evidence", max_seconds=1e-9)
    shown = lines(result)
    assert shown["new samples"] == "not known: the choice of the penalty was cut short"
    assert shown["penalty"].endswith(", after evidence that was cut short")
    shown = lines(train(X[:, :1], T[:, :1], alpha="evidence", scale=False, **COMMON))
    assert shown["new samples"].startswith("not known: too few samples, or no time")
    assert shown["penalty"].endswith("the fallback of evidence: nothing could be compared")


def test_what_is_estimated_is_for_networks_that_are_trained_to_the_end():
    result = train(X, T, alpha="evidence", **COMMON | {"max_epochs": 2})
    assert lines(result)["new samples"] == "not known: training was cut short"


def test_estimates_that_are_nan():
    report = AlphaReport((1.0,), (0.1,), 1, "evidence", chosen=1.0, error_std=(math.nan,))
    text = summary.new_samples(report, FitErrors((1.0,), (1.0,)), None, 0)
    assert text.startswith("not known")
    assert summary.effective_parameters(report) == ""


def test_every_reason_has_a_phrase():
    for code, reason in REASONS.items():
        if code != RUNNING:
            assert summary.stop(reason, True).endswith(", converged")
    for reason in ("max_seconds", "callback", "interrupted"):
        assert summary.stop(reason, False).startswith(f"{reason!r}: ")


@pytest.mark.parametrize(
    ("rmse", "text"),
    [
        (0.0, "R² 1"),
        (1.0, "R² 0"),
        (0.5, "R² 0.750"),
        (0.01, "R² 0.99990"),
        (1e-9, "R² 1"),
        (1e-6, "R² 1.000000000"),
        (2.0, "R² -3"),
        (100.0, "R² -9999"),
    ],
)
def test_digits_of_r2(rmse, text):
    assert summary.training_error(FitErrors((rmse,), (1.0,))).endswith(f"; {text}")
