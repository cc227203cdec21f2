"""Which solver suits a problem."""

from __future__ import annotations

from batchprop.parameters import Shape

# LM takes some hundred iterations where L-BFGS takes thousands: it may cost so many times as much.
WORTH = 50.0
MOST_PARAMETERS = 2000  # beyond that P³/3 operations and P² numbers are too many


def choose(shape: Shape, n_samples: int) -> str:
    """Return "lm" or "lbfgs".

    Compares what one iteration costs in multiply-adds: JᵀJ and its factors against loss and
    gradient.
    """
    e, m, s = shape
    n = shape.n_parameters
    products = m * (m + 1) * (e + 1) * (e + 2) / 4 + m * (m + 1) * (e + 1) + m * m / 2
    step = n_samples * m * (2 * e + 3 * s + 20)  # 20: σ and what goes with it
    gauss_newton = n_samples * products + n**3 / 6 + step
    return "lm" if n <= MOST_PARAMETERS and gauss_newton <= WORTH * step else "lbfgs"
