"""PyTorch: ``LBFGS`` with strong Wolfe conditions until its tolerances end it, and ``Adam``.

Modules and autograd, all samples at each step, float64 as everywhere here.  Adam has neither a
usual rate nor an end of its own: it has 0.01, which trains standardised data well, and ends where a
hundred epochs bring no gain of 1e-4, scikit-learn's bound with ten times its patience.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from benchmarks.data import Array
from benchmarks.time_to_loss.problems import Given
from benchmarks.time_to_loss.trail import OutOfTime, Trail

MODULES = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "logistic": torch.nn.Sigmoid}
LIMIT = 10**7
RATE, GAIN, PATIENCE = 0.01, 1e-4, 100

torch.set_num_interop_threads(1)


class Model:
    """A module that starts where it is told to."""

    def __init__(self, given: Given) -> None:
        case = given.case
        self.X, self.T = torch.from_numpy(given.X), torch.from_numpy(given.T)
        self.module = torch.nn.Sequential(
            torch.nn.Linear(case.e, case.m),
            MODULES[case.activation](),
            torch.nn.Linear(case.m, case.s),
        ).double()
        with torch.no_grad():
            for own, block in zip(self.module.parameters(), given.start, strict=True):
                own.copy_(torch.from_numpy(block))

    def loss(self) -> torch.Tensor:
        return F.mse_loss(self.module(self.X), self.T, reduction="sum") / len(self.X)

    def place(self) -> tuple[Array, ...]:
        return tuple(own.detach().numpy() for own in self.module.parameters())


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


def _run(given: Given, solver: str, trail: Trail, most: int) -> bool:
    model = Model(given)
    try:
        {"LBFGS": _lbfgs, "Adam": _adam}[solver](model, trail, most)
    except OutOfTime:
        return False
    trail.end(*model.place())
    return True


def warm_up(given: Given, solver: str) -> None:
    _run(given, solver, Trail(float("inf")), 3)


def train(given: Given, solver: str, cap: float) -> tuple[Trail, bool]:
    """Train to the end or until time is up; tell where it was when, and whether it ended."""
    trail = Trail(cap)
    return trail, _run(given, solver, trail, LIMIT)


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}
