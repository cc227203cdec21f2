"""batchprop: ``train`` with plain gradient descent, called as by a user, including set-up."""

from __future__ import annotations

import numpy as np

import batchprop
from benchmarks import machine
from benchmarks.data import Blocks
from benchmarks.peers.candidate import Candidate, Workload


class Train(Candidate):
    """``order`` "C" stores a feature's samples contiguously, "F" transposes a row-major table."""

    def __init__(self, order: str) -> None:
        self.order, self.name = order, f"train, {order} order"

    def build(self, workload: Workload) -> None:
        self.X, self.T = (np.array(rows.T, order=self.order) for rows in (workload.X, workload.T))
        self.activation, self.threads = workload.case.activation, workload.threads

    def load(self, start: Blocks, rate: float) -> None:
        self.network = batchprop.Network(*start, activation=self.activation)
        self.rate = rate

    def run(self, steps: int) -> float:
        result = batchprop.train(
            self.X,
            self.T,
            network=self.network,
            solver="gd",
            scale=False,
            engine="fused",
            learning_rate=self.rate,
            max_epochs=steps,
            gradient_tol=None,
            tol=None,
            n_threads=self.threads,
        )
        if result.n_epochs != steps:
            raise RuntimeError(f"{result.n_epochs} of {steps} steps, {result.stop_reason}")
        self.network = result.last_network
        return float(result.loss_curve[steps - 1])

    def blocks(self) -> Blocks:
        network = self.network
        return Blocks(network.W_h, network.b_h, network.W_y, network.b_y)


def candidates(workload: Workload) -> list[Candidate]:
    return [Train("C"), Train("F")]


def versions() -> dict[str, str]:
    return {"batchprop": batchprop.__version__}


def instructions() -> str:
    return f"{machine.vector_bits()}-bit {machine.instruction_set()} kernels"
