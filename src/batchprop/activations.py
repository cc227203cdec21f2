"""The hidden layer's activations in NumPy: σ, each followed by its derivative σ′.

σ′ is computed from h = σ(z), because h is what the forward pass keeps: the backward pass needs
neither z nor a second transcendental function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Activation(NamedTuple):
    """An activation: its name, its code in kernels, σ and σ′.

    Attributes
    ----------
    name : str
        Public name.
    code : int
        The integer that identifies it in compiled kernels.
    analytic : bool
        Whether σ is analytic at every real z, which the complex-step method needs.
    sigma : callable
        ``sigma(Z, out)`` writes σ(Z) to ``out``, which may be ``Z`` itself.
    sigma_prime : callable
        ``sigma_prime(H, out)`` writes σ′(z) to ``out``, given h = σ(z); ``out`` must not be ``H``.
    """

    name: str
    code: int
    analytic: bool
    sigma: Callable[[Array, Array], None]
    sigma_prime: Callable[[Array, Array], None]


def identity(Z: Array, out: Array) -> None:
    """Write h = z."""
    np.copyto(out, Z)


def identity_prime(H: Array, out: Array) -> None:
    """Write σ′ = 1."""
    out.fill(1)


def logistic(Z: Array, out: Array) -> None:
    """Write h = 1 / (1 + exp(−z)) = (1 + tanh(z/2)) / 2, a form that never overflows."""
    np.multiply(Z, 0.5, out=out)
    np.tanh(out, out=out)
    np.multiply(out, 0.5, out=out)
    np.add(out, 0.5, out=out)


def logistic_prime(H: Array, out: Array) -> None:
    """Write σ′ = h (1 − h)."""
    np.subtract(1, H, out=out)
    np.multiply(out, H, out=out)


def tanh(Z: Array, out: Array) -> None:
    """Write h = tanh z."""
    np.tanh(Z, out=out)


def tanh_prime(H: Array, out: Array) -> None:
    """Write σ′ = 1 − h²."""
    np.multiply(H, H, out=out)
    np.subtract(1, out, out=out)


def relu(Z: Array, out: Array) -> None:
    """Write h = max(z, 0)."""
    np.maximum(Z, 0, out=out)


def relu_prime(H: Array, out: Array) -> None:
    """Write σ′ = 1 for z > 0, else 0 (including the kink)."""
    np.greater(H, 0, out=out, casting="unsafe")


def softplus(Z: Array, out: Array) -> None:
    """Write h = log(1 + exp z) = max(z, 0) + log1p(exp(−|z|)), which never overflows."""
    positive = np.maximum(Z, 0)
    np.abs(Z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.add(out, positive, out=out)


def softplus_prime(H: Array, out: Array) -> None:
    """Write σ′ = logistic(z) = 1 − exp(−h)."""
    np.negative(H, out=out)
    np.expm1(out, out=out)
    np.negative(out, out=out)


def elu(Z: Array, out: Array) -> None:
    """Write h = z for z > 0, else exp(z) − 1."""
    positive = np.maximum(Z, 0)
    np.minimum(Z, 0, out=out)
    np.expm1(out, out=out)
    np.add(out, positive, out=out)


def elu_prime(H: Array, out: Array) -> None:
    """Write σ′ = 1 for z > 0, else exp z = h + 1."""
    np.minimum(H, 0, out=out)
    np.add(out, 1, out=out)


def softsign(Z: Array, out: Array) -> None:
    """Write h = z / (1 + |z|)."""
    denominator = np.abs(Z)
    denominator += 1
    np.divide(Z, denominator, out=out)


def softsign_prime(H: Array, out: Array) -> None:
    """Write σ′ = 1 / (1 + |z|)² = (1 − |h|)²."""
    np.abs(H, out=out)
    np.subtract(1, out, out=out)
    np.multiply(out, out, out=out)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", 0, True, identity, identity_prime),
        Activation("logistic", 1, True, logistic, logistic_prime),
        Activation("tanh", 2, True, tanh, tanh_prime),
        Activation("relu", 3, False, relu, relu_prime),
        Activation("softplus", 4, True, softplus, softplus_prime),
        Activation("elu", 5, False, elu, elu_prime),
        Activation("softsign", 6, False, softsign, softsign_prime),
    )
}
