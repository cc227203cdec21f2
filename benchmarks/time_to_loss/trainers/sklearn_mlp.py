"""scikit-learn's MLPRegressor with its own tolerances and an unlimited number of iterations.

The initial parameters are inserted through the method that draws them.  For L-BFGS, the loss
Σ ‖y − t‖² / (2 N s) of each evaluation is recorded (ours is 2 s times that); for the other solvers,
the parameters at the end of each epoch.  ``alpha`` is 0, so that the same function is minimised.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from benchmarks.data import Array
from benchmarks.time_to_loss.problems import Workload
from benchmarks.time_to_loss.trail import OutOfTime, Trail

LIMIT = 10**7  # iterations, so that tolerances or the clock end a run


class Clocked(MLPRegressor):
    """Starts from given parameters and records its course."""

    workload: Workload
    trail: Trail

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Array, Array]:
        start = self.workload.start
        first = fan_in == start.W_h.shape[1] and not self._drawn
        self._drawn = True
        W, b = (start.W_h, start.b_h) if first else (start.W_y, start.b_y)
        return np.array(W.T, dtype), np.array(b, dtype)

    def _loss_grad_lbfgs(self, *args: Any) -> tuple[float, Array]:
        loss, slope = super()._loss_grad_lbfgs(*args)
        self.trail.loss(2 * self.workload.case.s * float(loss))
        return loss, slope

    def _update_no_improvement_count(self, *args: Any) -> None:
        super()._update_no_improvement_count(*args)
        self.trail.place(*self.place())

    def place(self) -> tuple[Array, ...]:
        (W_h, W_y), (b_h, b_y) = self.coefs_, self.intercepts_
        return W_h.T, b_h, W_y.T, b_y


def _fit(workload: Workload, solver: str, trail: Trail, most: int) -> bool:
    model = Clocked(
        hidden_layer_sizes=(workload.case.m,),
        activation=workload.case.activation,
        solver=solver,
        alpha=0.0,
        max_iter=most,
        max_fun=LIMIT,
        random_state=0,
    )
    model.workload, model.trail, model._drawn = workload, trail, False
    T = workload.T.ravel() if workload.case.s == 1 else workload.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # an overflow is visible in the loss
        try:
            model.fit(workload.X, T)
        except OutOfTime:
            return False
        except ValueError as error:  # raised for weights that are not finite
            if "non-finite" not in str(error):
                raise
    trail.end(*model.place())
    return True


def warm_up(workload: Workload, solver: str) -> None:
    _fit(workload, solver, Trail(float("inf")), 2)


def train(workload: Workload, solver: str, cap: float) -> tuple[Trail, bool]:
    """Train to convergence or until time is up; return the trail and whether it converged."""
    trail = Trail(cap)
    return trail, _fit(workload, solver, trail, LIMIT)


def versions() -> dict[str, str]:
    return {"scikit-learn": sklearn.__version__}
