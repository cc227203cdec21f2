"""``alpha="auto"``: the penalty chosen by evidence, from the call to the result."""

from __future__ import annotations

import _thread
import io
import math
import signal
import sys
import threading
import warnings

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.sklearn import BatchMLPRegressor
from batchprop.solvers.settings import SOLVERS
from batchprop.training import chosen_penalty, penalty_choice, search_monitor
from tests.same_results import assert_same

M = 8
SMALL = {"hidden_size": M, "alpha": "auto", "n_threads": 1}


def table(n, noise, seed=0, s=1):
    """Two inputs that matter of four, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4, n))
    surface = np.vstack([np.sin(X[0]) + X[1] * X[0], X[1] - X[0] ** 2, X[2]])[:s]
    return X, surface + noise * rng.normal(size=surface.shape)


X, T = table(80, 0.5)


def fitted(X=X, T=T, **options):
    return train(X, T, **(SMALL | options))


@pytest.fixture(scope="module")
def noisy():
    return fitted()


def error(result, unseen):
    X, T = unseen
    return float(np.mean((result.network.predict(X) - T) ** 2))


def test_noisy_tables_get_penalties_near_the_best_of_a_grid():
    ratios, gains = [], []
    for seed in range(4):
        data, unseen = table(80, 0.5, seed), table(2000, 0.0, seed + 10)
        chosen = error(fitted(*data), unseen)
        grid = [(a, M * a) for a in 10.0 ** np.arange(-4, 1.5, 0.5)]
        ratios.append(chosen / min(error(fitted(*data, alpha=pair), unseen) for pair in grid))
        gains.append(error(fitted(*data, alpha=0.0), unseen) / chosen)
    assert np.exp(np.mean(np.log(ratios))) < 1.7
    assert np.exp(np.mean(np.log(gains))) > 2


def test_without_noise_there_is_no_penalty():
    x = np.linspace(-3, 3, 200)[np.newaxis]
    result = fitted(x, np.sinc(x), hidden_size=20)
    assert result.alpha == (0.0, 0.0)
    assert result.alpha_report.chosen == 0.0
    assert_same(result, fitted(x, np.sinc(x), hidden_size=20, alpha=0.0), but={"alpha_report"})


def test_the_report(noisy):
    report = noisy.alpha_report
    assert report.method == "evidence"
    assert list(report.alphas) == sorted(report.alphas)
    assert len(report.alphas) == len(report.scores) == len(report.negative_log_evidence)
    assert noisy.alpha == (report.chosen, M * report.chosen)
    assert (report.n_folds, report.n_hidden, report.n_samples) == (1, 8, 64)
    assert 1 < report.n_effective < 49
    assert report.noise_std[0] == pytest.approx(0.5, rel=0.4)
    assert report.noise_std[0] < report.error_std[0] < 2 * report.noise_std[0]


def test_the_fit_is_the_one_with_that_penalty(noisy):
    again = fitted(alpha=noisy.alpha)
    assert_same(noisy, again, but={"alpha_report"})
    assert again.alpha_report is None


@pytest.mark.parametrize("n_threads", [2, 3, None])
def test_any_number_of_threads_comes_to_the_same(noisy, n_threads):
    assert_same(noisy, fitted(n_threads=n_threads))


def test_a_weight_of_0_is_a_missing_sample():
    weight = np.ones(80)
    weight[::4] = 0.0
    result = fitted(sample_weight=weight)
    without = fitted(X[:, weight > 0], T[:, weight > 0])
    np.testing.assert_allclose(result.alpha, without.alpha, rtol=1e-6)
    np.testing.assert_allclose(
        result.alpha_report.negative_log_evidence[-3:],
        without.alpha_report.negative_log_evidence[-3:],
        rtol=1e-6,
    )


def test_a_weight_of_2_is_a_repeated_sample():
    count = 1 + np.arange(80) % 2
    weighted = fitted(sample_weight=count.astype(float))
    repeated = fitted(np.repeat(X, count, axis=1), np.repeat(T, count, axis=1))
    np.testing.assert_allclose(weighted.alpha, repeated.alpha, rtol=1e-3)
    np.testing.assert_allclose(
        weighted.alpha_report.scores[-3:], repeated.alpha_report.scores[-3:], rtol=1e-4
    )


def test_validation_data_judge():
    unseen = table(40, 0.5, seed=2)
    report = fitted(X_val=unseen[0], T_val=unseen[1]).alpha_report
    assert (report.n_folds, report.n_samples) == (0, 80)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver(solver, noisy):
    result = fitted(solver=solver, max_epochs=3, alpha="evidence")
    assert repr(result.alpha_report) == repr(noisy.alpha_report)


@pytest.mark.parametrize("engine", ["vectorized", "naive"])
def test_every_engine_makes_the_same_choice(engine, noisy):
    result = fitted(engine=engine, max_epochs=1)
    assert repr(result.alpha_report) == repr(noisy.alpha_report)


@pytest.mark.parametrize(
    "options",
    [{"dtype": "float32"}, {"scale": False}, {"activation": "relu"}, {"n_init": 3},
     {"activation": "identity"}, {"hidden_size": 1}, {"hidden_size": 60}],
)  # fmt: skip
def test_other_options(options):
    result = fitted(**options)
    assert result.alpha[0] > 1e-4
    for start in result.starts:
        assert start.alpha == result.alpha
    assert error(result, table(500, 0.0, seed=1)) < T.var()


def test_each_output_has_a_noise_of_its_own():
    data = X, table(80, 0.0, s=3)[1] * [[1.0], [100.0], [0.01]]
    rng = np.random.default_rng(1)
    data[1][1] += 100.0 * rng.normal(size=80)
    noise = fitted(*data).alpha_report.noise_std
    assert noise[1] == pytest.approx(100.0, rel=0.4)
    assert noise[0] < 0.4
    assert noise[2] < 0.004


def test_the_weight_of_validation_data_has_no_unit():
    unseen = table(40, 0.5, seed=2)
    one, other = (
        fitted(X_val=unseen[0], T_val=unseen[1], sample_weight_val=np.full(40, unit))
        for unit in (1.0, 1e9)
    )
    assert other.alpha == pytest.approx(one.alpha)


@pytest.mark.parametrize("method", ["evidence", "cv"])
@pytest.mark.parametrize("outlier", [1e200, 1e300])
def test_validation_data_whose_squares_overflow(method, outlier):
    far = X.copy()
    far[0, 3] = outlier
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fitted(X_val=far, T_val=T, activation="identity", alpha=method, max_epochs=5)
    assert np.isfinite(result.alpha).all()
    texts = [str(warning.message) for warning in caught]
    assert not any("encountered in" in text for text in texts), texts  # NumPy's


def test_of_many_outputs_some_have_no_noise_that_is_known():
    rng = np.random.default_rng(0)
    many = np.vstack([rng.normal(size=(60, 4)) @ X, np.ones((1, 80))])
    with pytest.warns(UserWarning, match="predicted as they are"):
        noise = np.array(fitted(X, many, max_epochs=2).alpha_report.noise_std)
    assert np.count_nonzero(np.isfinite(noise)) == 51
    assert noise[60] == 0.0


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 20])
def test_few_samples(n):
    result = fitted(X[:, :n], T[:, :n], max_epochs=50)
    assert np.isfinite(result.network.predict(X)).all()
    assert np.isfinite(result.alpha).all()
    if n == 1:
        assert result.alpha[0] == chosen_penalty.FALLBACK


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_odd_tables():
    rng = np.random.default_rng(0)
    constant = fitted(X, np.full_like(T, 3.0))
    np.testing.assert_allclose(constant.network.predict(X), 3.0)
    assert constant.alpha[0] == chosen_penalty.FALLBACK
    duplicates = np.repeat(X[:, :10], 8, axis=1), np.repeat(T[:, :10], 8, axis=1)
    wide = rng.normal(size=(200, 40))
    half = np.vstack([X, np.ones(80)]), np.vstack([T, np.ones(80)])
    for data in (duplicates, (X[:1], T), (wide, wide[:1]), half):
        result = fitted(*data, max_epochs=50)
        assert np.isfinite(result.network.theta).all()
        assert np.isfinite(result.alpha_report.chosen)


def test_another_unit_of_the_targets():
    report, other = fitted().alpha_report, fitted(X, 1024.0 * T).alpha_report
    assert report.chosen == pytest.approx(other.chosen, rel=1e-9)
    np.testing.assert_allclose(1024.0 * np.array(report.noise_std), other.noise_std, rtol=1e-9)


def test_the_solver_is_the_one_that_suits_the_chosen_penalty(noisy):
    quiet = fitted(*table(60, 0.0), max_epochs=30)
    assert (noisy.solver, quiet.solver) == ("lbfgs", "lm")
    for data, chosen in (((X, T), fitted(max_epochs=30)), (table(60, 0.0), quiet)):
        known = fitted(*data, alpha=chosen.alpha, max_epochs=30)
        assert known.checkpoint.arguments == chosen.checkpoint.arguments
        assert_same(known, chosen, but={"alpha_report"})
    assert fitted(solver="lm", max_epochs=3).solver == "lm"


def test_a_run_whose_solver_the_penalty_chose_can_be_resumed():
    begun = fitted(max_epochs=10)
    assert begun.solver == "lbfgs"
    resumed = train(X, T, resume=begun, max_epochs=20)
    assert_same(resumed, fitted(max_epochs=30), but={"alpha_report"})


def test_checkpoints_and_resume(noisy, tmp_path):
    half = fitted(max_epochs=5, checkpoint=tmp_path / "run")
    for source in (half, tmp_path / "run"):
        onward = fitted(resume=source, max_epochs=6)  # "auto" is what the run has chosen
        assert onward.alpha == noisy.alpha
        assert onward.alpha_report is None
        assert_same(onward, fitted(max_epochs=11), but={"alpha_report"})


def test_train_many_chooses_as_train_does(noisy):
    configurations = [{}, {"seed": 3}, {"alpha": 0.1}, {"alpha": "cv"}, {"hidden_size": 3}]
    results = train_many(X, T, configurations, **SMALL)
    for options, result in zip(configurations, results, strict=True):
        assert_same(result, fitted(**options))
    assert_same(results[0], noisy)


def test_the_estimator_chooses_as_train_does(noisy):
    model = BatchMLPRegressor(hidden_size=M, n_init=1, random_state=0).fit(X.T, T[0])
    assert model.alpha_ == noisy.alpha
    np.testing.assert_array_equal(model.network_.theta, noisy.network.theta)


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_there_is_a_fallback_where_time_is_short():
    hurried = fitted(max_seconds=1e-6)
    assert hurried.alpha[0] == chosen_penalty.FALLBACK
    assert hurried.stop_reason == "max_seconds"


@pytest.fixture
def _sigint():
    """A background job, as of a shell's, starts with a SIGINT that is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_sigint")
def test_ctrl_c_in_the_search_returns_the_best_so_far(monkeypatch):
    searched, calls = penalty_choice.run_all, []

    def interrupted(specs, monitors, n_threads):
        calls.append(len(specs))
        if len(calls) == 6:
            threading.Timer(0.0, _thread.interrupt_main).start()
            threading.Event().wait(0.2)  # the signal may come here
        return searched(specs, monitors, n_threads)

    monkeypatch.setattr(penalty_choice, "run_all", interrupted)
    result = fitted(max_epochs=50)
    assert result.stop_reason == "interrupted"
    assert result.loss < 0.9 * fitted(max_epochs=0, alpha=result.alpha).loss


def test_a_callback_observes_the_search(monkeypatch, noisy):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)
    seen = []
    assert_same(fitted(callback=seen.append), noisy)
    of_search = [progress.search for progress in seen if progress.search is not None]
    assert {search.alpha for search in of_search} >= set(noisy.alpha_report.alphas)
    assert all(search.n_done < search.n_fits for search in of_search)
    assert math.isnan(seen[0].loss)


@pytest.mark.parametrize("n_init", [1, 3])
def test_a_true_answer_ends_the_search_and_the_run(monkeypatch, n_init):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)
    result = fitted(n_init=n_init, callback=lambda p: p.search is not None and p.search.n_done > 3)
    assert {start.stop_reason for start in result.starts or (result,)} == {"callback"}
    assert result.n_epochs == 0


def test_the_progress_line(monkeypatch):
    monkeypatch.setattr(search_monitor, "_SECONDS", 0.0)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    fitted(progress=True, max_epochs=3)
    assert stream.getvalue().startswith("alpha 1.0e+01  fit 1 of 2  ")
