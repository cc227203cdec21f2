"""The naive engine's activations: scalar functions σ(z), each followed by its derivative σ′(z).

Every derivative is a function of z with its own formula; the other engines compute it from
h = σ(z).  A mistake in one form therefore shows as a disagreement.  Nothing overflows: ``exp`` is
called with arguments ≤ 0 only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


def identity(z: float) -> float:
    """Return z."""
    return z


def identity_prime(z: float) -> float:
    """Return 1."""
    return 1.0


def logistic(z: float) -> float:
    """Return 1 / (1 + exp(−z)); for z < 0, the fraction is expanded by exp(z)."""
    if z < 0.0:
        e = math.exp(z)
        return e / (1.0 + e)
    return 1.0 / (1.0 + math.exp(-z))


def logistic_prime(z: float) -> float:
    """Return exp(−z) / (1 + exp(−z))², computed from |z| since it is even in z."""
    e = math.exp(-abs(z))
    return e / ((1.0 + e) * (1.0 + e))


def tanh(z: float) -> float:
    """Return (exp(z) − exp(−z)) / (exp(z) + exp(−z))."""
    return math.tanh(z)


def tanh_prime(z: float) -> float:
    """Return 1 / cosh(z)² = 4 exp(−2|z|) / (1 + exp(−2|z|))²; 1 − tanh(z)² would cancel."""
    e = math.exp(-2.0 * abs(z))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def relu(z: float) -> float:
    """Return max(0, z); NaN stays NaN."""
    return 0.0 if z <= 0.0 else z


def relu_prime(z: float) -> float:
    """Return 1 for z > 0, else 0; the value 0 at the kink z = 0 is a convention."""
    return 0.0 if z <= 0.0 else 1.0


def softplus(z: float) -> float:
    """Return log(1 + exp(z)) = max(z, 0) + log(1 + exp(−|z|))."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def softplus_prime(z: float) -> float:
    """Return exp(z) / (1 + exp(z)), the logistic function."""
    return logistic(z)


def elu(z: float) -> float:
    """Return z for z > 0, else exp(z) − 1 (alpha = 1, so that the slope is continuous)."""
    return z if z > 0.0 else math.expm1(z)


def elu_prime(z: float) -> float:
    """Return 1 for z > 0, else exp(z)."""
    return 1.0 if z > 0.0 else math.exp(z)


def softsign(z: float) -> float:
    """Return z / (1 + |z|); for infinite z, its limits −1 and 1."""
    return math.copysign(1.0, z) if math.isinf(z) else z / (1.0 + abs(z))


def softsign_prime(z: float) -> float:
    """Return 1 / (1 + |z|)²; the quotient is squared because (1 + |z|)² could overflow."""
    r = 1.0 / (1.0 + abs(z))
    return r * r


class Activation(NamedTuple):
    """An activation and its derivative, both functions from float to float."""

    sigma: Callable[[float], float]
    sigma_prime: Callable[[float], float]


ACTIVATIONS = {
    "identity": Activation(identity, identity_prime),
    "logistic": Activation(logistic, logistic_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "softplus": Activation(softplus, softplus_prime),
    "elu": Activation(elu, elu_prime),
    "softsign": Activation(softsign, softsign_prime),
}


def lookup(activation: str) -> Activation:
    """Return the activation of that name.

    Raises
    ------
    ValueError
        If there is no activation of that name.
    """
    try:
        return ACTIVATIONS[activation]
    except KeyError:
        names = ", ".join(ACTIVATIONS)
        raise ValueError(f"unknown activation {activation!r}; choose one of {names}") from None
