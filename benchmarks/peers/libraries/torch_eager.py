"""PyTorch in its usual form (modules, autograd, an optimiser), and faster variants of it.

A module with ``torch.optim.SGD``, plain and fused; and functions with samples as rows or columns,
where one ``_foreach`` call updates all parameters.  ``sigmoid form`` computes tanh(z) as
2 sigmoid(2z) − 1, because torch's sigmoid is often many times as fast as its tanh.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from benchmarks.data import Array, Blocks
from benchmarks.peers.candidate import Candidate, Unsuitable, Workload

Tensor = torch.Tensor
MODULES = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "logistic": torch.nn.Sigmoid}
FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "logistic": torch.sigmoid}

torch.set_num_interop_threads(1)


def sigma(activation: str, sigmoid_form: bool = False) -> Callable[[Tensor], Tensor]:
    """Return σ as a function of tensors."""
    if activation not in FUNCTIONS:
        raise Unsuitable(f"no {activation} here")
    if sigmoid_form and activation != "tanh":
        raise Unsuitable("tanh only")
    return (lambda Z: 2 * torch.sigmoid(2 * Z) - 1) if sigmoid_form else FUNCTIONS[activation]


def tensor(array: Array, columns: bool = False) -> Tensor:
    """Return an array as a tensor (copied), transposed for samples as columns."""
    copy = torch.from_numpy(array).clone()
    return copy.t().contiguous() if columns else copy


class TorchCandidate(Candidate):
    """Keeps the parameters in ``self.parameters``, in the order of Blocks."""

    parameters: list[Tensor]

    def make_parameters(self, workload: Workload, gradients: bool) -> None:
        torch.set_num_threads(workload.threads)
        self.parameters = [tensor(block).requires_grad_(gradients) for block in workload.start]

    def load(self, start: Blocks, rate: float) -> None:
        with torch.no_grad():
            for parameter, block in zip(self.parameters, start, strict=True):
                parameter.copy_(torch.from_numpy(block))
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        self.rate = rate

    def blocks(self) -> Blocks:
        return Blocks(*(parameter.detach().numpy().copy() for parameter in self.parameters))


class Module(TorchCandidate):
    """``torch.nn.Sequential`` and ``torch.optim.SGD``."""

    def __init__(self, fused: bool) -> None:
        self.fused, self.name = fused, "module, SGD" + (" fused" if fused else "")

    def build(self, workload: Workload) -> None:
        case = workload.case
        if case.activation not in MODULES:
            raise Unsuitable(f"no {case.activation} here")
        torch.set_num_threads(workload.threads)
        self.X, self.T, self.n_samples = tensor(workload.X), tensor(workload.T), case.n_samples
        self.module = torch.nn.Sequential(
            torch.nn.Linear(case.e, case.m),
            MODULES[case.activation](),
            torch.nn.Linear(case.m, case.s),
        ).to(self.X.dtype)
        self.parameters = list(self.module.parameters())

    def set_rate(self, rate: float) -> None:
        self.optimizer = torch.optim.SGD(self.parameters, lr=rate, fused=self.fused or None)

    def run(self, steps: int) -> float:
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            loss = F.mse_loss(self.module(self.X), self.T, reduction="sum") / self.n_samples
            loss.backward()
            self.optimizer.step()
        return loss.item()


class Functions(TorchCandidate):
    """Matrix products and autograd; one call updates all parameters."""

    def __init__(self, columns: bool, sigmoid_form: bool = False) -> None:
        self.columns, self.sigmoid_form = columns, sigmoid_form
        self.name = "functions, samples as " + ("columns" if columns else "rows")
        if sigmoid_form:
            self.name += ", sigmoid form"

    def build(self, workload: Workload) -> None:
        self.sigma = sigma(workload.case.activation, self.sigmoid_form)
        self.make_parameters(workload, gradients=True)
        self.X, self.T = tensor(workload.X, self.columns), tensor(workload.T, self.columns)
        self.n_samples = workload.case.n_samples

    def predict(self) -> Tensor:
        W_h, b_h, W_y, b_y = self.parameters
        if self.columns:
            H = self.sigma(torch.addmm(b_h[:, None], W_h, self.X))
            return torch.addmm(b_y[:, None], W_y, H)
        return F.linear(self.sigma(F.linear(self.X, W_h, b_h)), W_y, b_y)

    def run(self, steps: int) -> float:
        for _ in range(steps):
            loss = F.mse_loss(self.predict(), self.T, reduction="sum") / self.n_samples
            gradients = torch.autograd.grad(loss, self.parameters)
            with torch.no_grad():
                torch._foreach_add_(self.parameters, gradients, alpha=-self.rate)
        return loss.item()


def candidates(workload: Workload) -> list[Candidate]:
    return [
        Module(fused=False),
        Module(fused=True),
        *(Functions(columns, form) for form in (False, True) for columns in (False, True)),
    ]


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}


def instructions() -> str:
    return f"ATen {torch.backends.cpu.get_cpu_capability()}"
