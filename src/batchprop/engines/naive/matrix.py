"""Results 7 to 9 of the derivation: e inputs, m hidden units, s outputs, one sample at a time.

Matrices are nested lists and every product is an explicit loop.  The index j counts inputs, k
hidden units, o outputs and i samples.  The gradient is the sum over the samples of small outer
products; the other engines compute this sum as one matrix product, for example δ_y Hᵀ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from batchprop.engines.naive.activation_formulas import lookup
from batchprop.engines.naive.sample_weights import plain_sum, weights_or_ones

Vector = Sequence[float]
Matrix = Sequence[Sequence[float]]


class Blocks(NamedTuple):
    """The four blocks as lists; parameters and their gradient have the same shapes."""

    W_h: list[list[float]]  # (m, e)
    b_h: list[float]  # (m,)
    W_y: list[list[float]]  # (s, m)
    b_y: list[float]  # (s,)


class Forward(NamedTuple):
    """The values of one sample's forward pass that the backward pass needs."""

    z: list[float]  # (m,)
    h: list[float]  # (m,)
    y: list[float]  # (s,)


class Sample(NamedTuple):
    """One column of X, the same column of T, and the sample's weight."""

    x: list[float]  # (e,)
    t: list[float]  # (s,)
    weight: float


def affine(W: Matrix, v: Vector, b: Vector) -> list[float]:
    """Return W v + b for W (rows, columns), v (columns,), b (rows,)."""
    result = []
    for row, bias in zip(W, b, strict=True):
        total = 0.0
        for w, value in zip(row, v, strict=True):
            total += w * value
        result.append(total + bias)
    return result


def forward(
    W_h: Matrix, b_h: Vector, W_y: Matrix, b_y: Vector, x: Vector, activation: str
) -> Forward:
    """Compute h = σ(W_h x + b_h) and y = W_y h + b_y for one sample (result 7)."""
    sigma = lookup(activation).sigma
    z = affine(W_h, x, b_h)  # (m,) = (m, e) (e,) + (m,)
    h = [sigma(z_k) for z_k in z]  # (m,)
    y = affine(W_y, h, b_y)  # (s,) = (s, m) (m,) + (s,)
    return Forward(z, h, y)


def sample_loss(y: Vector, t: Vector) -> float:
    """Return ‖y − t‖², the sum over the outputs (result 2 for any s)."""
    total = 0.0
    for y_o, t_o in zip(y, t, strict=True):
        total += (y_o - t_o) * (y_o - t_o)
    return total


def delta_y(y: Vector, t: Vector, weight: float, N: float) -> list[float]:
    """Return ∂L/∂y = (2/N) (y_i − t_i) times the sample weight (result 8)."""
    # forward: L = (1/N) Σ_i w_i ‖y_i − t_i‖²
    return [2 * weight / N * (y_o - t_o) for y_o, t_o in zip(y, t, strict=True)]  # (s,)


def delta_h(W_y: Matrix, z: Vector, dL_dy: Vector, activation: str) -> list[float]:
    """Return ∂L/∂z = σ′(z) ⊙ ∂L/∂h, where ∂L/∂h = W_yᵀ ∂L/∂y (result 9)."""
    # forward: y = W_y h + b_y and h = σ(z)
    sigma_prime = lookup(activation).sigma_prime
    result = []
    for k, z_k in enumerate(z):
        dL_dh_k = 0.0  # row k of (m, s) (s,)
        for o, dL_dy_o in enumerate(dL_dy):
            dL_dh_k += W_y[o][k] * dL_dy_o
        result.append(sigma_prime(z_k) * dL_dh_k)
    return result  # (m,)


def add_outer(dW: list[list[float]], db: list[float], delta: Vector, v: Vector) -> None:
    """Add δ vᵀ to dW and δ to db, in place (results 8 and 9)."""
    # forward: a = W v + b; with δ = ∂L/∂a, a sample adds δ vᵀ to ∂L/∂W and δ to ∂L/∂b
    for row, delta_row in enumerate(delta):
        for column, value in enumerate(v):
            dW[row][column] += delta_row * value
        db[row] += delta_row


def jacobian(W_h: Matrix, W_y: Matrix, z: Vector, activation: str) -> list[list[float]]:
    """Return ∂y/∂x (s, e) of one sample: entry (o, j) is Σ_k W_y[o, k] σ′(z_k) W_h[k, j]."""
    # forward: y = W_y h + b_y, h = σ(z) and z = W_h x + b_h
    sigma_prime = lookup(activation).sigma_prime
    result = []
    for row in W_y:
        dy_o_dx = [0.0] * len(W_h[0])
        for k, z_k in enumerate(z):
            dy_o_dz_k = row[k] * sigma_prime(z_k)
            for j, w in enumerate(W_h[k]):
                dy_o_dx[j] += dy_o_dz_k * w
        result.append(dy_o_dx)
    return result  # (s, e)


def mean_loss(parameters: Blocks, samples: Iterable[Sample], N: float, activation: str) -> float:
    """Return L = (1/N) Σ_i w_i ‖y_i − t_i‖² with N = Σ_i w_i (result 2)."""
    total = 0.0
    for sample in samples:
        y = forward(*parameters, sample.x, activation).y
        total += sample.weight * sample_loss(y, sample.t)
    return total / N


def sum_over_samples(
    parameters: Blocks, samples: Iterable[Sample], N: float, activation: str
) -> tuple[float, Blocks]:
    """Return L and ∂L/∂θ, adding up forward and backward passes of one sample after another."""
    W_h, b_h, W_y, b_y = parameters
    total = 0.0
    gradient = zeros_like(parameters)
    for x, t, weight in samples:
        z, h, y = forward(W_h, b_h, W_y, b_y, x, activation)
        total += weight * sample_loss(y, t)
        dL_dy = delta_y(y, t, weight, N)
        add_outer(gradient.W_y, gradient.b_y, dL_dy, h)  # (s, 1) (1, m) and (s,)
        dL_dz = delta_h(W_y, z, dL_dy, activation)
        add_outer(gradient.W_h, gradient.b_h, dL_dz, x)  # (m, 1) (1, e) and (m,)
    return total / N, gradient


def zeros_like(blocks: Blocks) -> Blocks:
    """Return zeros with the shapes of the four blocks."""
    return Blocks(
        [[0.0] * len(row) for row in blocks.W_h],
        [0.0] * len(blocks.b_h),
        [[0.0] * len(row) for row in blocks.W_y],
        [0.0] * len(blocks.b_y),
    )


def columns(X: Matrix) -> Iterator[list[float]]:
    """Yield the columns of a nested list X[j][i], one per sample."""
    for i in range(len(X[0])):
        yield [row[i] for row in X]


def loss_and_gradient(
    W_h: Matrix,
    b_h: Vector,
    W_y: Matrix,
    b_y: Vector,
    X: Matrix,
    T: Matrix,
    activation: str,
    sample_weight: Vector | None = None,
) -> tuple[float, Blocks]:
    """Compute the loss of an e-m-s network and its gradient from nested lists.

    Parameters
    ----------
    W_h, b_h, W_y, b_y : nested lists
        Shapes (m, e), (m,), (s, m), (s,).
    X, T : nested lists
        Inputs (e, N) and targets (s, N), one sample per column.
    activation : str
        Name of the hidden layer's activation; see `batchprop.engines.naive.activation_formulas`.
    sample_weight : sequence of N floats, optional
        Weight of each sample; 1 by default.

    Returns
    -------
    loss : float
        Sum over the outputs, mean over the samples.
    gradient : Blocks
        Nested lists W_h, b_h, W_y, b_y in the shapes of the parameters.

    Raises
    ------
    ValueError
        If the activation is unknown, or if the lengths of two lists disagree.
    """
    weight = weights_or_ones(sample_weight, len(T[0]))
    columns_and_weights = zip(columns(X), columns(T), weight, strict=True)
    samples = (Sample(x, t, w) for x, t, w in columns_and_weights)
    parameters = Blocks(to_rows(W_h), list(b_h), to_rows(W_y), list(b_y))
    return sum_over_samples(parameters, samples, plain_sum(weight), activation)


def predict(
    W_h: Matrix, b_h: Vector, W_y: Matrix, b_y: Vector, X: Matrix, activation: str
) -> list[list[float]]:
    """Return Y (s, N) for X (e, N) as nested lists; the other arguments are as above."""
    predictions = [forward(W_h, b_h, W_y, b_y, x, activation).y for x in columns(X)]
    return [[y[o] for y in predictions] for o in range(len(b_y))]


def to_rows(W: Matrix) -> list[list[float]]:
    """Return W as a list of lists."""
    return [list(row) for row in W]
