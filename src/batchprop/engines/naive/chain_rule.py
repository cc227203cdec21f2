"""Result 5 of the derivation: the same gradient with every factor of the chain rule by itself.

For one sample the network is a chain of small functions::

    W_h[k, 0], b_h[k] -> z_i[k] -> h_i[k] -> y_i -> L

and the derivative of L with respect to a parameter is the product of the derivatives along the
chain.  Each factor is a function of exactly the numbers that it depends on.  Only the sum over the
samples i is taken of the whole product, because each sample has its own y_i.
"""

from __future__ import annotations

from collections.abc import Sequence

from batchprop.engines.naive.activation_formulas import lookup
from batchprop.engines.naive.sample_weights import plain_sum
from batchprop.engines.naive.scalar import Forward, Gradient, Matrix, Vector, forward, mean_loss


def dL_dy(y_i: float, t_i: float, N: int) -> float:
    """Differentiate L = (1/N) Σ_i (y_i − t_i)² with respect to y_i: 2 (y_i − t_i) / N."""
    return 2 * (y_i - t_i) / N


def dy_dW_y(h_k: float) -> float:
    """Differentiate y_i = ... + W_y[0, k] h_i[k] + ... with respect to W_y[0, k]: h_i[k]."""
    return h_k


def dy_db_y() -> float:
    """Differentiate y_i = ... + b_y[0] with respect to b_y[0]: 1."""
    return 1.0


def dy_dh(W_y_0k: float) -> float:
    """Differentiate y_i = ... + W_y[0, k] h_i[k] + ... with respect to h_i[k]: W_y[0, k]."""
    return W_y_0k


def dh_dz(z_k: float, activation: str) -> float:
    """Differentiate h_i[k] = σ(z_i[k]) with respect to z_i[k]: σ′(z_i[k])."""
    return lookup(activation).sigma_prime(z_k)


def dz_dW_h(x_i: float) -> float:
    """Differentiate z_i[k] = W_h[k, 0] x_i + b_h[k] with respect to W_h[k, 0]: x_i."""
    return x_i


def dz_db_h() -> float:
    """Differentiate z_i[k] = W_h[k, 0] x_i + b_h[k] with respect to b_h[k]: 1."""
    return 1.0


def dL_dW_y(k: int, passes: Sequence[Forward], t: Vector) -> float:
    """Return ∂L/∂W_y[0, k] = Σ_i ∂L/∂y_i ∂y_i/∂W_y[0, k]."""
    N = len(t)
    return plain_sum(dL_dy(passes[i].y, t[i], N) * dy_dW_y(passes[i].h[k]) for i in range(N))


def dL_db_y(passes: Sequence[Forward], t: Vector) -> float:
    """Return ∂L/∂b_y[0] = Σ_i ∂L/∂y_i ∂y_i/∂b_y[0]."""
    N = len(t)
    return plain_sum(dL_dy(passes[i].y, t[i], N) * dy_db_y() for i in range(N))


def dL_dz(pass_i: Forward, t_i: float, k: int, W_y: Matrix, N: int, activation: str) -> float:
    """Return ∂L/∂z_i[k] = ∂L/∂y_i ∂y_i/∂h_i[k] ∂h_i[k]/∂z_i[k], which both derivatives share."""
    return dL_dy(pass_i.y, t_i, N) * dy_dh(W_y[0][k]) * dh_dz(pass_i.z[k], activation)


def dL_dW_h(
    k: int, passes: Sequence[Forward], W_y: Matrix, x: Vector, t: Vector, activation: str
) -> float:
    """Return ∂L/∂W_h[k, 0] = Σ_i ∂L/∂z_i[k] ∂z_i[k]/∂W_h[k, 0]."""
    N = len(t)
    return plain_sum(
        dL_dz(passes[i], t[i], k, W_y, N, activation) * dz_dW_h(x[i]) for i in range(N)
    )


def dL_db_h(k: int, passes: Sequence[Forward], W_y: Matrix, t: Vector, activation: str) -> float:
    """Return ∂L/∂b_h[k] = Σ_i ∂L/∂z_i[k] ∂z_i[k]/∂b_h[k]."""
    N = len(t)
    return plain_sum(dL_dz(passes[i], t[i], k, W_y, N, activation) * dz_db_h() for i in range(N))


def loss_and_gradient(
    W_h: Matrix, b_h: Vector, W_y: Matrix, b_y: Vector, x: Vector, t: Vector, activation: str
) -> tuple[float, Gradient]:
    """Compute loss and gradient of a 1-m-1 network as products of chain-rule factors.

    Arguments and results are those of `batchprop.engines.naive.scalar.loss_and_gradient`.

    Parameters
    ----------
    W_h, b_h, W_y, b_y : nested lists
        Shapes (m, 1), (m,), (1, m), (1,).
    x, t : sequences of N floats
        Input and target of every sample.
    activation : str
        Name of the hidden activation.

    Returns
    -------
    loss : float
    gradient : Gradient

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
