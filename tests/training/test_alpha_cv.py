"""``alpha="cv"``: the penalty chosen by what the fit has not seen."""

from __future__ import annotations

import _thread
import signal
import threading

import numpy as np
import pytest

from batchprop import loss_and_gradient, train, train_many
from batchprop.solvers.settings import SOLVERS
from batchprop.training import chosen_penalty, cross_validation, penalty_choice
from tests.same_results import assert_same

M = 8
SMALL = {"hidden_size": M, "activation": "tanh", "alpha": "cv"}


def table(n, noise, seed=0, s=1):
    """Two inputs that matter of four, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4, n))
    surface = np.vstack([np.sin(X[0]) + X[1] * X[0], X[1] - X[0] ** 2])[:s]
    return X, surface + noise * rng.normal(size=surface.shape)


X, T = table(60, 0.7)


def fitted(X=X, T=T, **options):
    return train(X, T, **(SMALL | {"n_threads": 1} | options))


@pytest.fixture(scope="module")
def noisy():
    return fitted()


def error(result, noise_free):
    X, T = noise_free
    return float(np.mean((result.network.predict(X) - T) ** 2))


def test_a_noisy_table_gets_a_penalty_near_the_best_of_a_grid(noisy):
    unseen = table(2000, 0.0, seed=1)
    grid = [(a, M * a) for a in 10.0 ** np.arange(-6, 1.5, 0.5)]
    errors = [error(fitted(alpha=pair), unseen) for pair in grid]
    found = error(noisy, unseen)
    assert found < 0.5 * error(fitted(alpha=0.0), unseen)
    assert found < 1.5 * min(errors)
    assert max(errors) > 3 * min(errors)  # the grid tells good from bad


def test_without_noise_the_penalty_is_tiny(noisy):
    teacher = fitted(max_epochs=20, alpha=0.1, hidden_size=3, seed=1).network
    X, _ = table(400, 0.0, seed=7)  # runs end at their minima, whatever the processor rounds
    result = fitted(X, teacher.predict(X))
    assert result.alpha[0] <= 1e-5
    assert result.alpha[0] < noisy.alpha[0] / 100
    assert min(result.alpha_report.alphas) < 1e-4  # below what is always tried
    assert result.loss < 1e-4


def test_the_report_says_what_was_tried(noisy):
    alpha_h, alpha_y = noisy.alpha
    assert alpha_y == pytest.approx(M * alpha_h)
    report = noisy.alpha_report
    assert report.n_folds == 5
    assert list(report.alphas) == sorted(report.alphas)
    assert {1e-4, 1e-3, 1e-2, 1e-1} <= set(report.alphas)
    assert len(report.alphas) == len(report.scores)
    best = report.alphas.index(alpha_h)
    assert report.scores[best] == min(report.scores)
    for near in (best - 1, best + 1):  # half a step of 10 to either side
        assert abs(np.log10(report.alphas[near] / alpha_h)) == pytest.approx(0.5)


def test_the_fit_is_the_one_with_that_penalty(noisy):
    again = fitted(alpha=noisy.alpha)
    assert_same(noisy, again, but={"alpha_report"})
    assert again.alpha_report is None


def test_a_score_is_the_error_of_what_was_left_out(noisy):
    order = np.random.default_rng(0).permutation(60)
    squares, alpha = 0.0, noisy.alpha[0]
    for k in range(5):
        weight = np.ones(60)
        weight[order[k::5]] = 0.0
        rules = {"solver": "lbfgs", "max_epochs": cross_validation.MAX_EPOCHS, "seed": k}
        fold = fitted(alpha=noisy.alpha, sample_weight=weight, **rules).network
        squares += ((fold.predict(X) - T)[0, weight == 0] ** 2).sum()
    expected = squares / 60 / T.var()
    assert noisy.alpha_report.scores[noisy.alpha_report.alphas.index(alpha)] == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("n_threads", [2, 3, None])
def test_any_number_of_threads_comes_to_the_same(noisy, n_threads):
    assert_same(noisy, fitted(n_threads=n_threads))


def test_another_seed_draws_other_folds(noisy):
    other = fitted(seed=1)
    assert other.alpha_report.scores != noisy.alpha_report.scores


def test_a_weight_of_0_is_a_missing_sample():
    weight = np.ones(60)
    weight[::4] = 0.0
    result = fitted(sample_weight=weight)
    without = fitted(X[:, weight > 0], T[:, weight > 0])
    assert result.alpha == without.alpha
    np.testing.assert_allclose(
        result.alpha_report.scores[-3:], without.alpha_report.scores[-3:], rtol=1e-4
    )


def test_weights_are_repeated_samples_where_the_folds_are_the_same(monkeypatch):
    count = 1 + np.arange(60) % 3
    of = np.repeat(np.arange(60), count)  # the sample that each repeated one is

    def folds(present, seed):
        fold = np.arange(60) % 4
        fold = fold if present.size == 60 else fold[of]
        return [np.flatnonzero(fold == k) for k in range(4)]

    monkeypatch.setattr(cross_validation, "_left_out", folds)
    weighted = fitted(sample_weight=count.astype(float))
    repeated = fitted(X[:, of], T[:, of])
    assert weighted.alpha == repeated.alpha
    np.testing.assert_allclose(
        weighted.alpha_report.scores[-3:], repeated.alpha_report.scores[-3:], rtol=1e-4
    )
    plain = fitted()
    assert plain.alpha_report.scores[-1] != pytest.approx(weighted.alpha_report.scores[-1])


@pytest.mark.filterwarnings("ignore:R² is")
def test_validation_data_take_the_place_of_folds():
    unseen = table(40, 0.7, seed=2)
    result = fitted(X_val=unseen[0], T_val=unseen[1])
    report = result.alpha_report
    assert report.n_folds == 0
    scores = [
        fitted(
            alpha=(alpha, M * alpha), X_val=unseen[0], T_val=unseen[1], solver="lbfgs",
            max_epochs=cross_validation.MAX_EPOCHS,
        ).validation_loss / T.var()
        for alpha in report.alphas
    ]  # fmt: skip
    np.testing.assert_allclose(report.scores, scores, rtol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver(solver, noisy):
    result = fitted(solver=solver, max_epochs=3)
    assert result.alpha_report == noisy.alpha_report  # the search does not depend on it
    assert_same(
        result, fitted(solver=solver, max_epochs=3, alpha=noisy.alpha), but={"alpha_report"}
    )


@pytest.mark.parametrize(
    "options", [{"dtype": "float32"}, {"scale": False}, {"activation": "relu"}, {"n_init": 3}]
)
def test_other_options(options):
    result = fitted(**options)
    assert result.alpha[0] >= 1e-3
    for start in result.starts:
        assert start.alpha == result.alpha
        assert start.alpha_report == result.alpha_report
    report = result.alpha_report
    assert result.alpha[0] == report.alphas[int(np.argmin(report.scores))]


def test_several_outputs_count_in_their_own_units():
    data = table(60, 0.5, s=2)
    report = fitted(*data).alpha_report
    other = fitted(data[0], data[1] * np.array([[1024.0], [2.0**-10]])).alpha_report
    assert report.alphas == other.alphas
    np.testing.assert_allclose(report.scores, other.scores, rtol=1e-2)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_few_samples_make_fewer_folds(n):
    result = fitted(X[:, :n], T[:, :n])
    assert result.alpha_report.n_folds == min(5, n)


@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_where_nothing_can_be_compared_there_is_a_fallback():
    with pytest.warns(UserWarning, match="Constant"):
        result = fitted(X[:, :1], T[:, :1])
    assert result.alpha == (chosen_penalty.FALLBACK, M * chosen_penalty.FALLBACK)
    assert result.alpha_report[:3] == ((), (), 0)
    hurried = fitted(max_seconds=1e-6)
    assert hurried.alpha[0] == chosen_penalty.FALLBACK
    assert hurried.stop_reason == "max_seconds"
    assert np.isnan(hurried.alpha_report.scores).all()


def test_a_large_table_leaves_one_fold_out_once(monkeypatch):
    monkeypatch.setattr(cross_validation, "LARGE", 60)
    parts = list(cross_validation._left_out(np.arange(60), 0))
    assert [part.size for part in parts] == [12]
    assert fitted().alpha_report.n_folds == 1


def test_folds_leave_every_sample_out_once():
    for n in (2, 5, 9, 61):
        present = 3 * np.arange(n)
        parts = list(cross_validation._left_out(present, 0))
        assert sorted(np.concatenate(parts)) == list(present)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_callbacks_and_checkpoints_are_of_the_final_fit(noisy, tmp_path):
    seen = []
    path = tmp_path / "run"

    def note(progress):
        if progress.search is None:
            seen.append(progress.epoch)

    result = fitted(callback=note, checkpoint=path)
    assert_same(result, noisy)
    assert seen == list(range(result.n_epochs + 1))
    half = fitted(max_epochs=5)
    onward = fitted(resume=half, max_epochs=6)  # "cv" is what the run has found
    assert onward.alpha == noisy.alpha
    assert onward.alpha_report is None
    assert_same(onward, fitted(max_epochs=11), but={"alpha_report"})
    with pytest.raises(ValueError, match="^alpha must agree with the resumed run"):
        train(X, T, resume=path, alpha=0.5)


def test_train_many_chooses_as_train_does(noisy):
    folds = np.ones(60)
    folds[:10] = 0.0
    mine = [{}, {"seed": 3}, {"alpha": 0.1}, {"sample_weight": folds, "hidden_size": 3}]
    results = train_many(X, T, mine, **SMALL)
    for own, result in zip(mine, results, strict=True):
        assert_same(result, fitted(**own))
    assert_same(results[0], noisy)


@pytest.fixture
def _sigint():
    """A background job, as of a shell's, starts with a SIGINT that is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_sigint")
def test_ctrl_c_in_the_search_returns_the_best_so_far(monkeypatch, noisy):
    searched = penalty_choice.run_all
    calls = []

    def interrupted(specs, monitors, n_threads):
        calls.append(len(specs))
        if len(calls) == 2:
            threading.Timer(0.0, _thread.interrupt_main).start()
            threading.Event().wait(0.2)  # the signal may come here
        return searched(specs, monitors, n_threads)

    monkeypatch.setattr(penalty_choice, "run_all", interrupted)
    try:
        result = fitted(max_epochs=50)
    except KeyboardInterrupt:
        pytest.fail("Ctrl-C in the search was not taken care of")
    assert result.stop_reason == "interrupted"
    start = fitted(max_epochs=0, alpha=result.alpha)
    assert result.loss < 0.9 * start.loss  # a network of the search, not the drawn one


def test_ctrl_c_that_comes_when_all_fits_have_ended_is_not_lost(monkeypatch, noisy):
    searched = penalty_choice.run_all
    calls = []

    def interrupted_late(specs, monitors, n_threads):
        results = searched(specs, monitors, n_threads)
        calls.append(len(specs))
        monitors[0].cancel()  # what ``run_all`` does at Ctrl-C
        return results

    monkeypatch.setattr(penalty_choice, "run_all", interrupted_late)
    assert fitted(max_epochs=50).stop_reason == "interrupted"
    assert len(calls) == 1


def test_max_seconds_leaves_half_of_the_time_for_the_fit(monkeypatch):
    searched, limits = penalty_choice.run_all, []

    def noted(specs, monitors, n_threads):
        limits.extend(monitor.limit for monitor in monitors)
        return searched(specs, monitors, n_threads)

    monkeypatch.setattr(penalty_choice, "run_all", noted)
    assert fitted(max_epochs=3, max_seconds=600.0).n_epochs == 3
    assert len(limits) >= 20
    assert set(limits) == {300.0}


@pytest.mark.parametrize("alpha", ["Auto", "CV", (0.1, "auto"), (), None])
def test_what_it_is_not(alpha):
    with pytest.raises((TypeError, ValueError), match="^alpha must "):
        fitted(alpha=alpha)


def test_it_is_for_training():
    network = fitted(max_epochs=0, alpha=0.0).network
    with pytest.raises(TypeError, match="^alpha must "):
        loss_and_gradient(network, X, T, alpha="cv")


def test_the_estimator_chooses_as_train_does(noisy):
    from batchprop.sklearn import BatchMLPRegressor

    model = BatchMLPRegressor(hidden_size=M, alpha="cv", n_init=1, random_state=0).fit(X.T, T[0])
    assert model.alpha_ == noisy.alpha
    assert model.alpha_report_ == noisy.alpha_report
    np.testing.assert_array_equal(model.network_.theta, noisy.network.theta)
    model = BatchMLPRegressor(hidden_size=M, alpha=(0.5, 4.0), random_state=0).fit(X.T, T[0])
    assert model.alpha_ == (0.5, 4.0)
    assert model.alpha_report_ is None
