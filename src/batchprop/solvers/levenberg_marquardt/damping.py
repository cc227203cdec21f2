"""The damping λ, adapted to how well the model predicts a step: Nielsen's rule.

The gain ratio ρ is the decrease of F divided by the decrease that the linear model of the residuals
predicts.  An accepted step multiplies λ by max(⅓, 1 − (2ρ − 1)³), but by 2 at most: the better the
model, the less damping.  Rejected steps in a row multiply λ by 2, 4, 8, … (H. B. Nielsen, Damping
parameter in Marquardt's method, 1999).
"""

from __future__ import annotations

from batchprop.compiler.jit import helper

MIN_DAMPING = 1e-20  # λ would otherwise underflow after a thousand good steps


@helper
def less_damping(memory, gain):
    """Adapt λ after a step of gain ratio ρ = ``gain`` > 0."""
    factor = 1.0 - (2.0 * gain - 1.0) ** 3
    memory.damping[0] = max(MIN_DAMPING, memory.damping[0] * min(2.0, max(1.0 / 3.0, factor)))
    memory.growth[0] = 2.0


@helper
def more_damping(memory):
    """Adapt λ after a rejected step."""
    memory.damping[0] *= memory.growth[0]
    memory.growth[0] *= 2.0
