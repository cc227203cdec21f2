"""Several starts whose mean is returned as one network."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from batchprop import ENGINES, Network, average, loss_and_gradient, train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.training import run_result
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.combination import averaged, combined
from tests.problems import problem
from tests.same_results import assert_same

CASE = problem(n_samples=90)
COMMON = {"alpha": 0.0, "solver": "gd", "max_epochs": 15, "hidden_size": 4}
HELD_OUT = {"X_val": CASE.X[:, :7], "T_val": CASE.T[:, :7], "patience": 5}
WEIGHTS = {"sample_weight": np.arange(90.0), "sample_weight_val": np.arange(7.0)}


def trained(**options):
    return train(CASE.X, CASE.T, **COMMON | {"n_init": 5, "combine": "mean"} | options)


def ended(result, **changes):
    """Return a result as if it had ended in another way."""
    fields = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return type(result)(**fields | changes)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alpha": 0.5, "seed": 3},
        {"alpha": "auto", "n_init": 2},
        {"dtype": "float32", "activation": "relu"},
        {"dtype": "float32", "solver": "lm"},
        {"scale": False, "sample_weight": np.arange(90.0)},
        HELD_OUT,
        HELD_OUT | WEIGHTS,
    ],
    ids=lambda options: "-".join(options) or "default",
)
def test_the_mean_of_the_starts(options, n_threads):
    result = trained(n_threads=n_threads, **options)
    best = trained(combine="best", n_threads=1, **options)
    assert result.combine == "mean"
    for start, expected in zip(result.starts, best.starts, strict=True):
        assert_same(start, expected)
    for name in ("network", "last_network"):
        mean = average(getattr(start, name) for start in result.starts)
        np.testing.assert_array_equal(getattr(result, name).theta, mean.theta)
    weights = {"sample_weight": options.get("sample_weight")}
    loss, _ = loss_and_gradient(result.network, CASE.X, CASE.T, **weights)
    assert result.loss == pytest.approx(loss, rel=1e-6)
    assert result.loss <= np.mean([start.loss for start in result.starts])
    if "X_val" in options:
        weights = {"sample_weight": options.get("sample_weight_val")}
        expected, _ = loss_and_gradient(result.network, CASE.X[:, :7], CASE.T[:, :7], **weights)
        assert result.validation_loss == result.selection_score == pytest.approx(expected, rel=1e-6)
    else:
        assert math.isnan(result.validation_loss)
        assert result.selection_score == pytest.approx(
            np.mean([start.selection_score for start in result.starts])
        )
    assert result.alpha == best.alpha  # of a network of m units


def test_what_a_result_of_a_mean_says_of_a_run_is_that_of_one_start():
    result = trained()
    run = min(result.starts, key=lambda start: start.selection_score)
    for name in ("n_epochs", "n_evaluations", "gradient_norm", "best_epoch", "checkpoint"):
        assert getattr(result, name) == getattr(run, name)
    np.testing.assert_array_equal(result.loss_curve, run.loss_curve)
    assert (result.stop_reason, result.converged) == ("max_epochs", False)
    assert isinstance(result.checkpoint, Checkpoint)
    assert result.seconds >= max(start.seconds for start in result.starts)
    assert "mean of 5 of 5 starts, stopped by 'max_epochs'" in repr(result)


def test_it_has_converged_if_all_starts_have():
    target = {"target_loss": 1e9, "max_epochs": 3}
    result = trained(**target)
    assert (result.stop_reason, result.converged) == ("target_loss", True)
    starts = list(result.starts)
    starts[1] = ended(starts[1], stop_reason="max_epochs", converged=False, selection_score=1e9)
    spec = _Spec(result)
    mixed = combined(spec, starts, "mean", time.perf_counter())
    assert (mixed.stop_reason, mixed.converged) == ("max_epochs", False)
    assert mixed.checkpoint is starts[1].checkpoint
    assert mixed.network.shape.n_hidden == 20


class _Spec:
    """What a combination needs of a specification: the data, and how to evaluate a network."""

    engine, n_threads = "fused", 1

    def __init__(self, result):
        from batchprop.training.dataset import DatasetBuilder
        from batchprop.training.initial_network import InitialNetwork
        from batchprop.training.options import TrainOptions

        options = TrainOptions(hidden_size=4)
        builder = DatasetBuilder(CASE.X, CASE.T)
        self.dataset = builder.build(options, InitialNetwork.of(options), True, stacklevel=1)


def test_which_starts_take_part():
    starts = trained().starts
    order = np.argsort([start.selection_score for start in starts])
    best, worst = starts[order[0]], starts[order[-1]]
    assert averaged(starts) == list(starts)
    cut = {"stop_reason": "max_seconds"}
    begun = ended(best, **cut)  # better than those that ended by themselves
    late = ended(worst, **cut, selection_score=2 * worst.selection_score)
    fresh = ended(best, stop_reason="interrupted", checkpoint=None, n_epochs=0)
    lost = ended(best, stop_reason="non_finite")
    unknown = ended(
        best, stop_reason="callback", n_epochs=0, selection_score=math.nan, loss=math.nan
    )
    assert averaged([best, worst, begun, late, fresh, lost, unknown]) == [best, worst, begun]
    assert averaged([begun, late, fresh]) == [begun, late]  # none ended by itself
    assert averaged([unknown, late, fresh]) == [late]
    assert averaged([unknown, fresh]) == [fresh]  # a score of NaN is never the best
    assert averaged([lost, lost]) == [lost]


def test_starts_without_a_step_are_left_out():
    """Those of a second group of threads begin when the first group has been cut short."""
    epochs = []

    def callback(progress):
        epochs.append(progress.epoch)
        return progress.start == 1 and progress.epoch == 3

    result = trained(n_threads=1, callback=callback, max_epochs=10)
    assert result.stop_reason == "callback"
    assert [start.n_epochs for start in result.starts] == [10, 3, 0, 0, 0]
    first, second = result.starts[:2]
    members = [first, second] if second.selection_score <= first.selection_score else [first]
    np.testing.assert_array_equal(
        result.network.theta, average(start.network for start in members).theta
    )
    assert not result.converged
    assert f"mean of {len(members)} of 5 starts" in repr(result)


def test_the_clock_before_any_start():
    with pytest.warns(UserWarning, match="has learnt nothing"):
        result = trained(max_seconds=1e-9, n_threads=1)
    assert (result.stop_reason, result.network.shape.n_hidden) == ("max_seconds", 4)
    assert len(result.starts) == 5


def test_ctrl_c_while_the_mean_is_evaluated(monkeypatch):
    measure = run_result.output_losses

    def interrupted(network, *arguments, **options):
        if network.shape.n_hidden == 20:
            raise KeyboardInterrupt
        return measure(network, *arguments, **options)

    monkeypatch.setattr(run_result, "output_losses", interrupted)
    result = trained()
    assert result.network.shape.n_hidden == 20
    assert math.isnan(result.loss)
    assert "nan" not in str(result).lower()


def test_no_step_was_asked_for():
    result = trained(max_epochs=0)
    assert (result.network.shape.n_hidden, result.stop_reason) == (20, "max_epochs")


def test_a_single_start_is_its_own_mean():
    result = trained(n_init=1)
    assert_same(result, trained(n_init=1, combine="best"))
    assert (result.combine, result.starts) == ("best", ())
    train(CASE.X, CASE.T, network=CASE.network, combine="mean", max_epochs=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine(engine):
    result = trained(engine=engine, max_epochs=3, n_init=2)
    mean = average(start.network for start in result.starts)
    np.testing.assert_array_equal(result.network.theta, mean.theta)


def test_the_mean_is_not_a_run_that_can_be_resumed():
    result = trained()
    message = r"^resume must be a single run; got the mean of 5 starts\. Resume each of result\.st"
    with pytest.raises(ValueError, match=message):
        train(CASE.X, CASE.T, resume=result)
    longer = [train(CASE.X, CASE.T, resume=s, max_epochs=10).network for s in result.starts]
    np.testing.assert_array_equal(average(longer).theta, trained(max_epochs=25).network.theta)
    further = train(CASE.X, CASE.T, network=result.network, max_epochs=20, alpha=0.0)
    assert further.network.shape.n_hidden == 20
    assert further.loss < result.loss


def test_another_combination_is_refused():
    with pytest.raises(ValueError, match=r"^combine must be one of best, mean; got 'maen'\. Did"):
        trained(combine="maen")


def test_starts_that_diverge_are_left_out_with_a_warning():
    options = {"scale": False, "tol": None, "max_epochs": 300, "activation": "relu"}
    for learning_rate in np.geomspace(0.05, 2.0, 30):
        with np.errstate(all="ignore"):
            try:
                with pytest.warns(RuntimeWarning, match="are left out of the mean") as caught:
                    result = trained(learning_rate=learning_rate, n_init=8, **options)
                break
            except pytest.fail.Exception:
                continue
    else:
        pytest.fail("no learning rate at which some starts diverge and some do not")
    lost = [k for k, s in enumerate(result.starts) if s.stop_reason == "non_finite"]
    (warning,) = caught
    assert warning.filename == __file__
    assert f"{len(lost)} of 8 starts" in str(warning.message)
    assert f"the mean: {', '.join(map(str, lost))} in" in str(warning.message)
    finite = [s.network for s in result.starts if s.stop_reason != "non_finite"]
    np.testing.assert_array_equal(result.network.theta, average(finite).theta)
    assert not result.converged


def test_the_mean_is_saved_and_loaded(tmp_path):
    network = trained().network
    network.save(tmp_path / "mean.npz")
    np.testing.assert_array_equal(Network.load(tmp_path / "mean.npz").theta, network.theta)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_averages():
    options = {"hidden_size": 4, "max_iter": 15, "n_init": 3, "random_state": 0, "solver": "lbfgs"}
    x, y = CASE.X.T, CASE.T.T
    model = BatchMLPRegressor(**{"alpha": 0.0} | options, combine="mean").fit(x, y)
    alone = [
        BatchMLPRegressor(**{"alpha": 0.0} | options | {"n_init": 1, "random_state": k})
        .fit(x, y)
        .predict(x)
        for k in range(3)
    ]
    np.testing.assert_allclose(model.predict(x), np.mean(alone, axis=0), atol=1e-12)
    assert model.coefs_[0].shape == (3, 12)
    assert model.start_losses_.size == 3
    assert model.loss_ < model.start_losses_.mean()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_warm_start_begins_anew():
    options = {"hidden_size": 4, "max_iter": 15, "n_init": 3, "random_state": 0, "warm_start": True}
    model = BatchMLPRegressor(**{"alpha": 0.0} | options, combine="mean").fit(CASE.X.T, CASE.T.T)
    theta = model.network_.theta
    np.testing.assert_array_equal(model.fit(CASE.X.T, CASE.T.T).network_.theta, theta)
