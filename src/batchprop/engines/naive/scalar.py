"""Results 1 to 4 of the derivation: one input, m hidden units, one output, weight by weight.

``w_h[k]``, ``b_h[k]``, ``w_y[k]`` and ``b_y[0]`` are the derivation's w^0_{k,0}, b^0_k, w^1_{0,k}
and b^1_0; ``y`` is its prediction y_i, and ``t`` its target (y with a hat).  Each partial
derivative is a sum over the samples i, written as in the derivation.  N is the sum of the sample
weights, which is the number of samples if every weight is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from batchprop.engines.naive.activation_formulas import lookup
from batchprop.engines.naive.sample_weights import plain_sum, weights_or_ones


class Forward(NamedTuple):
    """The values of one sample's forward pass that the backward pass needs."""

    z: list[float]  # (m,) pre-activations
    h: list[float]  # (m,) activations
    y: float  # the prediction


def forward(
    w_h: Sequence[float],
    b_h: Sequence[float],
    w_y: Sequence[float],
    b_y: Sequence[float],
    x_i: float,
    activation: str,
) -> Forward:
    """Compute the forward pass of one sample (result 1).

    z_k = w^0_{k,0} x + b^0_k,  h^k = σ(z_k),  y = Σ_k w^1_{0,k} h^k + b^1_0.
    """
    sigma = lookup(activation).sigma
    z = [w_h[k] * x_i + b_h[k] for k in range(len(w_h))]
    h = [sigma(z_k) for z_k in z]
    y = plain_sum(w_y[k] * h[k] for k in range(len(w_y))) + b_y[0]
    return Forward(z, h, y)


def sample_loss(y_i: float, t_i: float) -> float:
    """Return the loss of one sample, L_i = (t_i − y_i)² (result 2)."""
    error = t_i - y_i
    return error * error  # error**2 would raise where this overflows to inf


def mean_loss(y: Sequence[float], t: Sequence[float], weight: Sequence[float]) -> float:
    """Return the loss of the data set, L = (1/N) Σ_i (t_i − y_i)² (result 2)."""
    N = plain_sum(weight)
    return plain_sum(weight[i] * sample_loss(y[i], t[i]) for i in range(len(t))) / N


def dL_dw_y(
    k: int, passes: Sequence[Forward], t: Sequence[float], weight: Sequence[float]
) -> float:
    """Return ∂L/∂w^1_{0,k} = (1/N) Σ_i 2 (y_i − t_i) h^k (result 3)."""
    # forward: y = ... + w_y[k] * h[k] + ..., so ∂y_i/∂w_y[k] = h[k]
    N = plain_sum(weight)
    total = 0.0
    for i in range(len(t)):
        total += weight[i] * (2 * (passes[i].y - t[i]) * passes[i].h[k])
    return total / N


def dL_db_y(passes: Sequence[Forward], t: Sequence[float], weight: Sequence[float]) -> float:
    """Return ∂L/∂b^1_0 = (1/N) Σ_i 2 (y_i − t_i) (result 3)."""
    # forward: y = ... + b_y[0], so ∂y_i/∂b_y[0] = 1
    N = plain_sum(weight)
    total = 0.0
    for i in range(len(t)):
        total += weight[i] * (2 * (passes[i].y - t[i]))
    return total / N


def dL_dw_h(
    k: int,
    passes: Sequence[Forward],
    w_y: Sequence[float],
    x: Sequence[float],
    t: Sequence[float],
    weight: Sequence[float],
    activation: str,
) -> float:
    """Return ∂L/∂w^0_{k,0} = (1/N) Σ_i 2 (y_i − t_i) w^1_{0,k} σ′(z_k) x_i (result 4)."""
    # forward: y = ... + w_y[k] * σ(w_h[k] * x_i + b_h[k]) + ...
    sigma_prime = lookup(activation).sigma_prime
    N = plain_sum(weight)
    total = 0.0
    for i in range(len(t)):
        error = passes[i].y - t[i]
        total += weight[i] * (2 * error * w_y[k] * sigma_prime(passes[i].z[k]) * x[i])
    return total / N


def dL_db_h(
    k: int,
    passes: Sequence[Forward],
    w_y: Sequence[float],
    t: Sequence[float],
    weight: Sequence[float],
    activation: str,
) -> float:
    """Return ∂L/∂b^0_k = (1/N) Σ_i 2 (y_i − t_i) w^1_{0,k} σ′(z_k) (result 4)."""
    # forward: y = ... + w_y[k] * σ(w_h[k] * x_i + b_h[k]) + ...
    sigma_prime = lookup(activation).sigma_prime
    N = plain_sum(weight)
    total = 0.0
    for i in range(len(t)):
        error = passes[i].y - t[i]
        total += weight[i] * (2 * error * w_y[k] * sigma_prime(passes[i].z[k]))
    return total / N


def loss_and_gradient(
    w_h: Sequence[float],
    b_h: Sequence[float],
    w_y: Sequence[float],
    b_y: Sequence[float],
    x: Sequence[float],
    t: Sequence[float],
    activation: str,
    sample_weight: Sequence[float] | None = None,
) -> tuple[float, list[float], list[float], list[float], list[float]]:
    """Compute the loss of a 1-m-1 network and its derivatives by every weight and bias.

    Parameters
    ----------
    w_h, b_h, w_y : sequences of m floats
        Hidden weights, hidden biases and output weights.
    b_y : sequence of one float
        Output bias.
    x, t : sequences of N floats
        Input and target of every sample.
    activation : str
        Name of the hidden layer's activation; see `batchprop.engines.naive.activation_formulas`.
    sample_weight : sequence of N floats, optional
        Weight of each sample; 1 by default.

    Returns
    -------
    loss : float
    dw_h, db_h, dw_y, db_y : lists of floats
        Lists of the same lengths as the parameters.

    Raises
    ------
    ValueError
        If the activation is unknown.
    """
    weight = weights_or_ones(sample_weight, len(t))
    passes = [forward(w_h, b_h, w_y, b_y, x_i, activation) for x_i in x]
    units = range(len(w_h))
    loss = mean_loss([each.y for each in passes], t, weight)
    dw_y = [dL_dw_y(k, passes, t, weight) for k in units]
    db_y = [dL_db_y(passes, t, weight)]
    dw_h = [dL_dw_h(k, passes, w_y, x, t, weight, activation) for k in units]
    db_h = [dL_db_h(k, passes, w_y, t, weight, activation) for k in units]
    return loss, dw_h, db_h, dw_y, db_y
