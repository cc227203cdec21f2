"""Results 1 to 4 of the derivation: one input, m hidden units, one output, weight by weight.

Each function is one formula of the derivation, and its names are those of the formula.
``W_h[k][0]`` is W_h[k, 0], the weight from the input to hidden unit k, and ``W_y[0][k]`` is
W_y[0, k], the weight from hidden unit k to the output.  ``x[i]``, ``t[i]`` and ``passes[i]`` belong
to sample i.  Sample weights are left to the matrix form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from batchprop.engines.naive.activation_formulas import lookup
from batchprop.engines.naive.sample_weights import plain_sum

Vector = Sequence[float]
Matrix = Sequence[Sequence[float]]


class Forward(NamedTuple):
    """The values of one sample's forward pass that the backward pass needs."""

    z: list[float]  # (m,) pre-activations
    h: list[float]  # (m,) activations
    y: float  # the prediction


def forward(
    W_h: Matrix, b_h: Vector, W_y: Matrix, b_y: Vector, x_i: float, activation: str
) -> Forward:
    """Compute the forward pass of one sample (result 1).

    z_i[k] = W_h[k, 0] x_i + b_h[k],  h_i[k] = σ(z_i[k]),  y_i = Σ_k W_y[0, k] h_i[k] + b_y[0].
    """
    sigma = lookup(activation).sigma
    z = [W_h[k][0] * x_i + b_h[k] for k in range(len(b_h))]
    h = [sigma(z_k) for z_k in z]
    y = plain_sum(W_y[0][k] * h[k] for k in range(len(b_h))) + b_y[0]
    return Forward(z, h, y)


def sample_loss(y_i: float, t_i: float) -> float:
    """Return the loss of one sample, L_i = (y_i − t_i)² (result 2)."""
    error = y_i - t_i
    return error * error  # error**2 would raise where this overflows to inf


def mean_loss(passes: Sequence[Forward], t: Vector) -> float:
    """Return the loss of the data set, L = (1/N) Σ_i (y_i − t_i)² (result 2)."""
    N = len(t)
    return plain_sum(sample_loss(passes[i].y, t[i]) for i in range(N)) / N


def dL_dW_y(k: int, passes: Sequence[Forward], t: Vector) -> float:
    """Return ∂L/∂W_y[0, k] = (1/N) Σ_i 2 (y_i − t_i) h_i[k] (result 3)."""
    # forward: y = ... + W_y[0][k] * h[k] + ..., so ∂y_i/∂W_y[0, k] = h_i[k]
    N = len(t)
    total = 0.0
    for i in range(N):
        total += 2 * (passes[i].y - t[i]) * passes[i].h[k]
    return total / N


def dL_db_y(passes: Sequence[Forward], t: Vector) -> float:
    """Return ∂L/∂b_y[0] = (1/N) Σ_i 2 (y_i − t_i) (result 3)."""
    # forward: y = ... + b_y[0], so ∂y_i/∂b_y[0] = 1
    N = len(t)
    total = 0.0
    for i in range(N):
        total += 2 * (passes[i].y - t[i])
    return total / N


def dL_dW_h(
    k: int, passes: Sequence[Forward], W_y: Matrix, x: Vector, t: Vector, activation: str
) -> float:
    """Return ∂L/∂W_h[k, 0] = (1/N) Σ_i 2 (y_i − t_i) W_y[0, k] σ′(z_i[k]) x_i (result 4)."""
    # forward: y = ... + W_y[0][k] * σ(W_h[k][0] * x_i + b_h[k]) + ...
    sigma_prime = lookup(activation).sigma_prime
    N = len(t)
    total = 0.0
    for i in range(N):
        total += 2 * (passes[i].y - t[i]) * W_y[0][k] * sigma_prime(passes[i].z[k]) * x[i]
    return total / N


def dL_db_h(k: int, passes: Sequence[Forward], W_y: Matrix, t: Vector, activation: str) -> float:
    """Return ∂L/∂b_h[k] = (1/N) Σ_i 2 (y_i − t_i) W_y[0, k] σ′(z_i[k]) (result 4)."""
    # forward: y = ... + W_y[0][k] * σ(W_h[k][0] * x_i + b_h[k]) + ...
    sigma_prime = lookup(activation).sigma_prime
    N = len(t)
    total = 0.0
    for i in range(N):
        total += 2 * (passes[i].y - t[i]) * W_y[0][k] * sigma_prime(passes[i].z[k])
    return total / N


class Gradient(NamedTuple):
    """The derivatives of the loss in the shapes of the parameters."""

    W_h: list[list[float]]  # (m, 1)
    b_h: list[float]  # (m,)
    W_y: list[list[float]]  # (1, m)
    b_y: list[float]  # (1,)


def loss_and_gradient(
    W_h: Matrix, b_h: Vector, W_y: Matrix, b_y: Vector, x: Vector, t: Vector, activation: str
) -> tuple[float, Gradient]:
    """Compute the loss of a 1-m-1 network and its derivatives by every weight and bias.

    Parameters
    ----------
    W_h, b_h, W_y, b_y : nested lists
        Shapes (m, 1), (m,), (1, m), (1,): those of the matrix form for one input and one output.
    x, t : sequences of N floats
        Input and target of every sample.
    activation : str
        Name of the hidden layer's activation; see `batchprop.engines.naive.activation_formulas`.

    Returns
    -------
    loss : float
    gradient : Gradient
        Nested lists W_h, b_h, W_y, b_y in the shapes of the parameters.

    Raises
    ------
    ValueError
        If the activation is unknown.
    """
    passes = [forward(W_h, b_h, W_y, b_y, x_i, activation) for x_i in x]
    units = range(len(b_h))
    return mean_loss(passes, t), Gradient(
        W_h=[[dL_dW_h(k, passes, W_y, x, t, activation)] for k in units],
        b_h=[dL_db_h(k, passes, W_y, t, activation) for k in units],
        W_y=[[dL_dW_y(k, passes, t) for k in units]],
        b_y=[dL_db_y(passes, t)],
    )
