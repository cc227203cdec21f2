"""What ends ``minimize``: our rules rather than a method's own, and a last point it keeps back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize

from batchprop import loss_and_gradient, train
from batchprop.solvers.scipy_settings import METHODS
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=20)


@pytest.mark.parametrize("method", METHODS)
def test_a_methods_own_tolerances_are_off(method):
    options = METHODS[method]
    tolerances = {name: value for name, value in options.items() if name.endswith(("tol", "tols"))}
    assert set(tolerances.values()) <= ({0.0, 1e-15} if method == "trust-constr" else {0.0})
    assert tolerances
    limits = set(options) - set(tolerances)
    assert limits <= {"maxiter", "maxfun", "maxfev"}
    assert {options[name] for name in limits} == {2**31 - 1}


def test_the_last_point_counts_where_no_callback_told_of_it(monkeypatch):
    start = CASE.network.theta
    first, last = start + 0.01, start + 0.02

    def minimize(fun, x0, callback, **options):
        np.testing.assert_array_equal(x0, start)
        fun(first)
        callback(first)
        return SimpleNamespace(x=last, success=True, status=0)

    monkeypatch.setattr(scipy.optimize, "minimize", minimize)
    result = train(
        CASE.X, CASE.T, network=CASE.network, solver="scipy", scale=False, tol=None, alpha=0.0
    )
    assert (result.stop_reason, result.n_epochs, result.converged) == ("method", 2, True)
    np.testing.assert_array_equal(result.last_network.theta, last)
    at_last, _ = loss_and_gradient(result.last_network, CASE.X, CASE.T)
    assert result.loss_curve[-1] == pytest.approx(at_last, rel=1e-12)


def test_the_last_point_counts_once(monkeypatch):
    last = CASE.network.theta + 0.01

    def minimize(fun, x0, callback, **options):
        callback(last)
        return SimpleNamespace(x=last, success=True, status=0)

    monkeypatch.setattr(scipy.optimize, "minimize", minimize)
    result = train(
        CASE.X, CASE.T, network=CASE.network, solver="scipy", scale=False, tol=None, alpha=0.0
    )
    assert result.n_epochs == 1


@pytest.mark.parametrize(("status", "reason"), [(1, "method_gave_up"), (2, "line_search")])
def test_what_a_failure_means(status, reason, monkeypatch):
    def minimize(fun, x0, callback, **options):
        return SimpleNamespace(x=x0, success=False, status=status)

    monkeypatch.setattr(scipy.optimize, "minimize", minimize)
    result = train(
        CASE.X, CASE.T, network=CASE.network, solver="scipy", tol=None, scale=False, alpha=0.0
    )
    assert result.stop_reason == reason


def test_a_method_may_go_on_in_the_array_that_it_told_of(monkeypatch):
    def minimize(fun, x0, callback, **options):
        x = x0 + 0.01
        callback(x)
        x += 0.01
        return SimpleNamespace(x=x, success=True, status=0)

    monkeypatch.setattr(scipy.optimize, "minimize", minimize)
    result = train(
        CASE.X, CASE.T, network=CASE.network, solver="scipy", scale=False, tol=None, alpha=0.0
    )
    assert result.n_epochs == 2
    np.testing.assert_allclose(result.last_network.theta, CASE.network.theta + 0.02)
