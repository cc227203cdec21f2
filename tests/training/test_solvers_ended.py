"""Every solver under the same onlooker: callbacks, the clock, Ctrl-C, validation data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchprop import loss_and_gradient, train
from batchprop.solvers.settings import SOLVERS
from batchprop.solvers.stopping import CONVERGED
from tests.interrupted import interrupted
from tests.platforms import needs_interrupts
from tests.problems import problem

SECOND_ORDER = ("lbfgs", "lm", "scipy")  # tests/training/test_endings.py ends the others
EVERY_SOLVER = pytest.mark.parametrize("solver", SOLVERS)
EVERY_ENGINE = pytest.mark.parametrize("engine", ["fused", "vectorized"])


def trained(case, solver, **options):
    return train(
        case.X, case.T, solver=solver, hidden_size=6,
        **{"alpha": 0.0, "max_epochs": 12, "tol": None, "gradient_tol": None} | options,
    )  # fmt: skip


def assert_whole(result, whole, case):
    """What an ended run has come to is the beginning of the whole one."""
    n = result.n_epochs
    np.testing.assert_array_equal(result.loss_curve, whole.loss_curve[: n + 1])
    assert result.loss == result.loss_curve[result.best_epoch] == result.loss_curve.min()
    for network, loss in (
        (result.network, result.loss),
        (result.last_network, result.loss_curve[-1]),
    ):
        again, _ = loss_and_gradient(network, case.X, case.T, engine="vectorized")
        assert again == pytest.approx(loss, rel=1e-9)


@EVERY_ENGINE
@EVERY_SOLVER
@pytest.mark.parametrize("every", [1, 5])
def test_the_callback_is_called_every_so_many_epochs_and_changes_nothing(solver, engine, every):
    case, told = problem(n_samples=30), []
    result = trained(case, solver, engine=engine, callback=told.append, callback_every=every)
    assert [progress.epoch for progress in told] == sorted({*range(0, 13, every), 12})
    for progress in told:
        assert progress.loss == result.loss_curve[progress.epoch]
        assert progress.best_loss == result.loss_curve[: progress.epoch + 1].min()
        assert progress.gradient_norm > 0
        assert progress.evaluations > progress.epoch
        assert progress.step > 0 or progress.epoch == 0
    for name in ("evaluations", "seconds"):
        values = [getattr(progress, name) for progress in told]
        assert values == sorted(values)
    assert told[-1].evaluations == result.n_evaluations
    assert_whole(result, trained(case, solver, engine=engine), case)


@EVERY_ENGINE
@EVERY_SOLVER
@pytest.mark.parametrize("at", [0, 1, 7])
def test_the_callback_stops_the_run(solver, engine, at):
    case = problem(n_samples=30)
    result = trained(case, solver, engine=engine, callback=lambda progress: progress.epoch == at)
    assert (result.n_epochs, result.stop_reason, result.converged) == (at, "callback", False)
    assert_whole(result, trained(case, solver, engine=engine), case)


@EVERY_SOLVER
@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_what_a_callback_raises(solver, error):
    """Ctrl-C returns the best network; anything else is the caller's."""
    case = problem(n_samples=30)

    def callback(progress):
        if progress.epoch == 5:
            raise error

    if error is LookupError:
        with pytest.raises(LookupError):
            trained(case, solver, callback=callback)
    else:
        result = trained(case, solver, callback=callback)
        assert (result.n_epochs, result.stop_reason) == (5, "interrupted")
        assert_whole(result, trained(case, solver), case)


@EVERY_ENGINE
@EVERY_SOLVER
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_the_clock(solver, engine):
    case = problem(e=4, n_samples=500)
    result = trained(case, solver, engine=engine, max_epochs=None, max_seconds=1e-9)
    assert (result.n_epochs, result.stop_reason) == (0, "max_seconds")
    result = trained(case, solver, engine=engine, max_epochs=None, max_seconds=0.1)
    assert result.stop_reason in {"max_seconds", *CONVERGED}  # there may be nothing left to do
    assert result.loss_curve.shape == (result.n_epochs + 1,)
    # on a busy machine the time may end within the first evaluation that Python makes
    assert np.isfinite(result.loss_curve).all() or (engine != "fused" and result.n_evaluations == 0)


@EVERY_SOLVER
def test_the_best_network_by_validation_data_and_patience(solver):
    case, held_out = problem(n_samples=12), problem(n_samples=12, seed=1)
    data = {"X_val": held_out.X, "T_val": held_out.T}
    told = []
    result = trained(case, solver, max_epochs=40, patience=4, callback=told.append, **data)
    curve = result.validation_loss_curve
    assert curve.shape == result.loss_curve.shape
    assert result.best_epoch == int(np.argmin(curve))
    assert result.validation_loss == curve.min()
    again, _ = loss_and_gradient(result.network, held_out.X, held_out.T)
    assert again == pytest.approx(curve.min(), rel=1e-9)
    assert (result.n_epochs == result.best_epoch + 4) == (result.stop_reason == "patience")
    assert result.stop_reason in {"patience", "max_epochs"}
    np.testing.assert_array_equal([progress.validation_loss for progress in told], curve)


SIGNALLED = """
import json, signal, threading
import numpy as np
import batchprop

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts without one
rng = np.random.default_rng(0)
X = rng.normal(size=(3, 3000))
T = np.sin(2 * X[:1]) * X[1:2] + 0.3 * rng.normal(size=(1, 3000))
result = batchprop.train(
    X, T, hidden_size=60, solver={solver!r}, alpha=0.0, n_threads={n_threads}, max_epochs=None,
    tol=None, gradient_tol=None, callback=lambda progress: print("running", flush=True),
    callback_every=10**12,
)
loss, _ = batchprop.loss_and_gradient(result.network, X, T)
print(json.dumps({{
    "reason": result.stop_reason, "epochs": result.n_epochs, "curve": result.loss_curve.size,
    "loss": [result.loss, loss, float(result.loss_curve.min())],
    "first": float(result.loss_curve[0]), "threads": threading.active_count(),
}}))
"""


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("solver", SECOND_ORDER)
@needs_interrupts
def test_a_real_signal(solver, n_threads):
    code = SIGNALLED.format(solver=solver, n_threads=n_threads)
    ended = interrupted(code, 0.4)  # into the stretch of compiled epochs
    told = json.loads(ended.out)
    assert (told["reason"], told["threads"]) == ("interrupted", 1)
    assert told["curve"] == told["epochs"] + 1
    best, again, lowest = told["loss"]
    assert best == lowest == pytest.approx(again, rel=1e-9)
    assert best < told["first"]
