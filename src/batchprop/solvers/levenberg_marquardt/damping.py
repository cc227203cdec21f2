"""How much a step is damped: Nielsen's rule, by the gain of the step before.

The gain ratio ρ is the decrease of J divided by the one that the linear model of the residuals
predicted.  After an accepted step μ is multiplied by max(⅓, 1 − (2ρ − 1)³), but 2 at most: less
damping where the model was good, more where it was not so good.  Rejected steps multiply μ by 2, 4,
8, … in turn (H. B. Nielsen, Damping parameter in Marquardt's method, 1999).
"""

from __future__ import annotations

from batchprop.compiler.jit import helper

LEAST = 1e-20  # μ, which would otherwise vanish after a thousand good steps


@helper
def less_damping(memory, gain):
    """Adapt μ after a step of gain ratio ``gain`` > 0."""
    factor = 1.0 - (2.0 * gain - 1.0) ** 3
    memory.damping[0] = max(LEAST, memory.damping[0] * min(2.0, max(1.0 / 3.0, factor)))
    memory.growth[0] = 2.0


@helper
def more_damping(memory):
    """Adapt μ after a rejected step."""
    memory.damping[0] *= memory.growth[0]
    memory.growth[0] *= 2.0
