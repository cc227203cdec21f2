"""Compiled PyTorch: the whole step (loss, gradient, update) in one graph, compiled to C++.

The gradient comes from ``torch.func`` or from explicit formulas, with samples as rows or columns.
For tiny cases, many steps form one graph, to hide the cost of calls; for large ones, tuned matrix
products are tried as well.  A variant compiles the loss only, with autograd and a separate update.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch._inductor.config
import torch.nn.functional as F
from torch._inductor.cpu_vec_isa import pick_vec_isa

from benchmarks.peers.candidate import Candidate, Unsuitable, Workload
from benchmarks.peers.libraries import torch_eager
from benchmarks.peers.libraries.torch_eager import TorchCandidate, sigma, tensor, versions

__all__ = ["candidates", "versions"]

Tensor = torch.Tensor
TINY = 100_000  # activations; in smaller cases a call costs more than the work
UNROLLED = 16

torch._inductor.config.compile_threads = 1  # no compiler processes beside the timed ones


def predict(parameters, X: Tensor, act, columns: bool) -> tuple[Tensor, Tensor]:
    """Return H and Y."""
    W_h, b_h, W_y, b_y = parameters
    if columns:
        H = act(W_h @ X + b_h[:, None])
        return H, W_y @ H + b_y[:, None]
    H = act(F.linear(X, W_h, b_h))
    return H, F.linear(H, W_y, b_y)


def by_hand(parameters, X: Tensor, T: Tensor, act, name: str, n_samples: int, columns: bool):
    """Return the gradient's blocks and the loss by explicit formulas."""
    W_y = parameters[2]
    H, Y = predict(parameters, X, act, columns)
    R = Y - T
    loss = (R * R).sum() / n_samples
    delta_y = R * (2 / n_samples)
    if columns:
        dW_y, db_y = delta_y @ H.t(), delta_y.sum(1)
        back = W_y.t() * delta_y if W_y.shape[0] == 1 else W_y.t() @ delta_y
    else:
        dW_y, db_y = delta_y.t() @ H, delta_y.sum(0)
        back = delta_y * W_y if W_y.shape[0] == 1 else delta_y @ W_y
    if name == "relu":
        delta_h = torch.where(H > 0, back, 0.0)
    else:
        delta_h = back * ((1 - H * H) if name == "tanh" else H * (1 - H))
    if columns:
        return (delta_h @ X.t(), delta_h.sum(1), dW_y, db_y), loss
    return (delta_h.t() @ X, delta_h.sum(0), dW_y, db_y), loss


class Compiled(TorchCandidate):
    """``how`` is "formulas", "func" or "loss only"; a graph has ``unrolled`` steps."""

    def __init__(
        self,
        how: str,
        columns: bool = False,
        sigmoid_form: bool = False,
        unrolled: int = 1,
        mode: str | None = None,
    ) -> None:
        self.how, self.columns, self.sigmoid_form = how, columns, sigmoid_form
        self.multiple, self.mode = unrolled, mode
        parts = [how, "columns" if columns else "rows"]
        parts += ["sigmoid form"] * sigmoid_form + [f"{unrolled} steps a graph"] * (unrolled > 1)
        self.name = ", ".join(parts + [mode] * (mode is not None))

    def build(self, workload: Workload) -> None:
        case = workload.case
        if self.multiple > 1 and case.n_activations > TINY:
            raise Unsuitable("a call does not weigh here")
        if self.mode is not None and case.n_activations < TINY:
            raise Unsuitable("nothing to tune here")
        act = sigma(case.activation, self.sigmoid_form)
        torch._dynamo.reset()
        self.make_parameters(workload, gradients=self.how == "loss only")
        self.X, self.T = tensor(workload.X, self.columns), tensor(workload.T, self.columns)
        self.step_size = torch.zeros((), dtype=self.X.dtype)
        columns, name, n_samples = self.columns, case.activation, case.n_samples

        def loss(W_h, b_h, W_y, b_y, X, T):
            R = predict((W_h, b_h, W_y, b_y), X, act, columns)[1] - T
            return (R * R).sum() / n_samples

        def formulas(W_h, b_h, W_y, b_y, X, T):
            return by_hand((W_h, b_h, W_y, b_y), X, T, act, name, n_samples, columns)

        if self.how == "loss only":
            self.loss = self._compile(loss)
            return
        both = (
            formulas
            if self.how == "formulas"
            else torch.func.grad_and_value(loss, argnums=(0, 1, 2, 3))
        )
        self.one = self._compile(self._steps(both, 1))
        self.many = self._compile(self._steps(both, self.multiple)) if self.multiple > 1 else None

    def _compile(self, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        more = {} if self.mode is None else {"mode": self.mode}
        return torch.compile(function, dynamic=False, fullgraph=True, **more)

    @staticmethod
    def _steps(both: Callable[..., tuple], count: int) -> Callable[..., Tensor]:
        def go(W_h, b_h, W_y, b_y, X, T, step_size):
            parameters = W_h, b_h, W_y, b_y
            for _ in range(count):
                gradient, loss = both(*parameters, X, T)
                for parameter, part in zip(parameters, gradient, strict=True):
                    parameter.sub_(step_size * part)
            return loss

        return go

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self.step_size.fill_(rate)

    def run(self, steps: int) -> float:
        if self.how == "loss only":
            for _ in range(steps):
                loss = self.loss(*self.parameters, self.X, self.T)
                gradients = torch.autograd.grad(loss, self.parameters)
                with torch.no_grad():
                    torch._foreach_add_(self.parameters, gradients, alpha=-self.rate)
            return loss.item()
        arguments = *self.parameters, self.X, self.T, self.step_size
        n_calls, remaining_steps = divmod(steps, self.multiple) if self.many else (0, steps)
        with torch.no_grad():
            for _ in range(n_calls):
                loss = self.many(*arguments)
            for _ in range(remaining_steps):
                loss = self.one(*arguments)
        return loss.item()


def candidates(workload: Workload) -> list[Candidate]:
    return [
        Compiled("func"),
        Compiled("func", columns=True),
        Compiled("loss only"),
        Compiled("formulas"),
        Compiled("formulas", columns=True),
        Compiled("formulas", unrolled=UNROLLED),
        Compiled("formulas", sigmoid_form=True),
        Compiled("formulas", columns=True, sigmoid_form=True),
        Compiled("formulas", columns=True, mode="max-autotune"),
    ]


def instructions() -> str:
    """Return those of PyTorch, and those of the C++ code that inductor writes."""
    return f"{torch_eager.instructions()}, inductor {pick_vec_isa()}"
