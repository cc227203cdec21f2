"""scikit-learn's MLPRegressor: ``fit`` with SGD on a single batch of all samples.

Its loss is Σ ‖y − t‖² / (2 N s); the gradient that it follows is that of Σ ‖y − t‖² / (2 N), half
of ours, so its learning rate is twice ours.  The time of an epoch is measured inside ``fit``, from
the end of one epoch to the end of a later one.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from benchmarks.data import Array, Blocks
from benchmarks.peers.candidate import Candidate, Unsuitable, Workload
from benchmarks.peers.libraries import numpy_full

KNOWN = {"tanh", "relu", "logistic", "identity"}


class Clocked(MLPRegressor):
    """Records the time at the end of each epoch."""

    ends: list[float]

    def fit(self, X: Array, T: Array) -> Clocked:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops when it is told to
            return super().fit(X, T)

    def _update_no_improvement_count(self, *args: object) -> None:
        super()._update_no_improvement_count(*args)
        self.ends.append(time.perf_counter())


class Fit(Candidate):
    """``fit`` with ``warm_start``, so that it continues from parameters that were assigned."""

    name = "fit"

    def build(self, workload: Workload) -> None:
        case = workload.case
        if case.activation not in KNOWN:
            raise Unsuitable(f"no {case.activation} in scikit-learn")
        self.s, self.X = case.s, workload.X
        self.T = workload.T.ravel() if case.s == 1 else workload.T
        few = min(16, case.n_samples)
        self.model = Clocked(
            hidden_layer_sizes=(case.m,),
            activation=case.activation,
            solver="sgd",
            alpha=0.0,
            batch_size=few,
            learning_rate="constant",
            learning_rate_init=1e-9,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
            max_iter=1,
            tol=0.0,
            n_iter_no_change=10**9,
            warm_start=True,
            random_state=0,
        )
        self.model.ends = []
        self.model.fit(self.X[:few], self.T[:few])  # creates the attributes that load() sets
        self.model.set_params(batch_size=case.n_samples)

    def load(self, start: Blocks, rate: float) -> None:
        self.model.coefs_ = [np.array(start.W_h.T), np.array(start.W_y.T)]
        self.model.intercepts_ = [start.b_h.copy(), start.b_y.copy()]
        self.model.set_params(learning_rate_init=2 * rate)

    def run(self, steps: int) -> float:
        self.model.ends = []
        self.model.set_params(max_iter=steps).fit(self.X, self.T)
        if len(self.model.ends) != steps:
            raise RuntimeError(f"{len(self.model.ends)} epochs in place of {steps}")
        return 2 * self.s * float(self.model.loss_)

    def seconds(self, steps: int) -> float:
        self.run(steps + 1)
        return self.model.ends[-1] - self.model.ends[0]

    def blocks(self) -> Blocks:
        (W_h, W_y), (b_h, b_y) = self.model.coefs_, self.model.intercepts_
        return Blocks(W_h.T.copy(), b_h.copy(), W_y.T.copy(), b_y.copy())


def candidates(workload: Workload) -> list[Candidate]:
    return [Fit()]


def versions() -> dict[str, str]:
    return {"scikit-learn": sklearn.__version__} | numpy_full.versions()


def instructions() -> str:
    return numpy_full.instructions()
