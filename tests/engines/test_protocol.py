"""Every engine fulfils the protocol, and a fourth one is one file that does."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import batchprop
from batchprop import engines, train, train_many
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines import protocol
from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling
from batchprop.solvers import registry
from batchprop.solvers.settings import SOLVERS
from batchprop.threads.cancellation import Cancellation, Cancelled
from tests.engines import halves
from tests.problems import problem, relative_error

ENGINES = (*batchprop.ENGINES, "halves")
KINDS = ("Objective", "GaussNewtonObjective")


@pytest.fixture(autouse=True)
def fourth(monkeypatch):
    """Enter the fourth engine, as its author would."""
    monkeypatch.setitem(engines.LOADERS, "halves", lambda: halves)
    halves.threads.clear()


def opened(engine, kind, cancellation=None):
    case = problem(e=2, m=3, s=2, n_samples=40, weighted=True)
    samples = Samples(case.X, case.T, case.weight, Scaling.of(case.X, case.T, case.weight))
    form = case.network.shape, case.network.activation, case.network.dtype
    objective = getattr(engines.load(engine), kind)(samples, *form, 1, cancellation)
    return objective, case.network.theta


def parameters(function, skipped=0):
    """Return names and defaults of the parameters."""
    found = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.default) for parameter in found][skipped:]


def test_the_names():
    assert engines.names() == ENGINES
    assert batchprop.ENGINES == ("naive", "vectorized", "fused")


@pytest.mark.parametrize("engine", ENGINES)
def test_all_are_opened_and_called_alike(engine):
    module = engines.load(engine)
    expected = parameters(protocol.OpenObjective.__call__, skipped=1)
    for kind in KINDS:
        assert parameters(getattr(module, kind)) == expected
    for name in ("predict", "jacobian", "example_calls", "example_predictions"):
        expected = parameters(getattr(protocol.Engine, name), skipped=1)
        assert parameters(getattr(module, name)) == expected
    assert type(module.releases_gil) is bool


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_objective_has_what_the_protocol_names(engine, kind):
    cancellation = Cancellation(str)
    objective, theta = opened(engine, kind, cancellation)
    wanted = getattr(protocol, kind)
    with objective as entered:
        assert entered is objective
        assert objective.cancellation is cancellation
        loss = objective.loss(theta)
        assert type(loss) is type(objective.reported_loss) is float
        assert isinstance(objective, wanted)
        for name, function in inspect.getmembers(wanted, inspect.isfunction):
            if not name.startswith("_"):
                own = parameters(getattr(objective, name))
                assert own == parameters(function, skipped=1), name
        assert isinstance(objective.task, KernelStruct) == (engine == "fused")
    objective.close()  # again
    with opened(engine, kind)[0] as alone:
        assert alone.cancellation is None


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_cancelled_raises(engine):
    cancellation = Cancellation(str)
    objective, theta = opened(engine, "GaussNewtonObjective", cancellation)
    gradient, JTJ = np.empty(theta.size), np.empty((theta.size, theta.size))
    with objective:
        objective.loss(theta)
        cancellation.cancel()
        for call, arguments in (
            (objective.loss, (theta,)),
            (objective.loss_and_gradient, (theta, gradient)),
            (objective.gauss_newton, (theta, gradient, JTJ)),
            (objective.curvature, (np.stack([theta, theta + 1, theta - 1]), gradient)),
        ):
            with pytest.raises(Cancelled):
                call(*arguments)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_has_what_the_protocol_names(solver):
    from batchprop.solvers.protocol import Solver

    module = registry.load(solver)
    assert module.needs_gauss_newton == (solver == "lm")
    for name, function in inspect.getmembers(Solver, inspect.isfunction):
        if not name.startswith("_"):
            own = parameters(getattr(module, name))
            assert own == parameters(function, skipped=1), name


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_trains_with_a_fourth_engine(solver, scale):
    case, held_out = (problem(e=2, m=4, s=2, n_samples=n, weighted=True) for n in (51, 20))
    options = {
        "hidden_size": 4, "solver": solver, "scale": scale, "max_epochs": 8, "seed": 3,
        "sample_weight": case.weight, "X_val": held_out.X, "T_val": 50 + 7 * held_out.T,
        "alpha": (0.1, 0.2),
    }  # fmt: skip
    T = 50 + 7 * case.T
    fourth, expected = (
        train(case.X, T, engine=engine, **{"alpha": 0.0} | options)
        for engine in ("halves", "vectorized")
    )
    for curve in ("loss_curve", "validation_loss_curve"):
        np.testing.assert_allclose(getattr(fourth, curve), getattr(expected, curve), rtol=1e-8)
    assert fourth.n_evaluations == expected.n_evaluations
    assert relative_error(fourth.network.theta, expected.network.theta) < 1e-6
    assert fourth.loss == pytest.approx(expected.loss, rel=1e-8)
    assert halves.threads, "the fourth engine was not asked"


def test_calls_that_do_not_train_take_its_name():
    case = problem(e=2, m=4, s=2, n_samples=51, weighted=True)
    net, X, T, weight = case

    def of(engine):
        rest = {"engine": engine, "sample_weight": weight}
        loss, gradient = batchprop.loss_and_gradient(net, X, T, **rest)
        matrix = batchprop.gauss_newton(net, X, T, **rest)
        dY_dX = net.jacobian(X, engine=engine)
        return loss, gradient.theta, matrix.JTJ, net.predict(X, engine=engine), dY_dX

    for own, expected in zip(of("halves"), of("naive"), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-11, atol=1e-14)
    assert batchprop.check_gradient(net, X, T, engine="halves").passed


def test_a_run_goes_on_with_it(tmp_path):
    case = problem(e=2, m=4, s=1, n_samples=51)
    options = {"hidden_size": 4, "engine": "halves", "solver": "lm", "seed": 3}
    whole = train(case.X, case.T, max_epochs=9, **{"alpha": 0.0} | options)
    first = train(case.X, case.T, max_epochs=4, **{"alpha": 0.0} | options)
    first.checkpoint.save(tmp_path / "run.npz")
    resumed = train(case.X, case.T, resume=tmp_path / "run.npz", max_epochs=5)
    np.testing.assert_array_equal(resumed.loss_curve, whole.loss_curve)


@pytest.mark.parametrize("releases_gil", [True, False])
def test_networks_train_side_by_side_where_the_interpreter_is_free(releases_gil, monkeypatch):
    monkeypatch.setattr(halves, "releases_gil", releases_gil)
    case = problem(e=2, m=4, s=1, n_samples=51)
    options = {"engine": "halves", "solver": "gd", "max_epochs": 50, "n_threads": 2}
    train_many(
        case.X, case.T, [{"seed": 1}, {"seed": 2}], hidden_size=4, **{"alpha": 0.0} | options
    )
    beside = {name for name in halves.threads if name.startswith("batchprop-network")}
    assert bool(beside) == releases_gil
