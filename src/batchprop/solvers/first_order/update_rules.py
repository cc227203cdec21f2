"""How θ moves along the gradient: plain descent, momentum, Nesterov's momentum, Adam.

One compiled function serves all engines; θ and the gradient are flat.
"""

from __future__ import annotations

import math

from batchprop.compiler.jit import helper
from batchprop.solvers.settings import GD, MOMENTUM, NESTEROV


@helper
def move(settings, t, theta, gradient, memory):
    """Take step ``t``, counted from 1.

    ``memory`` (2, P) starts as zeros.  Its rows are v of the momentum rules, or m and v of Adam.

    - gd: θ ← θ − η g
    - momentum: v ← μ v − η g, θ ← θ + v
    - nesterov: the same v, θ ← θ + μ v − η g (Sutskever et al., 2013, written in the point at which
      the gradient is evaluated)
    - adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε) with
      m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ) (Kingma and Ba, 2015, algorithm 1)
    """
    rate = settings.learning_rate
    if settings.solver == GD:
        rate_of_dtype = theta.dtype.type(rate)  # otherwise each number is converted to float64
        for i in range(theta.size):
            theta[i] -= rate_of_dtype * gradient[i]
    elif settings.solver == MOMENTUM:
        for i in range(theta.size):
            memory[0, i] = settings.momentum * memory[0, i] - rate * gradient[i]
            theta[i] += memory[0, i]
    elif settings.solver == NESTEROV:
        for i in range(theta.size):
            memory[0, i] = settings.momentum * memory[0, i] - rate * gradient[i]
            theta[i] += settings.momentum * memory[0, i] - rate * gradient[i]
    else:
        b1, b2 = settings.beta_1, settings.beta_2
        rate_m = rate / (1.0 - b1**t)  # η m̂ = rate_m · m
        root_v = 1.0 / math.sqrt(1.0 - b2**t)  # √v̂ = root_v · √v
        for i in range(theta.size):
            g = gradient[i]
            memory[0, i] = b1 * memory[0, i] + (1.0 - b1) * g
            memory[1, i] = b2 * memory[1, i] + (1.0 - b2) * g * g
            denominator = root_v * math.sqrt(memory[1, i]) + settings.epsilon
            theta[i] -= rate_m * memory[0, i] / denominator
