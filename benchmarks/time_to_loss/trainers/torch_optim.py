"""PyTorch: ``LBFGS`` with strong Wolfe conditions until its tolerances are met, and ``Adam``.

Modules and autograd, all samples in each step, in float64 like all trainers here.  Adam has neither
a standard learning rate nor a stopping rule.  It gets 0.01, which suits standardised data, and
stops when a hundred epochs improve the loss by less than 1e-4, which is scikit-learn's rule with
ten times the patience.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from benchmarks.data import Array
from benchmarks.time_to_loss.problems import Workload
from benchmarks.time_to_loss.trail import OutOfTime, Trail

MODULES = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "logistic": torch.nn.Sigmoid}
LIMIT = 10**7
RATE, GAIN, PATIENCE = 0.01, 1e-4, 100

torch.set_num_interop_threads(1)


class Model:
    """A module with given initial parameters."""

    def __init__(self, workload: Workload) -> None:
        case = workload.case
        self.X, self.T = torch.from_numpy(workload.X), torch.from_numpy(workload.T)
        self.module = torch.nn.Sequential(
            torch.nn.Linear(case.e, case.m),
            MODULES[case.activation](),
            torch.nn.Linear(case.m, case.s),
        ).double()
        with torch.no_grad():
            for parameter, block in zip(self.module.parameters(), workload.start, strict=True):
                parameter.copy_(torch.from_numpy(block))

    def loss(self) -> torch.Tensor:
        return F.mse_loss(self.module(self.X), self.T, reduction="sum") / len(self.X)

    def place(self) -> tuple[Array, ...]:
        return tuple(parameter.detach().numpy() for parameter in self.module.parameters())


def _lbfgs(model: Model, trail: Trail, most: int) -> None:
    optimizer = torch.optim.LBFGS(
        model.module.parameters(), max_iter=most, max_eval=LIMIT, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model.loss()
        loss.backward()
        trail.loss(loss.item())
        return loss

    optimizer.step(closure)


def _adam(model: Model, trail: Trail, most: int) -> None:
    optimizer = torch.optim.Adam(model.module.parameters(), lr=RATE)
    best, waited = math.inf, 0
    for _ in range(most):
        optimizer.zero_grad()
        loss = model.loss()
        loss.backward()
        value = loss.item()
        trail.loss(value)
        waited = 0 if value < best - GAIN else waited + 1
        best = min(best, value)
        if waited > PATIENCE:
            return
        optimizer.step()


def _run(workload: Workload, solver: str, trail: Trail, most: int) -> bool:
    model = Model(workload)
    try:
        {"LBFGS": _lbfgs, "Adam": _adam}[solver](model, trail, most)
    except OutOfTime:
        return False
    trail.end(*model.place())
    return True


def warm_up(workload: Workload, solver: str) -> None:
    _run(workload, solver, Trail(float("inf")), 3)


def train(workload: Workload, solver: str, cap: float) -> tuple[Trail, bool]:
    """Train to convergence or until time is up; return the trail and whether it converged."""
    trail = Trail(cap)
    return trail, _run(workload, solver, trail, LIMIT)


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}
