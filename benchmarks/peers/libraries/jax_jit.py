"""JAX: a jitted step with donated parameters, called from Python once per step.

The gradient comes from ``value_and_grad`` or from explicit formulas, with samples as rows or as
columns.  ``jax_loop`` runs the same steps in one jitted loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

from benchmarks.data import Blocks
from benchmarks.peers.candidate import Candidate, Unsuitable, Workload

SIGMA = {"tanh": jnp.tanh, "relu": jax.nn.relu, "logistic": jax.nn.sigmoid}


def slope(name: str, H: jax.Array) -> jax.Array:
    """Return σ′ from H = σ(Z); for relu, ``where`` is used instead."""
    return 1 - H * H if name == "tanh" else H * (1 - H)


def make_step(workload: Workload, rows: bool, by_hand: bool) -> Callable:
    """Return a function step(blocks, X, T, rate) -> (blocks, loss)."""
    name, s = workload.case.activation, workload.case.s
    if name not in SIGMA:
        raise Unsuitable(f"no {name} here")
    mean = np.dtype(workload.case.dtype).type(1 / workload.case.n_samples)

    def forward(blocks, X, T):
        W_h, b_h, W_y, b_y = blocks
        if rows:
            H = SIGMA[name](X @ W_h.T + b_h)
            return H, H @ W_y.T + b_y - T
        H = SIGMA[name](W_h @ X + b_h[:, None])
        return H, W_y @ H + b_y[:, None] - T

    def loss(blocks, X, T):
        R = forward(blocks, X, T)[1]
        return jnp.sum(R * R) * mean

    def formulas(blocks, X, T):
        W_y = blocks[2]
        H, R = forward(blocks, X, T)
        value = jnp.sum(R * R) * mean
        delta_y = R * (2 * mean)
        if rows:
            back = delta_y * W_y if s == 1 else delta_y @ W_y
        else:
            back = W_y.T * delta_y if s == 1 else W_y.T @ delta_y
        delta_h = jnp.where(H > 0, back, 0) if name == "relu" else back * slope(name, H)
        if rows:
            return value, (delta_h.T @ X, delta_h.sum(0), delta_y.T @ H, delta_y.sum(0))
        return value, (delta_h @ X.T, delta_h.sum(1), delta_y @ H.T, delta_y.sum(1))

    both = formulas if by_hand else jax.value_and_grad(loss)

    def step(blocks, X, T, rate):
        value, gradient = both(blocks, X, T)
        return jax.tree.map(
            lambda parameters, part: parameters - rate * part, blocks, tuple(gradient)
        ), value

    return step


class Jitted(Candidate):
    """A jitted step; with ``loop``, all steps run in one call."""

    def __init__(self, rows: bool, by_hand: bool, loop: bool) -> None:
        self.rows, self.by_hand, self.loop = rows, by_hand, loop
        how = "formulas" if by_hand else "value_and_grad"
        self.name = f"{how}, samples as {'rows' if rows else 'columns'}"

    def build(self, workload: Workload) -> None:
        step = make_step(workload, self.rows, self.by_hand)
        self.kind = workload.X.dtype.type
        kind = self.kind
        self.X, self.T = (
            jax.device_put(array if self.rows else np.ascontiguousarray(array.T))
            for array in (workload.X, workload.T)
        )

        def loop(blocks, X, T, rate, steps):
            def body(_, carried):
                return step(carried[0], X, T, rate)

            return jax.lax.fori_loop(0, steps, body, (blocks, jnp.zeros((), kind)))

        self.compiled = jax.jit(loop if self.loop else step, donate_argnums=0)

    def load(self, start: Blocks, rate: float) -> None:
        self.parameters = tuple(jnp.array(block) for block in start)
        self.rate = jax.device_put(self.kind(rate))

    def run(self, steps: int) -> float:
        parameters, X, T, rate = self.parameters, self.X, self.T, self.rate
        if self.loop:
            parameters, loss = self.compiled(parameters, X, T, rate, steps)
        else:
            for _ in range(steps):
                parameters, loss = self.compiled(parameters, X, T, rate)
        jax.block_until_ready((parameters, loss))
        self.parameters = parameters
        return float(loss)

    def blocks(self) -> Blocks:
        return Blocks(*(np.array(block) for block in self.parameters))


def ways(loop: bool) -> list[Candidate]:
    return [Jitted(rows, by_hand, loop) for by_hand in (False, True) for rows in (True, False)]


def candidates(workload: Workload) -> list[Candidate]:
    return ways(loop=False)


def versions() -> dict[str, str]:
    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def instructions() -> str:
    """Return what XLA was told; it reports nothing itself."""
    flags = [
        flag
        for flag in os.environ.get("XLA_FLAGS", "").split()
        if "isa" in flag or "vector" in flag
    ]
    return " ".join(["XLA", *flags]) if flags else "XLA, no limit"
