"""scikit-learn's MLPRegressor with its own tolerances, but as many iterations as it takes.

Its start is put in through the method that draws it.  The loss of L-BFGS is noted at each
evaluation, Σ ‖y − t‖² / (2 N s), of which ours is 2 s times as much; where the others are, at the
end of each epoch.  ``alpha`` is 0, or else not the same function would be minimised.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from benchmarks.data import Array
from benchmarks.time_to_loss.problems import Given
from benchmarks.time_to_loss.trail import OutOfTime, Trail

LIMIT = 10**7  # iterations; the tolerances or the clock end a run


class Clocked(MLPRegressor):
    """Begins where it is told to and notes where it gets to."""

    given: Given
    trail: Trail

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Array, Array]:
        start = self.given.start
        first = fan_in == start.W_h.shape[1] and not self._drawn
        self._drawn = True
        W, b = (start.W_h, start.b_h) if first else (start.W_y, start.b_y)
        return np.array(W.T, dtype), np.array(b, dtype)

    def _loss_grad_lbfgs(self, *args: Any) -> tuple[float, Array]:
        loss, slope = super()._loss_grad_lbfgs(*args)
        self.trail.loss(2 * self.given.case.s * float(loss))
        return loss, slope

    def _update_no_improvement_count(self, *args: Any) -> None:
        super()._update_no_improvement_count(*args)
        self.trail.place(*self.place())

    def place(self) -> tuple[Array, ...]:
        (W_h, W_y), (b_h, b_y) = self.coefs_, self.intercepts_
        return W_h.T, b_h, W_y.T, b_y


def _fit(given: Given, solver: str, trail: Trail, most: int) -> bool:
    model = Clocked(
        hidden_layer_sizes=(given.case.m,),
        activation=given.case.activation,
        solver=solver,
        alpha=0.0,
        max_iter=most,
        max_fun=LIMIT,
        random_state=0,
    )
    model.given, model.trail, model._drawn = given, trail, False
    T = given.T.ravel() if given.case.s == 1 else given.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # an overflow shows in the loss
        try:
            model.fit(given.X, T)
        except OutOfTime:
            return False
        except ValueError as error:  # it refuses weights that are not finite
            if "non-finite" not in str(error):
                raise
    trail.end(*model.place())
    return True


def warm_up(given: Given, solver: str) -> None:
    _fit(given, solver, Trail(float("inf")), 2)


def train(given: Given, solver: str, cap: float) -> tuple[Trail, bool]:
    """Train to the end or until time is up; tell where it was when, and whether it ended."""
    trail = Trail(cap)
    return trail, _fit(given, solver, trail, LIMIT)


def versions() -> dict[str, str]:
    return {"scikit-learn": sklearn.__version__}
